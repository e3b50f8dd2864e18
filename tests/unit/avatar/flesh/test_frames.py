from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avatar.flesh.frames import EyeFrame, MouthFrame
from tests.unit.avatar.flesh.heads import contours


@pytest.mark.parametrize("roll", [-20.0, 0.0, 20.0])
def test_the_mouth_is_measured_along_itself_however_the_head_is_held(roll: float) -> None:
    told = contours(512, 512, roll_degrees=roll)
    frame = MouthFrame.of(told)
    u, v = frame.place(told.lips_inner_upper)
    assert u[[0, 5, 10]] == pytest.approx([-1, 0, 1], abs=1e-3)
    assert np.abs(v).max() < 0.01
    assert (frame.place(told.lips_outer_lower[1:-1])[1] > 0).all()
    assert (frame.place(told.lips_outer_upper[1:-1])[1] < 0).all()
    assert frame.chin == pytest.approx((0.66 - 0.327) / 0.38, abs=0.06)


def test_the_bow_of_the_lips_is_that_of_their_line() -> None:
    told = contours(512, 512)
    hung = told.lips_inner_upper + np.stack([np.zeros(11), 12 * (1 - np.linspace(-1, 1, 11) ** 2)], axis=1)
    line = hung.astype(np.float32)
    smiling = MouthFrame.of(replace(told, lips_inner_upper=line, lips_inner_lower=line))
    assert smiling.bow - MouthFrame.of(told).bow == pytest.approx(12, abs=1)


def test_displacements_turn_with_the_head() -> None:
    frame = MouthFrame.of(contours(512, 512, roll_degrees=90.0))
    moved = frame.vector(np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32))[0, 0]
    assert np.abs(moved @ frame.down) == pytest.approx(frame.width, rel=1e-4)
    assert np.abs(moved @ frame.along) < 1e-2


@pytest.mark.parametrize("roll", [-20.0, 0.0, 20.0])
def test_both_eyes_run_from_the_nose_outwards_with_the_brow_above(roll: float) -> None:
    told = contours(512, 512, roll_degrees=roll)
    mouth = MouthFrame.of(told)
    for eye in (told.left, told.right):
        frame = EyeFrame.of(eye, mouth)
        u, _ = frame.place(eye.upper)
        assert u[[0, 4, 8]] == pytest.approx([-1, 0, 1], abs=0.05)
        upper, lower = frame.lids(np.linspace(-2, 2, 41, dtype=np.float32))
        assert (lower >= upper).all()
        assert lower[0] == upper[0]
        assert frame.down @ mouth.down > 0.9
        assert frame.brow > 0.2 * frame.width
        assert frame.opening == pytest.approx(0.076 * told.width, rel=0.1)
