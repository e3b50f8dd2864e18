"""A plain head drawn for tests: skin, lips, eyes, brows, hair, neck and shoulders, its contours known exactly."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from avatar.flesh.contours import Artwork, Contours, Eye
from avatar.puppet import Rgba

Floats = npt.NDArray[np.float32]
_ABOVE = 2
_SKIN = (226, 178, 150)
_NODES = (
    *((0.0, 0.13, 0.62), (0.0, -0.05, 0.50), (0.0, 0.335, 0.52), (0.0, 0.64, 0.42), (0.0, -0.35, 0.45)),
    *((-0.23, -0.02, 0.40), (0.23, -0.02, 0.40), (-0.28, 0.2, 0.38), (0.28, 0.2, 0.38)),
)
"""Points of the surface: x, y and depth in widths of the face."""


class _Place:
    """From widths of the face, measured from its middle, to pixels."""

    def __init__(self, width: int, height: int, roll_degrees: float) -> None:
        self.face = 0.56 * min(width, height)
        self.middle = np.array([width / 2, height * 0.47], np.float32)
        a = np.radians(roll_degrees)
        self.turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]], np.float32)

    def at(self, points: npt.ArrayLike) -> Floats:
        return np.asarray(np.asarray(points, np.float32) * self.face @ self.turn + self.middle, np.float32)


def contours(width: int = 512, height: int = 512, *, roll_degrees: float = 0.0) -> Contours:
    """A face 0.56 of the smaller side wide, in the middle of the picture."""
    place = _Place(width, height, roll_degrees)
    x = np.linspace(-1, 1, 11)
    line = 0.327 + 0.008 * np.cos(2 * np.pi * x)
    arch = np.clip(1 - x**2, 0, 1)
    angle = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    wide = 0.5 * np.sin(angle) * (1 - 0.20 * np.clip(-np.cos(angle), 0, 1) ** 1.5)
    oval = np.stack([wide, -0.66 * np.cos(angle)], axis=1)
    edge = np.column_stack([place.at(oval), np.full(36, 0.14 * place.face)])
    nodes = np.array(_NODES, np.float32)
    inner = np.column_stack([place.at(nodes[:, :2]), nodes[:, 2] * place.face])

    def lip(y: npt.NDArray[np.float64]) -> Floats:
        return place.at(np.stack([x * 0.19, y], axis=1))

    return Contours(
        left=_eye(place, 1),
        right=_eye(place, -1),
        lips_outer_upper=lip(line - 0.058 * arch**0.8 + 0.014 * np.exp(-((x / 0.16) ** 2))),
        lips_inner_upper=lip(line),
        lips_inner_lower=lip(line),
        lips_outer_lower=lip(line + 0.076 * arch**0.7),
        oval=place.at(oval),
        nose_tip=_pair(place.at([0, 0.14])),
        chin=_pair(place.at([0, 0.66])),
        surface=np.concatenate([edge, inner]).astype(np.float32),
    )


def _eye(place: _Place, side: int) -> Eye:
    t = np.linspace(-1, 1, 9)
    arch = np.clip(1 - t**2, 0, 1)
    x = side * (0.215 + 0.105 * t)
    s = np.linspace(-1, 1, 5)
    return Eye(
        upper=place.at(np.stack([x, -0.02 - 0.050 * arch**0.75 - 0.006 * t], axis=1)),
        lower=place.at(np.stack([x, -0.02 + 0.026 * arch**0.8 - 0.006 * t], axis=1)),
        iris=_pair(place.at([side * 0.215, -0.036])),
        iris_radius=0.047 * place.face,
        brow=place.at(np.stack([side * (0.22 + 0.14 * s), -0.165 - 0.02 * np.cos(s * 1.4)], axis=1)),
    )


def _pair(point: Floats) -> tuple[float, float]:
    return float(point[0]), float(point[1])


@cache
def head(width: int = 256, height: int = 256, *, roll_degrees: float = 0.0) -> Artwork:
    """With a body of its own and nothing in front."""
    told = contours(width, height, roll_degrees=roll_degrees)
    place = _Place(width, height, roll_degrees)
    brush = _Brush(width, height)
    _features(brush, told, place)
    neck = place.at([[-0.24, 0.3], [0.24, 0.3], [0.27, 0.95], [0.40, 1.2], [-0.40, 1.2], [-0.27, 0.95]])
    chest = place.at([[-0.30, 0.98], [0.30, 0.98], [0.85, 1.22], [1.0, 2.2], [-1.0, 2.2], [-0.85, 1.22]])
    rows = np.linspace(225, 150, height, dtype=np.float32)[:, None, None]
    stripes = (np.arange(width) // 16 % 2 * 12).astype(np.float32)[None, :, None]
    plate = np.broadcast_to(rows + stripes, (height, width, 3))
    return Artwork(
        plate=plate.astype(np.uint8),
        head=brush.picture(np.maximum(brush.mask(told.oval), brush.mask(neck))),
        contours=told,
        body=_Brush(width, height, (52, 64, 92)).picture(brush.mask(chest)),
    )


def _features(brush: _Brush, told: Contours, place: _Place) -> None:
    brush.fill(np.concatenate([told.lips_outer_upper, told.lips_inner_upper[::-1]]), (186, 92, 92))
    brush.fill(np.concatenate([told.lips_inner_lower, told.lips_outer_lower[::-1]]), (204, 112, 108))
    for side in (-1, 1):
        brush.fill(_ring(place.at([side * 0.035, 0.17]), 0.017 * place.face), (120, 70, 60), soft_px=1)
    for eye in (told.left, told.right):
        brush.fill(np.concatenate([eye.upper, eye.lower[::-1]]), (238, 232, 228))
        within = brush.mask(np.concatenate([eye.upper, eye.lower[::-1]]))
        for share, colour in ((1.0, (70, 92, 104)), (0.86, (98, 134, 146)), (0.42, (18, 16, 18))):
            brush.fill(_ring(np.asarray(eye.iris), share * eye.iris_radius), colour, within=within)
        thick = 0.008 * place.face
        brush.fill(np.concatenate([eye.upper - [0, thick], eye.upper[::-1]]), (52, 34, 30))
        brow = np.concatenate([eye.brow - np.array([0, 2 * thick]), eye.brow[::-1] + np.array([0, 2 * thick])])
        brush.fill(brow, (88, 60, 46), soft_px=1)
    hair = place.at([[-0.6, -0.8], [0.6, -0.8], [0.6, -0.42], [0.0, -0.5], [-0.6, -0.42]])
    brush.fill(hair, (74, 52, 42), soft_px=1)


class _Brush:
    def __init__(self, width: int, height: int, colour: tuple[int, int, int] = _SKIN) -> None:
        self.size = (width, height)
        self.canvas: Floats = np.full((height * _ABOVE, width * _ABOVE, 3), colour, np.float32)

    def mask(self, points: npt.ArrayLike) -> Floats:
        mask = np.zeros(self.canvas.shape[:2], np.uint8)
        at = np.rint((np.asarray(points) + 0.5) * _ABOVE * 16 - 8).astype(np.int32)
        cv2.fillPoly(mask, [at], 255, cv2.LINE_AA, 4)
        return mask.astype(np.float32) / np.float32(255)

    def fill(
        self,
        points: npt.ArrayLike,
        colour: tuple[int, int, int],
        *,
        soft_px: float = 0.0,
        strength: float = 1.0,
        within: Floats | None = None,
    ) -> None:
        mask = self.mask(points) * strength
        if soft_px:
            mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft_px * _ABOVE), np.float32)
        if within is not None:
            mask = mask * within
        self.canvas += (np.asarray(colour, np.float32) - self.canvas) * mask[..., None]

    def picture(self, mask: Floats) -> Rgba:
        whole = np.dstack([self.canvas, mask * 255])
        return np.rint(cv2.resize(whole, self.size, interpolation=cv2.INTER_AREA)).astype(np.uint8)


def _ring(middle: npt.NDArray[np.float64] | Floats, radius: float) -> npt.NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.asarray(middle + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1), np.float64)
