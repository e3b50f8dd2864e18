"""A 3D head as a face: a GLB or VRM file in, pictures out, drawn on one CPU core."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar.controls import CONTROLS, Control, Controls, at_rest, within_limits
from avatar.head.arrays import Mesh, Scratch
from avatar.head.bind import CHANNELS, GAZE_DOWN, GAZE_LEFT, bind
from avatar.head.camera import Camera, framed
from avatar.head.kernels import Kernels, compiled
from avatar.head.mesh import Counts, meshed
from avatar.head.model import read
from avatar.head.turns import turned
from avatar.picture import Box, Picture
from avatar.puppet import Rgb

Colour = tuple[int, int, int]

YAW_DEGREES: Final = 12.0
PITCH_DEGREES: Final = 10.0
ROLL_DEGREES: Final = 8.0
GAZE_X_DEGREES: Final = 25.0
GAZE_Y_DEGREES: Final = 20.0
SHIFT: Final = 0.065
"""How far HEAD_X and HEAD_Y go, in heads: a tenth of the width of a face."""

WALL: Final[tuple[Colour, Colour]] = ((84, 94, 106), (44, 50, 60))
"""The default background, top and bottom."""


def load(
    data: bytes, *, width: int, height: int, background: Rgb | Colour | None = None, cache: Path | None = None
) -> HeadRig:
    """Read a head, compile what draws it and draw a first frame.

    `background` is a picture of (height, width, 3), one colour, or None for a quiet wall. `cache` is a folder for
    the compiled code, without which every process compiles anew, for some seconds. Raises `UnfitModel` for a model
    that cannot be used.
    """
    bound = bind(read_model := read(data))
    camera = framed(bound.positions, width, height)
    region = camera.region(bound.positions)
    kernels = compiled(cache)
    mesh, counts = meshed(bound, read_model.textures, camera, region, kernels)
    rig = HeadRig(mesh, counts, camera, region, _plate(background, width, height), kernels)
    rig.draw(at_rest(), rig.blank())
    return rig


class HeadRig:
    """See `Rig`. Threads may share it: each draws with its own scratch memory."""

    def __init__(
        self, mesh: Mesh, counts: Counts, camera: Camera, region: Box, plate: Rgb, kernels: Kernels
    ) -> None:
        self.region = region
        """Where in the picture anything moves."""
        self.triangles = counts.blended
        self._mesh = mesh
        self._counts = counts
        self._camera = camera
        self._kernels = kernels
        self._local = threading.local()
        self._behind = np.ascontiguousarray(plate[region.y : region.bottom, region.x : region.right])
        self._blank = Picture(camera.width, camera.height)
        kernels.to_i420(plate, self._blank.y, self._blank.u, self._blank.v)

    @property
    def name(self) -> str:
        return "head"

    @property
    def width(self) -> int:
        return self._camera.width

    @property
    def height(self) -> int:
        return self._camera.height

    def blank(self) -> Picture:
        return self._blank.copy()

    def draw(self, controls: Controls, picture: Picture) -> None:
        frame = self._frame()
        frame.set(controls)
        mesh, kernels, scratch, counts = self._mesh, self._kernels, frame.scratch, self._counts
        kernels.posed(mesh, frame.channels, frame.turn, frame.eye_turn, frame.shift, frame.jaw, scratch)
        scratch.depth.fill(0)
        kernels.covered(mesh, 0, counts.opaque, False, scratch)
        kernels.covered(mesh, counts.opaque, counts.masked, True, scratch)
        kernels.resolved(mesh, self._behind, scratch)
        kernels.blended(mesh, counts.masked, counts.blended, scratch)
        box = self.region
        x, y, right, bottom = box.x // 2, box.y // 2, box.right // 2, box.bottom // 2
        kernels.to_i420(
            scratch.rgb,
            picture.y[box.y : box.bottom, box.x : box.right],
            picture.u[y:bottom, x:right],
            picture.v[y:bottom, x:right],
        )

    def _frame(self) -> _Frame:
        found: _Frame | None = getattr(self._local, "frame", None)
        if found is None:
            found = self._local.frame = _Frame(self._mesh, self.region)
        return found


class _Frame:
    """What one thread needs for a frame, kept from one to the next."""

    def __init__(self, mesh: Mesh, region: Box) -> None:
        vertices, triangles = len(mesh.positions), len(mesh.triangles)
        self.scratch = Scratch(
            positions=np.empty((vertices, 3), np.float32),
            normals=np.empty((vertices, 3), np.float32),
            welded=np.empty((int(mesh.weld.max(initial=0)) + 1, 3), np.float32),
            lights=np.empty((vertices, 4), np.float32),
            screen=np.empty((vertices, 3), np.float32),
            setup=np.empty((triangles, 6), np.float64),
            depth=np.empty((2 * region.height, 2 * region.width), np.float32),
            ids=np.empty((2 * region.height, 2 * region.width), np.int32),
            rgb=np.empty((region.height, region.width, 3), np.uint8),
        )
        self.controls = at_rest()
        self.channels = np.zeros(CHANNELS, np.float32)
        self.turn = np.eye(3, dtype=np.float32)
        self.eye_turn = np.eye(3, dtype=np.float32)
        self.shift = np.zeros(3, np.float32)
        self.jaw = 0.0

    def set(self, controls: Controls) -> None:
        own = self.controls
        own[:] = controls
        np.nan_to_num(own, copy=False)
        within_limits(own)
        channels = self.channels
        np.maximum(own, 0.0, out=channels[:CONTROLS])
        channels[GAZE_LEFT] = max(0.0, -float(own[Control.GAZE_X]))
        channels[GAZE_DOWN] = max(0.0, -float(own[Control.GAZE_Y]))
        self.turn[:] = _turned(own, Control.HEAD_YAW, Control.HEAD_PITCH, Control.HEAD_ROLL)
        self.eye_turn[:] = turned(
            math.radians(GAZE_X_DEGREES) * float(own[Control.GAZE_X]),
            math.radians(GAZE_Y_DEGREES) * float(own[Control.GAZE_Y]),
            0.0,
        )
        self.shift[0] = SHIFT * own[Control.HEAD_X]
        self.shift[1] = SHIFT * own[Control.HEAD_Y]
        self.jaw = min(1.0, float(own[Control.JAW_OPEN]) / 0.7)


def _turned(controls: Controls, yaw: Control, pitch: Control, roll: Control) -> npt.NDArray[np.float64]:
    return turned(
        math.radians(YAW_DEGREES) * float(controls[yaw]),
        math.radians(PITCH_DEGREES) * float(controls[pitch]),
        math.radians(ROLL_DEGREES) * float(controls[roll]),
    )


def _plate(background: Rgb | Colour | None, width: int, height: int) -> Rgb:
    if isinstance(background, np.ndarray):
        if background.shape != (height, width, 3) or background.dtype != np.uint8:
            raise ValueError(f"a background is bytes of {(height, width, 3)}, got {background.shape}")
        return np.ascontiguousarray(background)
    if background is not None:
        return np.full((height, width, 3), background, np.uint8)
    top, bottom = (np.array(colour, np.float32) for colour in WALL)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    glow = 26 * np.exp(-((x + 0.15) ** 2 + (y + 0.15) ** 2) / 0.6)
    # Without a little grain the gradient would have steps.
    grain = np.random.default_rng(7).uniform(-0.7, 0.7, (height, width, 1)).astype(np.float32)
    plate: Rgb = np.clip(top + (bottom - top) * down + glow + grain + 0.5, 0, 255).astype(np.uint8)
    return plate
