"""A checkered head for tests: everything a real puppet has, and nothing to look at."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from avatar.controls import RIGID, Control
from avatar.picture import Box
from avatar.puppet import Fields, Layer, Puppet, Rgba

Floats = npt.NDArray[np.float32]
Motion = Callable[[Floats, Floats], tuple[Floats, Floats]]
"""From the places x and y of a grid to the displacements there."""


def checker_head(width: int = 512, height: int = 512, skin: tuple[int, int, int] = (225, 180, 150)) -> Puppet:
    """A head over a striped background, with a body, two eyes that close and a mouth that opens. The face is about
    0.58 of the shorter side wide, and every control moves something."""
    return _Maker(width, height, skin).puppet()


_FIRST = (Control.LIPS_PUCKER,)
"""What moves the lips before anything else does."""


class _Maker:
    def __init__(self, width: int, height: int, skin: tuple[int, int, int]) -> None:
        self.width, self.height, self.skin = width, height, skin
        self.face = 0.58 * min(width, height)
        self.centre = (width / 2, height * 0.47)
        self.lips = self.centre[1] + 0.32 * self.face
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        self.x, self.y = x, y

    def puppet(self) -> Puppet:
        plate = np.stack([70 + 60 * np.sin(self.x / 25), 90 + 0 * self.x, 120 + 60 * np.cos(self.y / 31)], axis=-1)
        lips, f = self.lips, self.face
        jaw = [Control.LIPS_PUCKER, Control.JAW_OPEN, Control.LIP_TUCK, Control.LOWER_LIP_DOWN]
        layers = [
            self._layer(
                "body",
                0,
                height_from := self.height * 0.7,
                self.width,
                self.height - height_from,
                self._body(),
                16,
                [],
            ),
            self._face_layer("cavity", self._ellipse(0, 0.34, 0.2, 0.13, (60, 10, 14)), 8, jaw, 0.25, 0.21),
            self._face_layer("teeth", self._ellipse(0, 0.3, 0.15, 0.05, (235, 230, 220)), 8, [], 0.25, 0.21),
            *[
                self._eye(name, side, art)
                for name, side in (("left", 0.21), ("right", -0.21))
                for art in ("white", "iris")
            ],
            self._jaw(jaw),
            self._head(),
            self._face_layer(
                "blush",
                self._ellipse(0, 0.1, 0.3, 0.1, (230, 90, 90), 90),
                16,
                [],
                0.4,
                0.0,
                opacity=Control.SMILE_LEFT,
            ),
        ]
        mouth = _box(self.centre[0] - 0.3 * f, lips - 0.15 * f, 0.6 * f, 0.4 * f, self.width, self.height)
        return Puppet("checker", np.rint(plate).astype(np.uint8), tuple(layers), mouth)

    def _body(self) -> Rgba:
        return self._ellipse(0, 1.25, 0.85, 0.5, (40, 60, 110))

    def _ellipse(
        self, x: float, y: float, wide: float, tall: float, colour: tuple[int, int, int], alpha: int = 255
    ) -> Rgba:
        """In widths of the face from its centre."""
        f = self.face
        r = np.hypot(
            (self.x - self.centre[0] - x * f) / (wide * f), (self.y - self.centre[1] - y * f) / (tall * f)
        )
        image = np.zeros((self.height, self.width, 4), np.uint8)
        image[..., :3] = colour
        image[..., 3] = np.rint(np.clip((1 - r) * wide * f + 0.5, 0, 1) * alpha)
        return image

    def _skin(self) -> Rgba:
        image = self._ellipse(0, 0, 0.5, 0.66, self.skin)
        check = ((self.x // 16 + self.y // 16) % 2 == 0)[..., None]
        image[..., :3] = np.where(check, image[..., :3], (205, 150, 120))
        return image

    def _head(self) -> Layer:
        image = self._skin()
        cut = self._ellipse(0, 0.42, 0.2, 0.1, (0, 0, 0))[..., 3]
        cut[self.y < self.lips] = 0
        for side in (-0.21, 0.21):
            cut = np.maximum(cut, self._ellipse(side, -0.1, 0.09, 0.045, (0, 0, 0))[..., 3])
        image[..., 3] = np.minimum(image[..., 3], 255 - cut)
        return self._face_layer("face", image, 16, [*_FIRST, *Control], 0.85, 0.0, tall=0.95)

    def _jaw(self, controls: list[Control]) -> Layer:
        image = self._skin()
        keep = self._ellipse(0, 0.42, 0.24, 0.13, (0, 0, 0))[..., 3]
        keep[self.y < self.lips - 0.5] = 0
        image[..., 3] = np.minimum(image[..., 3], keep)
        return self._face_layer("jaw", image, 8, controls, 0.35, 0.45)

    def _eye(self, name: str, side: float, art: str) -> Layer:
        radius, colour = (0.11, (245, 245, 240)) if art == "white" else (0.045, (60, 90, 40))
        image = self._ellipse(side, -0.1, radius, radius * (0.6 if art == "white" else 1), colour)
        gaze = [] if art == "white" else [Control.GAZE_X, Control.GAZE_Y]
        return self._face_layer(f"{name} {art}", image, 8, gaze, 0.16, -0.1, across=side)

    def _face_layer(
        self,
        name: str,
        image: Rgba,
        grid_px: int,
        controls: list[Control],
        wide: float,
        y: float,
        *,
        across: float = 0.0,
        tall: float | None = None,
        opacity: Control | None = None,
    ) -> Layer:
        f = self.face
        tall = wide if tall is None else tall
        box = _box(
            self.centre[0] + (across - wide) * f, self.centre[1] + (y - tall) * f, 2 * wide * f, 2 * tall * f,
            self.width, self.height,
        )  # fmt: skip
        flesh: list[Control] = [control for control in controls if control not in RIGID]
        return self._made(name, box, image, grid_px, flesh, opacity)

    def _layer(
        self,
        name: str,
        x: float,
        y: float,
        width: float,
        height: float,
        image: Rgba,
        grid_px: int,
        controls: list[Control],
    ) -> Layer:
        return self._made(name, _box(x, y, width, height, self.width, self.height), image, grid_px, controls, None)

    def _made(
        self, name: str, box: Box, image: Rgba, grid_px: int, controls: list[Control], opacity: Control | None
    ) -> Layer:
        rows, columns = -(-box.height // grid_px) + 1, -(-box.width // grid_px) + 1
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) * grid_px
        x, y = x + box.x, y + box.y
        rigid = self._fields(x, y, [self._rigid(control, name) for control in RIGID])
        fields = self._fields(x, y, [self._flesh(control) for control in controls])
        seen = image[_rows(image)]
        top = float(np.flatnonzero(image[..., 3].any(axis=1))[0])
        early = len(_FIRST) if tuple(controls[: len(_FIRST)]) == _FIRST else 0
        return Layer(
            name,
            box,
            np.ascontiguousarray(seen),
            (0.0, top),
            grid_px,
            fields,
            tuple(controls),
            rigid,
            opacity,
            early,
        )

    def _fields(self, x: Floats, y: Floats, motions: list[Motion]) -> Fields:
        made = [np.stack(np.broadcast_arrays(*motion(x, y)), axis=-1) for motion in motions]
        shape = (len(made), *x.shape, 2)
        return np.array(made, np.float32).reshape(shape)

    def _rigid(self, control: Control, name: str) -> Motion:
        f, (cx, cy) = self.face, self.centre
        if name == "body":
            return lambda x, y: (0 * x, 0 * y - (4 if control is Control.BREATH else 0))
        round_x = lambda x: np.clip(1 - ((x - cx) / (0.6 * f)) ** 2, 0, 1)  # noqa: E731
        motions: dict[Control, Motion] = {
            Control.HEAD_YAW: lambda x, y: (0.08 * f * round_x(x), 0 * y),
            Control.HEAD_PITCH: lambda x, y: (0 * x, -0.06 * f * round_x(x)),
            Control.HEAD_ROLL: lambda x, y: (-0.14 * (y - cy), 0.14 * (x - cx)),
            Control.HEAD_X: lambda x, y: (0 * x + 0.1 * f, 0 * y),
            Control.HEAD_Y: lambda x, y: (0 * x, 0 * y - 0.1 * f),
            Control.BREATH: lambda x, y: (0 * x, 0 * y - 1.0),
        }
        return motions[control]

    def _flesh(self, control: Control) -> Motion:
        """A bump around a place of the control's own; the jaw goes down."""
        f, (cx, cy) = self.face, self.centre
        if control is Control.GAZE_X:
            return lambda x, y: (0 * x + 0.04 * f, 0 * y)
        if control is Control.GAZE_Y:
            return lambda x, y: (0 * x, 0 * y - 0.03 * f)
        if control is Control.JAW_OPEN:
            return lambda x, y: (0 * x, 0.2 * f * _bump((x - cx) / (0.4 * f), (y - cy - 0.55 * f) / (0.28 * f)))
        angle, amount = 2.4 * control, 0.03 * f
        at_x, at_y = cx + 0.25 * f * np.cos(angle), cy + 0.25 * f + 0.2 * f * np.sin(angle)
        return lambda x, y: (
            amount * np.cos(angle) * _bump((x - at_x) / (0.2 * f), (y - at_y) / (0.2 * f)),
            amount * np.sin(angle) * _bump((x - at_x) / (0.2 * f), (y - at_y) / (0.2 * f)),
        )


def _bump(x: Floats, y: Floats) -> Floats:
    return np.asarray(np.exp(-(x**2) - y**2), np.float32)


def _rows(image: Rgba) -> slice:
    rows = np.flatnonzero(image[..., 3].any(axis=1))
    return slice(int(rows[0]), int(rows[-1]) + 1)


def _box(x: float, y: float, wide: float, tall: float, width: int, height: int) -> Box:
    left, top = max(0, int(x)) & ~1, max(0, int(y)) & ~1
    right, bottom = min(width, int(x + wide) + 1) & ~1, min(height, int(y + tall) + 1) & ~1
    return Box(left, top, right - left, bottom - top)
