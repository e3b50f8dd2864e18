"""The three faces that are measured and shown: one drawn, one of a photo, one in three dimensions."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from avatar.head.rig import HeadRig, load
from avatar.illustrated.look import Look
from avatar.illustrated.person import illustrated
from avatar.portrait.make import Studio
from avatar.render.fused import FusedPuppet
from avatar.rig import Rig
from tests.faces import faces_cache
from tests.unit.avatar.head.files import head

PHOTO = Path(__file__).parents[2] / "unit/avatar/portrait/photos/collins.jpg"
NAME = "Ada"
SQUARE = (512, 512)
WIDE = (1280, 720)
KERNELS = Path(tempfile.gettempdir()) / "ai-twin-bench-head"
"""Compiling what draws a 3D head takes some seconds, once."""


@cache
def drawn(width: int = 512, height: int = 512) -> Rig:
    return FusedPuppet(illustrated(Look.of(NAME), width, height))


@cache
def photographed(width: int = 512, height: int = 512) -> Rig:
    return FusedPuppet(Studio(faces_cache()).portrait(PHOTO.read_bytes(), width, height))


@cache
def modelled(width: int = 512, height: int = 512) -> HeadRig:
    KERNELS.mkdir(exist_ok=True)
    return load(head(), width=width, height=height, cache=KERNELS)
