from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from avatar.portrait.measure import CLOSED, mouth_gap, mouth_width
from avatar.portrait.mouth import Closed, closed
from tests.faces import landmarker
from tests.unit.avatar.portrait.people import Rgb, collins, larger, turned


@cache
def smiling(degrees: float = 0.0) -> Rgb:
    return turned(larger(collins(), 2), degrees)


@cache
def shut(degrees: float = 0.0) -> Closed:
    rgb = smiling(degrees)
    return closed(rgb, landmarker().find(rgb)[0].contours)


def enamel(rgb: Rgb, points: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> int:
    """Pixels between the corners of the mouth that are as white as teeth."""
    low, high = points.min(0).astype(int), points.max(0).astype(int)
    lips = rgb[low[1] : high[1], low[0] : high[0]].astype(np.int16)
    return int(((lips.min(-1) > 165) & (np.ptp(lips, axis=-1) < 45)).sum())


@pytest.mark.parametrize("degrees", [-15.0, 0.0, 15.0])
def test_a_mouth_that_smiles_is_shut_and_no_tooth_is_left(degrees: float) -> None:
    before, after = landmarker().find(smiling(degrees))[0], shut(degrees)
    assert mouth_gap(before) > 3 * CLOSED
    seen = landmarker().find(after.rgb)[0]
    assert mouth_gap(seen) < CLOSED
    lips = np.concatenate((after.contours.lips_outer_upper, after.contours.lips_outer_lower))
    assert enamel(smiling(degrees), before.contours.lips_inner_lower) > 200
    assert enamel(after.rgb, lips) < 60


def test_the_contours_lie_where_the_mouth_is_now() -> None:
    told, seen = shut().contours, landmarker().find(shut().rgb)[0].contours
    assert np.array_equal(told.lips_inner_upper, told.lips_inner_lower)
    for name in ("lips_outer_upper", "lips_inner_upper", "lips_outer_lower"):
        off = np.hypot(*(getattr(told, name) - getattr(seen, name)).T)
        assert off.mean() < 0.02 * told.width, name
        assert off.max() < 0.05 * told.width, name
    assert np.hypot(told.chin[0] - seen.chin[0], told.chin[1] - seen.chin[1]) < 0.04 * told.width


def test_a_part_of_the_smile_is_let_go() -> None:
    def raised(points: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
        return float(points[5, 1] - points[[0, -1], 1].mean()) / float(np.ptp(points[:, 0]))

    before = landmarker().find(smiling())[0]
    upper, lower = before.contours.lips_inner_upper, before.contours.lips_inner_lower
    seam = (upper + (lower - upper) * 0.5).astype(np.float32)
    assert 0.03 < raised(shut().contours.lips_inner_upper) < 0.8 * raised(seam)
    assert mouth_width(landmarker().find(shut().rgb)[0]) < mouth_width(before)


def test_nothing_above_the_nose_or_beside_the_face_moves() -> None:
    contours = shut().contours
    changed = np.abs(shut().rgb.astype(np.int16) - smiling()).max(-1) > 0
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    assert rows.min() > contours.nose_tip[1] - 0.05 * contours.width
    assert contours.oval[:, 0].min() < columns.min()
    assert columns.max() < contours.oval[:, 0].max()


def test_the_warp_ends_without_an_edge() -> None:
    step_before = np.abs(np.diff(smiling().astype(np.int16), axis=0)).max(-1)
    step_after = np.abs(np.diff(shut().rgb.astype(np.int16), axis=0)).max(-1)
    lips = shut().contours.lips_outer_lower
    below = slice(int(lips[:, 1].max()) + 6, int(shut().contours.chin[1]) - 6)
    middle = slice(int(lips[3, 0]), int(lips[7, 0]))
    assert step_after[below, middle].max() < step_before[below, middle].max() + 12


def test_the_teeth_are_kept_as_wide_as_the_mouth() -> None:
    teeth = shut().teeth
    assert teeth is not None
    contours = landmarker().find(smiling())[0].contours
    assert teeth.shape[1] == pytest.approx(np.ptp(contours.lips_inner_upper[:, 0]), abs=2)
    middle = teeth[:, teeth.shape[1] // 3 : -teeth.shape[1] // 3].astype(np.float32)
    assert middle.mean() > 150
    assert (middle[..., 0] - middle[..., 2]).mean() < 60


def test_a_closed_mouth_stays_as_it_is() -> None:
    again = closed(shut().rgb, landmarker().find(shut().rgb)[0].contours)
    assert again.rgb is shut().rgb
    assert again.teeth is None
    assert np.array_equal(again.contours.lips_inner_upper, again.contours.lips_inner_lower)
