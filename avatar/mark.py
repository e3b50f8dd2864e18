"""The mark that every picture of the twin carries, so that nobody takes it for a person: "AI", in a fixed place.

It lies at the upper left of the largest square in the middle of the picture, just inside the circle in that
square: a round crop, a square one and a meeting's name at the bottom left all leave it whole. Its letters are a
twentieth of the shorter side high, which is what China's GB 45438-2025 asks of a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from avatar.picture import Picture, Plane

TEXTS: Final = {
    "en": "AI",
    "de": "KI",
    "fr": "IA",
    "es": "IA",
    "it": "IA",
    "pt": "IA",
    "ja": "AI",
    "zh": "AI生成",
}
"""What the mark says in the languages that the twin speaks; Chinese says "generated" with it, as GB 45438-2025
asks."""

_CAP: Final = 0.052
"""Height of a letter, as a part of the shorter side."""
_INSET: Final = 0.142
"""From the sides of the square to the mark, as a part of the square's side."""
_SHADE: Final = (28, 128, 128)
_LIGHT: Final = (232, 128, 128)
_OVERSAMPLE: Final = 8
_LONGEST: Final = 12

_Strokes = tuple[tuple[tuple[float, float], ...], ...]
_LETTERS: Final[dict[str, tuple[float, _Strokes]]] = {
    "A": (0.82, (((0.0, 1.0), (0.41, 0.0), (0.82, 1.0)), ((0.15, 0.66), (0.67, 0.66)))),
    "I": (0.0, (((0.0, 0.0), (0.0, 1.0)),)),
    "K": (0.68, (((0.0, 0.0), (0.0, 1.0)), ((0.64, 0.0), (0.0, 0.62)), ((0.24, 0.4), (0.68, 1.0)))),
    "M": (0.9, (((0.0, 1.0), (0.0, 0.0), (0.45, 0.7), (0.9, 0.0), (0.9, 1.0)),)),
    "S": (
        0.62,
        (
            (
                (0.6, 0.14), (0.48, 0.03), (0.3, 0.0), (0.12, 0.05), (0.03, 0.22), (0.1, 0.4), (0.31, 0.49),
                (0.52, 0.58), (0.61, 0.76), (0.52, 0.94), (0.3, 1.0), (0.12, 0.96), (0.0, 0.84),
            ),
        ),
    ),
    "И": (0.76, (((0.0, 0.0), (0.0, 1.0), (0.76, 0.0), (0.76, 1.0)),)),
    "生": (
        1.06,
        (
            ((0.28, -0.04), (0.2, 0.2), (0.06, 0.4)),
            ((0.2, 0.24), (0.94, 0.24)),
            ((0.2, 0.6), (0.88, 0.6)),
            ((0.54, -0.06), (0.54, 1.02)),
            ((0.04, 1.02), (1.04, 1.02)),
        ),
    ),
    "成": (
        1.06,
        (
            ((0.14, 0.2), (0.98, 0.2)),
            ((0.14, 0.2), (0.13, 0.6), (0.02, 1.04)),
            ((0.14, 0.48), (0.46, 0.48), (0.44, 0.8), (0.32, 0.82)),
            ((0.6, -0.06), (0.64, 0.4), (0.76, 0.8), (0.92, 1.02), (1.02, 1.0), (1.04, 0.78)),
            ((0.94, 0.44), (0.76, 0.78), (0.46, 1.04)),
            ((0.76, -0.04), (0.88, 0.08)),
        ),
    ),
}  # fmt: skip
"""Width, and the strokes, of a letter as high as 1; y goes down."""
_GAP: Final = 0.3
"""Between two letters, as a part of their height."""
_WEIGHT: Final = 0.14
"""Of a stroke, likewise."""


_HAND: Final = 0.13
"""Height and width of the raised hand with its ground, as a part of the shorter side, to be seen in a small
tile."""
_HAND_GAP: Final = 0.012
"""Between the mark and the hand, likewise."""
_SKIN: Final = (210, 44, 148)
"""The yellow that meetings use for it."""
_FINGERS: Final = (
    (0.09, (0.36, 0.55), (0.33, 0.25)),
    (0.09, (0.47, 0.55), (0.46, 0.17)),
    (0.09, (0.58, 0.55), (0.59, 0.2)),
    (0.085, (0.68, 0.58), (0.71, 0.3)),
    (0.1, (0.4, 0.74), (0.27, 0.58), (0.22, 0.5)),
)
"""Weight and points of each finger, in a square of 1; y goes down."""
_PALM: Final = (
    (0.315, 0.52), (0.72, 0.52), (0.715, 0.66), (0.67, 0.79), (0.6, 0.86), (0.47, 0.86), (0.39, 0.8), (0.33, 0.7),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Mark:
    """Ready to be copied. `where` says what of the rectangle it covers."""

    x: int
    y: int
    planes: tuple[Plane, Plane, Plane]
    where: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]


