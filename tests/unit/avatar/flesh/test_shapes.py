from __future__ import annotations

import numpy as np
import pytest

from avatar.flesh.shapes import bump, fall, mound, rise, through


def test_a_step_rises_once_and_smoothly() -> None:
    x = np.linspace(-1, 3, 401, dtype=np.float32)
    y = rise(x, 0.0, 2.0)
    assert y[0] == 0
    assert y[-1] == 1
    assert (np.diff(y) >= 0).all()
    assert np.abs(np.diff(y, 2)).max() < 1e-3
    assert np.allclose(fall(x, 0.0, 2.0), 1 - y)


def test_a_bump_and_a_mound_are_highest_in_the_middle() -> None:
    x = np.linspace(-2, 2, 81, dtype=np.float32)
    assert bump(x, 1.0).argmax() == mound(x, x * 0, 1.0, 1.0).argmax() == 40
    assert bump(x, 1.0)[0] == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_curve_goes_through_its_points_and_swings_over_none(seed: int) -> None:
    chance = np.random.default_rng(seed)
    points = np.stack([np.arange(9.0), chance.uniform(-3, 3, 9)], axis=1).astype(np.float32)
    assert np.allclose(through(points[:, 0], points), points[:, 1], atol=1e-5)
    y = through(np.linspace(-2, 10, 500, dtype=np.float32), points)
    assert points[:, 1].min() - 1e-4 <= y.min()
    assert y.max() <= points[:, 1].max() + 1e-4
    assert y[0] == pytest.approx(points[0, 1], abs=1e-5)


def test_points_one_above_the_other_break_no_curve() -> None:
    points = np.array([[0, 0], [1, 1], [1, 1.5], [2, 0]], np.float32)
    assert np.isfinite(through(np.linspace(-1, 3, 50, dtype=np.float32), points)).all()
