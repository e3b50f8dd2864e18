from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from avatar.controls import RIGID, Control
from avatar.flesh.turns import Turns
from tests.unit.avatar.flesh.heads import contours

TOLD = contours(512, 512)
TURNS = Turns.of(TOLD, (512, 512))


def _moved(control: Control, place: npt.ArrayLike) -> npt.NDArray[np.float32]:
    at = np.asarray(place, np.float32).reshape(1, 1, 2)
    return np.asarray(TURNS.rigid(at)[RIGID.index(control), 0, 0])


def test_the_nose_turns_further_than_the_cheeks_and_they_further_than_the_edge() -> None:
    nose, edge = _moved(Control.HEAD_YAW, TOLD.nose_tip), _moved(Control.HEAD_YAW, TOLD.oval[9])
    cheek = _moved(Control.HEAD_YAW, np.add(TOLD.nose_tip, (0.3 * TOLD.width, 0)))
    assert nose[0] > cheek[0] > edge[0] >= 0
    assert nose[0] == pytest.approx(0.6 * TOLD.width * np.sin(np.radians(12)), rel=0.25)
    assert nose[1] == 0


def test_up_is_up_and_clockwise_is_clockwise() -> None:
    assert _moved(Control.HEAD_PITCH, TOLD.nose_tip)[1] < 0
    assert _moved(Control.HEAD_Y, TOLD.nose_tip) == pytest.approx([0, -0.1 * TOLD.width], abs=1e-3)
    assert _moved(Control.HEAD_X, TOLD.nose_tip) == pytest.approx([0.1 * TOLD.width, 0], abs=1e-3)
    top = _moved(Control.HEAD_ROLL, TOLD.oval[0])
    assert top[0] > 0
    assert _moved(Control.HEAD_ROLL, TOLD.oval[9])[1] > 0


def test_shoulders_stay_where_they_are_but_breathe() -> None:
    shoulder = [60.0, TURNS.shoulders + 5]
    for control in RIGID:
        still = np.abs(_moved(control, shoulder)).max()
        assert (still > 0.5) == (control is Control.BREATH)


def test_the_neck_goes_over_into_the_shoulders_without_a_step() -> None:
    rows = np.linspace(TURNS.chin - 20, TURNS.shoulders + 20, 200)
    points = np.stack([np.full_like(rows, 256), rows], axis=-1).astype(np.float32)[:, None]
    fields = TURNS.rigid(points)[:, :, 0]
    per_row = np.abs(np.diff(fields, axis=1)).max() / (rows[1] - rows[0])
    assert per_row < 0.6


def test_depth_is_known_everywhere_and_within_what_was_told() -> None:
    corners = np.array([[[-50, -50], [0, 0]], [[511, 511], [900, 900]]], np.float32)
    depth = TURNS.depth_at(corners)
    assert np.isfinite(depth).all()
    assert depth.min() >= 0
    assert TURNS.depth.max() <= TOLD.surface[:, 2].max()


def test_something_flat_turns_by_its_own_depth() -> None:
    at = np.asarray(TOLD.nose_tip, np.float32).reshape(1, 1, 2)
    yaw = RIGID.index(Control.HEAD_YAW)
    assert TURNS.rigid(at, depth=100.0)[yaw, 0, 0, 0] == pytest.approx(100 * np.sin(np.radians(12)), rel=1e-4)
