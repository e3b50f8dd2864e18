from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from avatar.errors import UnfitPicture
from avatar.portrait.fitness import fit
from avatar.portrait.landmarks import FoundFace
from tests.faces import landmarker
from tests.unit.avatar.portrait.people import Rgb, collins, larger, turned


def judged(rgb: Rgb) -> FoundFace:
    return fit(rgb, landmarker().find(rgb, everyone=True))


def blurred(sigma: float) -> Rgb:
    return np.asarray(cv2.GaussianBlur(collins(), (0, 0), sigma), np.uint8)


def two_people() -> Rgb:
    return np.concatenate((collins(), collins()[:, ::-1]), axis=1)


def brightness(factor: float, offset: float = 0.0) -> Rgb:
    return np.asarray(np.clip(collins() * factor + offset, 0, 255), np.uint8)


def test_a_good_photo_is_good() -> None:
    assert judged(collins()).score > 0.99
    assert judged(larger(collins(), 3)).score > 0.99


def test_a_small_face_on_the_wall_is_not_a_second_person() -> None:
    picture = larger(collins(), 2)
    picture[40:240, 580:780] = larger(collins(), 0.5)
    assert judged(picture).contours.width == pytest.approx(184, rel=0.05)


@pytest.mark.parametrize(
    ("picture", "says"),
    [
        (lambda: np.full_like(collins(), 128), "no face in the picture: take one"),
        (two_people, "two faces or more"),
        (lambda: larger(collins(), 0.6), "face is only 5. pixels wide: come closer"),
        (lambda: larger(collins()[:, 205:], 2), "cut off"),
        (lambda: turned(collins(), 32), "leans 3. degrees"),
        (lambda: blurred(2.2), "blurred: hold the camera still"),
        (lambda: brightness(0.16), "too dark"),
        (lambda: brightness(1.2, 110), "too bright"),
    ],
)
def test_an_unfit_photo_is_refused_with_advice(picture: object, says: str) -> None:
    assert callable(picture)
    with pytest.raises(UnfitPicture, match=says):
        judged(picture())


@pytest.mark.parametrize(
    ("axis", "says"), [(1, "turned .* degrees to the (left|right)"), (0, "tilted .* degrees")]
)
@pytest.mark.parametrize("degrees", [-35.0, 35.0])
def test_a_head_that_looks_aside_is_refused(axis: int, says: str, degrees: float) -> None:
    face = landmarker().find(collins())[0]
    middle, angle = face.points.mean(0), np.radians(degrees)
    turn = np.eye(3)
    others = [each for each in range(3) if each != axis]
    turn[np.ix_(others, others)] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    points = ((face.points - middle) @ turn.T + middle).astype(np.float32)
    with pytest.raises(UnfitPicture, match=says):
        fit(collins(), [replace(face, points=points)])


def test_a_shout_is_refused() -> None:
    face = landmarker().find(collins())[0]
    points = face.points.copy()
    points[[14, 87, 317], 1] += 14
    with pytest.raises(UnfitPicture, match="wide open"):
        fit(collins(), [replace(face, points=points)])


def test_closed_eyes_are_refused() -> None:
    face = landmarker().find(collins())[0]
    points = face.points.copy()
    for upper, lower in ((159, 145), (158, 153), (160, 144), (386, 374), (385, 380), (387, 373)):
        points[upper, :2] = points[lower, :2] - (0, 1)
    with pytest.raises(UnfitPicture, match="eyes are closed"):
        fit(collins(), [replace(face, points=points)])
