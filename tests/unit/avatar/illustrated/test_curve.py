"""Lines through points."""

from __future__ import annotations

import numpy as np

from avatar.illustrated.curve import line, mirrored, normals, resample, smooth, stroke

BEND = line((0.0, 0.0), (1.0, 0.2), (1.5, 1.0), (1.2, 2.0))


def test_a_smooth_line_goes_through_its_points() -> None:
    curve = smooth(BEND, 8)
    assert np.allclose(curve[::8], BEND)


def test_a_closed_line_has_no_corner_where_it_meets_itself() -> None:
    angle = np.linspace(0, 2 * np.pi, 7, endpoint=False)
    curve = smooth(np.stack((np.cos(angle), 1.4 * np.sin(angle)), axis=1), 16, closed=True)
    steps = np.diff(np.vstack((curve, curve[:3])), axis=0)
    angles = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    assert np.abs(np.diff(angles)).max() < 0.2


def test_resampling_keeps_the_ends_and_spaces_evenly() -> None:
    points = resample(smooth(BEND, 30), 20)
    steps = np.hypot(*np.diff(points, axis=0).T)
    assert np.allclose(points[[0, -1]], BEND[[0, -1]])
    assert steps.max() / steps.min() < 1.05


def test_a_stroke_is_as_wide_as_it_is_told() -> None:
    straight = resample(line((0.0, 0.0), (4.0, 0.0)), 9)
    edge = stroke(straight, (0.0, 0.5, 0.0))
    assert np.isclose(np.ptp(edge[:, 1]), 0.5)
    assert np.allclose(np.abs(normals(straight)), (0.0, 1.0))


def test_mirroring_twice_changes_nothing() -> None:
    assert np.array_equal(mirrored(mirrored(BEND)), BEND)
