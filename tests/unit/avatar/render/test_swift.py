"""A face that is drawn at once, and by compiled kernels as soon as there are some."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest

from avatar.controls import CONTROLS
from avatar.picture import Picture
from avatar.puppet import Puppet
from avatar.render import fused
from avatar.render.cpu import CpuPuppet
from avatar.render.fused import FusedPuppet
from avatar.render.swift import SwiftPuppet
from avatar.rig import Rig
from tests.unit.avatar.puppets import checker_head

LONG_S = 60.0


@pytest.fixture
def face() -> Puppet:
    return checker_head(128, 128)


def _frame(rig: Rig, seed: int = 3) -> Picture:
    picture = rig.blank()
    rig.draw(np.random.default_rng(seed).uniform(-1, 1, CONTROLS).astype(np.float32), picture)
    return picture


def test_opencv_draws_while_the_kernels_are_compiled(monkeypatch: pytest.MonkeyPatch, face: Puppet) -> None:
    compiled = threading.Event()

    def slowly(puppet: Puppet) -> FusedPuppet:
        assert compiled.wait(LONG_S)
        return FusedPuppet(puppet)

    monkeypatch.setattr(fused, "FusedPuppet", slowly)
    rig = SwiftPuppet(face)
    assert np.array_equal(_frame(rig).i420, _frame(CpuPuppet(face)).i420)
    assert not rig.wait(0.0)
    assert rig.lacking == "its kernels are made ready"
    compiled.set()
    assert rig.wait(LONG_S)


def test_the_kernels_draw_once_they_are_there(face: Puppet) -> None:
    rig = SwiftPuppet(face)
    assert rig.wait(LONG_S)
    assert rig.lacking == ""
    assert np.array_equal(_frame(rig).i420, _frame(FusedPuppet(face)).i420)


def test_the_change_does_not_show(face: Puppet) -> None:
    assert cv2.PSNR(_frame(CpuPuppet(face)).i420, _frame(FusedPuppet(face)).i420) > 45


def test_where_numba_fails_opencv_goes_on(monkeypatch: pytest.MonkeyPatch, face: Puppet) -> None:
    def fails(puppet: Puppet) -> FusedPuppet:
        raise RuntimeError("LLVM")

    monkeypatch.setattr(fused, "FusedPuppet", fails)
    rig = SwiftPuppet(face)
    assert not rig.wait(LONG_S)
    assert rig.lacking == "numba fails (RuntimeError)"
    assert np.array_equal(_frame(rig).i420, _frame(CpuPuppet(face)).i420)


def test_it_says_what_it_is(face: Puppet) -> None:
    rig = SwiftPuppet(face)
    assert (rig.name, rig.width, rig.height) == ("checker", 128, 128)
    rig.wait(LONG_S)
    assert (rig.name, rig.width, rig.height) == ("checker", 128, 128)
