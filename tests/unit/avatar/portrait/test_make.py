from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from avatar.controls import CONTROLS, Control, at_rest, within_limits
from avatar.errors import UnfitPicture
from avatar.portrait.cutout import backdrop
from avatar.portrait.landmarks import FoundFace
from avatar.portrait.make import Studio
from avatar.portrait.measure import CLOSED, eye_openness, mouth_gap, mouth_width
from avatar.render.cpu import CpuPuppet
from avatar.sheet import controls, rgb
from tests.faces import faces_cache, landmarker
from tests.unit.avatar.portrait.people import COLLINS, collins, encoded, larger, turned

Pixels = npt.NDArray[np.uint8]


@cache
def studio() -> Studio:
    return Studio(faces_cache())


@cache
def rig() -> CpuPuppet:
    return CpuPuppet(studio().portrait(COLLINS.read_bytes(), 512, 512))


def drawn(**values: float) -> Pixels:
    picture = rig().blank()
    rig().draw(controls(**values), picture)
    return rgb(picture)


def seen(**values: float) -> FoundFace:
    faces = landmarker().find(drawn(**values))
    assert len(faces) == 1, values
    return faces[0]


def test_a_photo_becomes_a_face_that_is_at_rest_and_awake() -> None:
    assert (rig().name, rig().width, rig().height) == ("portrait", 512, 512)
    face = seen()
    assert mouth_gap(face) < CLOSED
    assert min(eye_openness(face)) > 0.1
    assert abs(face.pose.yaw) < 5


def test_the_mouth_opens_as_it_is_told() -> None:
    opened = np.linspace(0, 0.7, 8)
    gaps = [mouth_gap(seen(jaw_open=float(each))) for each in opened]
    assert np.corrcoef(opened, gaps)[0, 1] > 0.95
    assert gaps[-1] > 6 * CLOSED
    assert mouth_gap(seen(lips_press=1.0)) < CLOSED


def test_rounded_lips_are_narrow_and_spread_ones_wide() -> None:
    rest = mouth_width(seen())
    assert mouth_width(seen(lips_pucker=1.0)) < 0.9 * rest
    assert mouth_width(seen(lips_wide=1.0)) > 1.02 * rest


def test_the_eyes_close() -> None:
    assert max(eye_openness(seen(blink=1.0))) < 0.6 * min(eye_openness(seen()))


def test_the_head_turns_and_the_background_does_not_swim() -> None:
    left, right = seen(head_yaw=-1.0).contours, seen(head_yaw=1.0).contours
    assert right.nose_tip[0] - left.nose_tip[0] > 0.05 * left.width
    rng = np.random.default_rng(2)
    picture, plate = rig().blank(), drawn()
    for _ in range(20):
        values = within_limits(rng.normal(0, 0.5, CONTROLS).astype(np.float32))
        rig().draw(values, picture)
        there = rgb(picture)
        assert np.abs(there[:, :40].astype(np.int16) - plate[:, :40])[:250].max() <= 2
        assert np.abs(there[:, -40:].astype(np.int16) - plate[:, -40:])[:250].max() <= 2


def test_at_rest_it_is_the_person_in_the_photo() -> None:
    art = studio().artwork(COLLINS.read_bytes(), 512, 512)
    alpha = art.head[..., 3:] / 255
    still = art.head[..., :3] * alpha + art.plate * (1 - alpha)
    assert at_rest()[Control.JAW_OPEN] == 0
    off = np.abs(drawn().astype(np.float32) - still)
    assert off.mean() < 3


@pytest.mark.parametrize(("width", "height"), [(640, 360), (360, 640)])
def test_any_shape_of_picture_can_be_had(width: int, height: int) -> None:
    art = studio().artwork(COLLINS.read_bytes(), width, height)
    assert art.plate.shape == (height, width, 3)
    assert art.head.shape == (height, width, 4)
    assert 0 < art.contours.chin[1] < height


def test_a_cut_out_photo_keeps_its_outline() -> None:
    alpha = np.zeros((400, 400), np.uint8)
    alpha[10:, 60:330] = 255
    art = studio().artwork(encoded(np.dstack((collins(), alpha))), 512, 512)
    assert art.head[:14, :, 3].max() < 20
    assert art.head[200:260, 240:280, 3].min() == 255
    assert np.array_equal(art.plate, backdrop(512, 512))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"nothing", "not a picture"),
        (encoded(np.full((300, 300, 3), 90, np.uint8)), "no face"),
        (encoded(turned(collins(), 33)), "leans"),
        (encoded(larger(collins(), 0.5)), "come closer"),
    ],
)
def test_what_makes_no_face_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(UnfitPicture, match=says):
        studio().artwork(data, 512, 512)
