from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from avatar.flesh.contours import Artwork, Contours
from avatar.illustrated.draw import draw
from avatar.illustrated.flat import flat
from avatar.illustrated.look import Look
from avatar.portrait.make import Studio
from avatar.portrait.spectacles import taken_off
from avatar.puppet import Rgb
from tests.faces import faces_cache, landmarker
from tests.unit.avatar.portrait.people import collins, encoded, turned

SIDE = 384


@cache
def picture(glasses: str) -> Rgb:
    return flat(draw(Look(glasses=glasses), SIDE, SIDE))


def contours(rgb: Rgb) -> Contours:
    return landmarker().find(rgb)[0].contours


@cache
def art() -> Artwork:
    return Studio(faces_cache()).artwork(encoded(picture("round")), SIDE, SIDE)


def test_nobody_without_glasses_has_any_taken_off() -> None:
    for rgb in (collins(), picture("none")):
        assert taken_off(rgb, contours(rgb)) is None


@pytest.mark.parametrize("degrees", [0.0, 12.0])
@pytest.mark.parametrize("glasses", ["round", "square"])
def test_rims_are_taken_off_and_nothing_else(glasses: str, degrees: float) -> None:
    rgb = turned(picture(glasses), degrees)
    bare = turned(picture("none"), degrees).astype(np.int16)
    off = taken_off(rgb, contours(rgb))
    assert off is not None
    healed, front = off
    rims = np.abs(rgb - bare).max(-1) > 60
    left = np.abs(healed - bare).max(-1) > 60
    assert left.sum() < 0.25 * rims.sum()
    taken = front.image[..., 3] > 128
    assert (taken & rims).sum() > 0.7 * rims.sum()
    assert taken.mean() < 4.5 * rims.mean()


def test_both_together_are_the_picture() -> None:
    rgb = picture("round")
    off = taken_off(rgb, contours(rgb))
    assert off is not None
    healed, front = off
    alpha = front.image[..., 3:] / 255
    again = healed + (front.image[..., :3].astype(np.float32) - healed) * alpha
    assert np.abs(again - rgb).mean() < 0.3
    assert np.array_equal(healed[-80:], rgb[-80:])


def test_a_portrait_wears_them_before_the_face() -> None:
    assert len(art().front) == 1
    depths = art().contours.surface[:, 2]
    assert depths.min() < art().front[0].depth < depths.max()
