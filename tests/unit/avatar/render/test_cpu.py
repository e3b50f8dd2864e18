"""The CPU's pictures against the definition in `avatar/puppet.py`, drawn by OpenCV and by compiled kernels."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
import numpy as np
import pytest

from avatar.controls import CONTROLS, Control, Controls, at_rest, within_limits
from avatar.picture import Picture
from avatar.puppet import Puppet
from avatar.render.cpu import CpuPuppet
from avatar.render.fused import FusedPuppet
from avatar.rig import Rig
from avatar.sheet import controls
from tests.unit.avatar.puppets import checker_head
from tests.unit.avatar.render.plain import plainly_drawn

SIZES = [(256, 256), (640, 360), (200, 356)]


Kind = Callable[[Puppet], Rig]


@pytest.fixture(params=[CpuPuppet, FusedPuppet], ids=["opencv", "kernels"])
def kind(request: pytest.FixtureRequest) -> Kind:
    made: Kind = request.param
    return made


@cache
def _rig(kind: Kind, width: int, height: int) -> Rig:
    return kind(checker_head(width, height))


def _drawn(kind: Kind, told: Controls, size: tuple[int, int] = (256, 256)) -> Picture:
    rig = _rig(kind, *size)
    picture = rig.blank()
    rig.draw(told, picture)
    return picture


def _any(seed: int) -> Controls:
    return within_limits(np.random.default_rng(seed).uniform(-1, 1, CONTROLS).astype(np.float32))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", range(4))
def test_a_frame_is_what_the_puppet_says(kind: Kind, size: tuple[int, int], seed: int) -> None:
    told = _any(seed)
    assert cv2.PSNR(_drawn(kind, told, size).i420, plainly_drawn(checker_head(*size), told).i420) > 42


@pytest.mark.parametrize("control", Control)
def test_each_control_alone_is_what_the_puppet_says(kind: Kind, control: Control) -> None:
    told = at_rest()
    told[control] = 1.0
    picture = _drawn(kind, told)
    assert cv2.PSNR(picture.i420, plainly_drawn(checker_head(256, 256), told).i420) > 42
    moved = not np.array_equal(picture.i420, _drawn(kind, at_rest()).i420)
    assert moved or control in (Control.SMILE_RIGHT,)


def test_a_frame_does_not_depend_on_what_was_drawn_before(kind: Kind) -> None:
    rig, used = _rig(kind, 256, 256), _rig(kind, 256, 256).blank()
    for seed in range(5):
        rig.draw(_any(seed), used)
    assert np.array_equal(used.i420, _drawn(kind, _any(4)).i420)


def test_values_out_of_range_count_as_the_nearest_within(kind: Kind) -> None:
    wild = np.where(np.arange(CONTROLS) % 2, 40.0, -40.0).astype(np.float32)
    assert np.array_equal(_drawn(kind, wild).i420, _drawn(kind, within_limits(wild.copy())).i420)


def test_a_value_that_is_no_number_counts_as_rest(kind: Kind) -> None:
    told = at_rest()
    told[Control.JAW_OPEN] = told[Control.HEAD_YAW] = np.nan
    assert np.array_equal(_drawn(kind, told).i420, _drawn(kind, at_rest()).i420)


def test_the_controls_are_left_as_they_are(kind: Kind) -> None:
    told = np.full(CONTROLS, 3.0, np.float32)
    _drawn(kind, told)
    assert (told == 3.0).all()


def test_nothing_outside_the_layers_ever_changes(kind: Kind) -> None:
    rig = _rig(kind, 640, 360)
    live = np.zeros((360, 640), bool)
    for layer in checker_head(640, 360).layers:
        live[layer.box.y : layer.box.bottom, layer.box.x : layer.box.right] = True
    for seed in range(5):
        assert np.array_equal(_drawn(kind, _any(seed), (640, 360)).y[~live], rig.blank().y[~live])


def test_a_layer_with_opacity_fades_in(kind: Kind) -> None:
    rest, half, full = (_drawn(kind, controls(smile_left=value)) for value in (0.0, 0.5, 1.0))
    red = [int(picture.v[70:75, 62:66].mean()) for picture in (rest, half, full)]
    assert red[0] < red[1] < red[2]


def test_threads_share_a_face(kind: Kind) -> None:
    alone = [_drawn(kind, _any(seed)).i420 for seed in range(24)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: _drawn(kind, _any(seed)).i420, range(24)))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


def test_a_puppet_without_layers_is_its_plate(kind: Kind) -> None:
    import dataclasses

    rig = kind(dataclasses.replace(checker_head(256, 256), layers=()))
    picture = rig.blank()
    rig.draw(_any(0), picture)
    assert np.array_equal(picture.i420, rig.blank().i420)


def test_both_kinds_draw_the_same() -> None:
    for size, seed in ((size, seed) for size in SIZES for seed in range(4)):
        opencv, kernels = (_drawn(kind, _any(seed), size).i420 for kind in (CpuPuppet, FusedPuppet))
        assert cv2.PSNR(opencv, kernels) > 45


def test_it_says_what_it_is(kind: Kind) -> None:
    rig = _rig(kind, 640, 360)
    assert (rig.name, rig.width, rig.height) == ("checker", 640, 360)