def stamp(picture: Picture, text: str = "AI", raised: bool = False) -> None:
    """Put the mark on a picture, and with `raised` a raised hand beside it: the twin asks to speak. Both cover
    what is below them wholly, so that putting them there again changes nothing.

    A text with a letter that this file cannot draw is written as "AI"; see `drawable`.
    """
    mark = _mark(picture.width, picture.height, text)
    _put(picture, mark)
    if raised:
        _put(picture, _hand(picture.width, picture.height, mark.x + mark.planes[0].shape[1], mark.y))


def _put(picture: Picture, mark: _Mark) -> None:
    rows, columns = mark.planes[0].shape
    y, u, v = mark.planes
    luma, chroma = mark.where
    np.copyto(picture.y[mark.y : mark.y + rows, mark.x : mark.x + columns], y, where=luma)
    half_y, half_x = mark.y // 2, mark.x // 2
    half = (slice(half_y, half_y + rows // 2), slice(half_x, half_x + columns // 2))
    np.copyto(picture.u[half], u, where=chroma)
    np.copyto(picture.v[half], v, where=chroma)


def drawable(text: str) -> bool:
    """Whether the mark can say this."""
    return 0 < len(text) <= _LONGEST and all(letter in _LETTERS for letter in text)


@lru_cache(maxsize=64)
def _mark(width: int, height: int, text: str) -> _Mark:
    side = min(width, height)
    said = text if drawable(text) else "AI"
    letters = _written(said, _CAP * side)
    rows, columns = letters.shape
    where = _pill(rows, columns)
    rim = max(1, round(side * 0.004))
    inner = cv2.erode(np.pad(where.astype(np.uint8), rim), np.ones((2 * rim + 1,) * 2, np.uint8))
    inside = inner[rim:-rim, rim:-rim].astype(bool)
    luma = _SHADE[0] + (_LIGHT[0] - _SHADE[0]) * letters
    luma[where & ~inside] = _LIGHT[0] * 0.7
    x = (width - side) // 2 + round(_INSET * side)
    y = (height - side) // 2 + round(_INSET * side)
    half = np.asarray(where.reshape(rows // 2, 2, columns // 2, 2).any(axis=(1, 3)), np.bool_)
    grey = np.full(half.shape, 128, np.uint8)
    return _Mark(x & ~1, y & ~1, (np.rint(luma).astype(np.uint8), grey, grey), (where, half))


@lru_cache(maxsize=64)
def _hand(width: int, height: int, left: int, top: int) -> _Mark:
    """A raised hand right of `left`, its upper edge at `top`."""
    side = min(width, height)
    size = 2 * round(_HAND * side / 2)
    canvas = np.zeros((size * _OVERSAMPLE,) * 2, np.uint8)
    for weight, *points in _FINGERS:
        stroke = np.rint(np.array(points) * size * _OVERSAMPLE).astype(np.int32)
        cv2.polylines(canvas, [stroke], False, 255, max(1, round(weight * size * _OVERSAMPLE)))
    palm = np.rint(np.array(_PALM) * size * _OVERSAMPLE).astype(np.int32)
    cv2.fillPoly(canvas, [palm], 255)
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    hand = np.asarray(small, np.float32) / np.float32(255)
    where = _pill(size, size)
    half = where.reshape(size // 2, 2, size // 2, 2).any(axis=(1, 3))
    share = hand.reshape(size // 2, 2, size // 2, 2).mean(axis=(1, 3))
    planes = [
        np.rint(dark + (light - dark) * part).astype(np.uint8)
        for dark, light, part in zip(_SHADE, _SKIN, (hand, share, share), strict=True)
    ]
    gap = round(_HAND_GAP * side)
    return _Mark(
        (left + gap + 1) & ~1, top, (planes[0], planes[1], planes[2]), (where, np.asarray(half, np.bool_))
    )


def _written(text: str, cap_px: float) -> npt.NDArray[np.float32]:
    """The text with the room around it, 0 to 1. Both sides are even."""
    lead = [_LETTERS[letter][0] for letter in text]
    long = cap_px * (sum(lead) + _GAP * (len(text) - 1))
    rows, columns = 2 * round(cap_px * 0.8), 2 * round((long + cap_px * 1.0) / 2)
    canvas = np.zeros((rows * _OVERSAMPLE, columns * _OVERSAMPLE), np.uint8)
    x, y = (columns - long) / 2, (rows - cap_px) / 2
    for letter, advance in zip(text, lead, strict=True):
        for stroke in _LETTERS[letter][1]:
            line = (np.array(stroke) * cap_px + (x, y)) * _OVERSAMPLE
            weight = max(1, round(_WEIGHT * cap_px * _OVERSAMPLE))
            cv2.polylines(canvas, [np.rint(line).astype(np.int32)], False, 255, weight)
        x += cap_px * (advance + _GAP)
    small = cv2.resize(canvas, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def _pill(rows: int, columns: int) -> npt.NDArray[np.bool_]:
    """A rectangle with round corners. Its edge is hard: a soft one would grow with every stamp."""
    radius = rows * 0.32
    y, x = np.mgrid[0:rows, 0:columns] + 0.5
    outside_x = np.maximum(np.maximum(radius - x, x - (columns - radius)), 0)
    outside_y = np.maximum(np.maximum(radius - y, y - (rows - radius)), 0)
    return np.asarray(outside_x**2 + outside_y**2 <= radius**2)
