from __future__ import annotations

import numpy as np
import pytest

from avatar.portrait.frame import cut_for, cut_out
from tests.faces import landmarker
from tests.unit.avatar.portrait.people import Rgb, collins, larger


def framed(rgb: Rgb, width: int, height: int) -> Rgb:
    face = landmarker().find(rgb)[0]
    return cut_out(rgb, cut_for(face.contours, rgb.shape[:2], width, height), width, height)


@pytest.mark.parametrize(("width", "height"), [(512, 512), (1280, 720), (360, 640)])
@pytest.mark.parametrize("factor", [1.0, 3.5])
def test_the_face_lies_in_the_middle_with_room_around(width: int, height: int, factor: float) -> None:
    picture = framed(larger(collins(), factor), width, height)
    contours = landmarker().find(picture)[0].contours
    assert picture.shape == (height, width, 3)
    assert contours.width / min(width, height) == pytest.approx(0.40, abs=0.09)
    assert contours.oval[:, 0].mean() == pytest.approx(width / 2, abs=0.06 * width)
    assert contours.oval[:, 1].min() > 0.1 * height
    assert contours.chin[1] < 0.9 * height


def test_the_colours_stay() -> None:
    picture = framed(collins(), 512, 512)
    face, before = (landmarker().find(rgb)[0].contours.nose_tip for rgb in (picture, collins()))
    there = picture[int(face[1]) - 8 : int(face[1]) + 8, int(face[0]) - 8 : int(face[0]) + 8].mean((0, 1))
    then = collins()[int(before[1]) - 3 : int(before[1]) + 3, int(before[0]) - 3 : int(before[0]) + 3].mean((0, 1))
    assert np.abs(there - then).max() < 10


def test_a_photo_that_ends_too_early_goes_on_blurred() -> None:
    narrow = np.ascontiguousarray(collins()[10:230, 120:270])
    picture = framed(narrow, 1280, 720)
    sides = np.concatenate((picture[:, :80], picture[:, -80:]), axis=1).astype(np.int16)
    assert np.abs(np.diff(sides[:, :80], axis=1)).max() < 24
    assert landmarker().find(picture)[0].contours.width < 0.55 * 720


def test_shrinking_makes_no_pattern() -> None:
    photo = larger(collins(), 5)
    fine = photo.copy()
    fine[::2] = np.clip(fine[::2].astype(np.int16) + 30, 0, 255).astype(np.uint8)
    cut = cut_for(landmarker().find(photo)[0].contours, photo.shape[:2], 512, 512)
    one, two = (cut_out(each, cut, 512, 512).astype(np.int16) for each in (photo, fine))
    assert (two - one)[20:-20, 20:120].std() < 1.5
