from __future__ import annotations

import cv2
import numpy as np
import pytest

from avatar.portrait.landmarks import FoundFace
from avatar.portrait.measure import CLOSED, eye_distance, eye_openness, gaze, mouth_gap, mouth_width
from tests.faces import landmarker
from tests.unit.avatar.portrait.people import IRISES, Rgb, collins, larger, turned


def only(rgb: Rgb) -> FoundFace:
    faces = landmarker().find(rgb)
    assert len(faces) == 1
    return faces[0]


def test_a_face_is_found_to_the_pixel() -> None:
    face = only(collins())
    contours = face.contours
    assert face.score > 0.99
    for iris, true in zip((contours.right.iris, contours.left.iris), IRISES, strict=True):
        assert np.hypot(iris[0] - true[0], iris[1] - true[1]) < 1.6
    assert contours.width == pytest.approx(92, abs=3)
    assert contours.right.iris_radius == pytest.approx(contours.left.iris_radius, rel=0.15)


def test_contours_have_the_shape_that_baking_wants() -> None:
    contours = only(collins()).contours
    for eye, side in ((contours.left, 1), (contours.right, -1)):
        assert eye.upper.shape == eye.lower.shape == (9, 2)
        assert eye.brow.shape == (5, 2)
        assert np.array_equal(eye.upper[[0, -1]], eye.lower[[0, -1]])
        assert side * (eye.upper[-1, 0] - eye.upper[0, 0]) > 0, "from the nose outwards"
        assert eye.upper[4, 1] < eye.lower[4, 1]
        assert eye.brow[2, 1] < eye.upper[4, 1]
    lips = (
        contours.lips_outer_upper,
        contours.lips_inner_upper,
        contours.lips_inner_lower,
        contours.lips_outer_lower,
    )
    assert all(each.shape == (11, 2) and np.all(np.diff(each[:, 0]) > 0) for each in lips)
    assert np.all(np.diff([each[5, 1] for each in lips]) > 0)
    assert contours.oval.shape == (36, 2)
    assert contours.oval[9, 0] > contours.oval[27, 0], "clockwise for the viewer"
    assert contours.oval[0, 1] < contours.nose_tip[1] < contours.chin[1]


def test_the_nose_is_nearer_than_the_cheeks_and_all_of_the_face_before_the_axis() -> None:
    surface = only(collins()).contours.surface
    width = only(collins()).contours.width
    nose, ears = surface[1, 2], surface[[234, 454], 2]
    assert nose - ears.mean() == pytest.approx(0.65 * width, rel=0.25)
    assert surface[:, 2].min() > 0


def test_the_same_face_measures_the_same_at_any_size() -> None:
    small = only(collins())
    large = only(larger(collins(), 4))
    assert eye_distance(large) == pytest.approx(4 * eye_distance(small), rel=0.04)
    assert mouth_gap(large) == pytest.approx(mouth_gap(small), abs=0.03)
    assert mouth_width(large) == pytest.approx(mouth_width(small), abs=0.06)
    assert eye_openness(large)[0] == pytest.approx(eye_openness(small)[0], abs=0.03)


def test_a_smile_that_shows_teeth_is_an_open_mouth() -> None:
    assert mouth_gap(only(collins())) > 3 * CLOSED


def test_the_eyes_look_into_the_camera() -> None:
    x, y = gaze(only(collins()))
    assert abs(x) < 0.04
    assert abs(y) < 0.06


@pytest.mark.parametrize("degrees", [-25, 25])
def test_a_head_that_leans_is_found_and_measured(degrees: float) -> None:
    upright = only(collins())
    leaning = only(turned(collins(), degrees))
    assert leaning.pose.roll - upright.pose.roll == pytest.approx(degrees, abs=3)
    assert leaning.pose.yaw == pytest.approx(upright.pose.yaw, abs=6)
    assert mouth_gap(leaning) == pytest.approx(mouth_gap(upright), abs=0.03)


def test_a_face_seen_in_a_mirror_is_the_same_with_its_sides_swapped() -> None:
    face, mirrored = only(collins()), only(np.ascontiguousarray(collins()[:, ::-1]))
    assert mirrored.contours.left.iris[0] == pytest.approx(399 - face.contours.right.iris[0], abs=2)
    assert mirrored.pose.roll == pytest.approx(-face.pose.roll, abs=2)


def test_two_people_are_two_faces() -> None:
    small = np.full_like(collins(), 90)
    small[120:360, 80:320] = larger(collins(), 0.6)
    pair = np.hstack((collins(), small))
    widths = sorted(face.contours.width for face in landmarker().find(pair, everyone=True))
    assert len(widths) == 2
    assert widths[0] == pytest.approx(0.6 * widths[1], rel=0.1)


@pytest.mark.parametrize("kind", ["grey", "noise", "stripes", "hidden"])
def test_where_nobody_is_nobody_is_found(kind: str) -> None:
    rgb = collins().copy()
    match kind:
        case "grey":
            rgb[:] = 127
        case "noise":
            rgb = np.random.default_rng(3).integers(0, 256, rgb.shape, np.uint8)
        case "stripes":
            rgb[:] = (np.arange(400) % 40 > 20)[None, :, None] * 200
        case _:
            cv2.rectangle(rgb, (110, 20), (280, 200), (120, 110, 100), -1)
    assert landmarker().find(rgb, everyone=True) == []


def test_a_picture_of_any_shape_is_looked_at() -> None:
    wide = cv2.copyMakeBorder(collins(), 0, 0, 500, 100, cv2.BORDER_CONSTANT)
    tall = cv2.copyMakeBorder(collins(), 300, 200, 0, 0, cv2.BORDER_CONSTANT)
    at = only(collins()).contours.nose_tip
    for rgb, offset in ((wide, (500, 0)), (tall, (0, 300))):
        found = only(np.asarray(rgb, np.uint8)).contours.nose_tip
        assert found == pytest.approx((at[0] + offset[0], at[1] + offset[1]), abs=2.5)


def test_a_face_is_followed_where_it_would_be_found() -> None:
    before = only(collins())
    after = np.asarray(np.roll(turned(collins(), 4), (5, 6), (0, 1)))
    followed = landmarker().follow(after, before)
    assert followed is not None
    off = np.hypot(*(followed.points - only(after).points)[:, :2].T)
    assert off.mean() < 1.2
    assert landmarker().follow(np.full_like(after, 90), before) is None
