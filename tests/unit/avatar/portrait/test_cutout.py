from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from avatar.portrait.cutout import Cutter, Matte, layers
from avatar.puppet import Rgb, Rgba
from tests.faces import faces_cache, landmarker
from tests.unit.avatar.portrait.people import collins


@cache
def cut() -> tuple[Matte, Rgba, Rgb]:
    matte = Cutter(faces_cache()).matte(collins(), landmarker().find(collins())[0].contours)
    return (matte, *layers(collins(), matte))


def test_the_face_is_the_person_and_the_wall_is_not() -> None:
    matte, _, _ = cut()
    oval = landmarker().find(collins())[0].contours.oval.astype(np.int32)
    inside = np.zeros(matte.shape, np.uint8)
    cv2.fillPoly(inside, [oval], 1)
    assert matte.dtype == np.float32
    assert matte[inside == 1].mean() > 0.98
    assert matte[:40, :80].max() < 0.02
    assert matte[150:200, :60].max() < 0.02
    assert matte[300:, 150:200].mean() > 0.97, "the shoulders are hers too"


def test_the_edge_is_fine() -> None:
    matte, _, _ = cut()
    between = (matte > 0.05) & (matte < 0.95)
    assert 0.005 < between.mean() < 0.08


def test_both_together_are_the_picture() -> None:
    matte, person, plate = cut()
    alpha = matte[..., None]
    again = person[..., :3] * alpha + plate * (1 - alpha)
    assert np.abs(again - collins()).mean() < 1.5
    assert np.percentile(np.abs(again - collins()).max(-1), 99) < 40


def test_nobody_is_left_in_the_background() -> None:
    _, _, plate = cut()
    assert landmarker().find(plate, everyone=True) == []
    assert np.abs(plate[:40, :80].astype(np.int16) - collins()[:40, :80]).max() == 0, "what shows stays as it is"


def test_the_persons_colour_goes_on_under_the_edge() -> None:
    matte, person, _ = cut()
    hair = (matte > 0.2) & (matte < 0.6)
    hair[140:] = False
    solid = matte > 0.97
    solid[140:] = False
    wall = collins()[:40, :80].mean((0, 1))
    edge, inner = person[hair][:, :3].mean(0), person[solid][:, :3].mean(0)
    assert np.linalg.norm(edge - inner) < np.linalg.norm(edge - wall)


def test_a_person_who_fills_the_picture_has_a_plain_background() -> None:
    matte = np.ones((400, 400), np.float32)
    person, plate = layers(collins(), matte)
    assert np.array_equal(person[..., :3], collins())
    assert np.abs(np.diff(plate.astype(np.int16), axis=0)).max() <= 1
    assert plate.min() > 150


def test_somebody_else_in_the_background_is_not_cut_out() -> None:
    wall = np.broadcast_to(collins()[60:61, 40:41], (400, 120, 3))
    group = np.hstack((wall, collins(), wall, collins()[:, 180:320]))
    alone = next(face for face in landmarker().find(group) if face.contours.nose_tip[0] < 400)
    matte = Cutter(faces_cache()).matte(group, alone.contours)
    assert matte[80:160, 280:360].mean() > 0.95
    assert matte[80:160, 660:].mean() < 0.1
