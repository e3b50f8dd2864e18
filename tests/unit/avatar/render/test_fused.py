"""The compiled kernels on whole faces, where layers hide each other."""

from __future__ import annotations

import dataclasses
from functools import cache

import cv2
import numpy as np
import pytest

from avatar.controls import CONTROLS, Control, within_limits
from avatar.flesh.bake import bake
from avatar.illustrated.draw import draw
from avatar.illustrated.look import Look
from avatar.puppet import Puppet
from avatar.render.fused import FusedPuppet
from avatar.render.prepare import prepare
from avatar.rig import Rig
from tests.unit.avatar.puppets import checker_head
from tests.unit.avatar.render.plain import plainly_drawn

SIZES = ((256, 256), (320, 184))


@cache
def _puppet(size: tuple[int, int]) -> Puppet:
    look = Look(hair="long", glasses="square", beard="full", background="bookshelf")
    return bake(draw(look, *size), "hairy")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_a_face_with_hair_beard_and_glasses_is_what_the_puppet_says(size: tuple[int, int], seed: int) -> None:
    told = within_limits(np.random.default_rng(seed).uniform(-1, 1, CONTROLS).astype(np.float32))
    rig = FusedPuppet(_puppet(size))
    picture = rig.blank()
    rig.draw(told, picture)
    assert cv2.PSNR(picture.i420, plainly_drawn(_puppet(size), told).i420) > 44


@pytest.mark.parametrize("turn", [-1.0, 1.0])
def test_what_is_hidden_is_left_out_and_nothing_else(turn: float) -> None:
    """The front layer that hides most, made a touch transparent: then nothing is hidden, and it looks the same."""
    puppet = _puppet(SIZES[0])
    told = np.zeros(CONTROLS, np.float32)
    told[[Control.HEAD_YAW, Control.HEAD_PITCH, Control.HEAD_ROLL]] = turn
    layers = []
    for layer in puppet.layers:
        image = layer.image.copy()
        image[..., 3] = np.minimum(image[..., 3], 254)
        layers.append(dataclasses.replace(layer, image=image))
    frames = []
    for each in (puppet, dataclasses.replace(puppet, layers=tuple(layers))):
        rig: Rig = FusedPuppet(each)
        picture = rig.blank()
        rig.draw(told, picture)
        frames.append(picture.i420.astype(int))
    assert np.abs(frames[0] - frames[1]).max() <= 4


def test_fields_that_are_no_numbers_send_it_nowhere() -> None:
    puppet, wild = checker_head(128, 128), []
    for layer, value in zip(puppet.layers, (np.nan, np.inf, -np.inf, 1e30) * len(puppet.layers), strict=False):
        fields, rigid = layer.fields.copy(), layer.rigid.copy()
        if not layer.early:
            fields[..., ::2, :, 0] = value
        rigid[..., ::3, :, 1] = value
        wild.append(dataclasses.replace(layer, fields=fields, rigid=rigid))
    with np.errstate(all="ignore"):
        rig = FusedPuppet(dataclasses.replace(puppet, layers=tuple(wild)))
    picture = rig.blank()
    for seed in range(8):
        rig.draw(np.random.default_rng(seed).uniform(-1, 1, CONTROLS).astype(np.float32), picture)


def test_a_used_picture_is_restored_where_nothing_shows_any_more() -> None:
    rig = FusedPuppet(checker_head(256, 256))
    used, fresh = rig.blank(), rig.blank()
    told = np.zeros(CONTROLS, np.float32)
    live = prepare(checker_head(256, 256)).live
    used.y[live.y : live.bottom, live.x : live.right] = 200
    rig.draw(told, used)
    rig.draw(told, fresh)
    assert np.array_equal(used.i420, fresh.i420)
