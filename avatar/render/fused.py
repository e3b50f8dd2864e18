"""A puppet drawn on the CPU by compiled kernels: tile by tile, and in each only the layers that show there."""

from __future__ import annotations

import threading

import numpy as np

from avatar.controls import CONTROLS, Controls
from avatar.picture import Picture
from avatar.puppet import Puppet
from avatar.render import kernels
from avatar.render.kernels import TILE_PX
from avatar.render.packed import Packed, pack
from avatar.render.prepare import STEADY, prepare, told


class FusedPuppet:
    """A `Rig` for a puppet. Threads may share it; each has a scratch of its own.

    It draws a first frame at birth, for which the kernels are compiled, for some seconds, or loaded if they were
    compiled before.
    """

    def __init__(self, puppet: Puppet) -> None:
        prepared = prepare(puppet)
        self.name = prepared.name
        self._plate = prepared.plate
        self._packed = pack(prepared)
        self._kernels = kernels
        self._own = threading.local()
        self.draw(np.zeros(CONTROLS, np.float32), self.blank())

    @property
    def width(self) -> int:
        return self._plate.width

    @property
    def height(self) -> int:
        return self._plate.height

    def blank(self) -> Picture:
        return self._plate.copy()

    def draw(self, controls: Controls, picture: Picture) -> None:
        """See `Rig`. A value that is no number counts as 0."""
        scratch: _Scratch | None = getattr(self._own, "scratch", None)
        if scratch is None:
            scratch = self._own.scratch = _Scratch(self.width, self.height, self._packed)
        values = told(controls, scratch.told)
        packed, plate = self._packed, self._plate
        self._kernels.placed(
            values, values[STEADY], packed.about, packed.bounds, packed.patches, packed.floats, packed.classes,
            scratch.places, scratch.moved, scratch.marks, scratch.tiles,
        )  # fmt: skip
        self._kernels.painted(
            values, packed.about, packed.images, scratch.places, scratch.tiles, packed.live, scratch.lines,
            scratch.seen, scratch.tile, (plate.y, plate.u, plate.v), (picture.y, picture.u, picture.v),
        )  # fmt: skip


class _Scratch:
    """What one thread draws in."""

    def __init__(self, width: int, height: int, packed: Packed) -> None:
        self.told = np.empty(1 + CONTROLS, np.float32)
        self.places = np.empty(packed.points * 2, np.float32)
        self.moved = np.empty(packed.region_points * 2, np.float32)
        self.marks = np.empty(packed.grid_points, np.uint8)
        self.tiles = np.empty((len(packed.about), -(-height // TILE_PX), -(-width // TILE_PX)), np.uint8)
        self.lines = np.empty((2, 6, TILE_PX), np.float32)
        self.seen = np.empty((2, TILE_PX), np.uint32)
        self.tile = np.empty(TILE_PX * TILE_PX, np.uint32)
