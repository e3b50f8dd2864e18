"""The teeth that a smile shows, for when the mouth opens again."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from avatar.flesh.contours import Contours
from avatar.portrait.arrays import floats, octets
from avatar.puppet import Rgb

_LEAST_TOOTH_PX: Final = 8


def upper_teeth(rgb: Rgb, contours: Contours) -> Rgb | None:
    """The upper teeth laid flat, their lower edge at the strip's, as far as they can be told from the lips."""
    upper, lower = contours.lips_inner_upper, contours.lips_inner_lower
    left, right = float(upper[0, 0]), float(upper[-1, 0])
    columns = np.linspace(left, right, max(8, round(right - left)), dtype=np.float32)
    top, bottom = (floats(np.interp(columns, edge[:, 0], edge[:, 1])) for edge in (upper, lower))
    height = max(4, round(float((bottom - top).max())))
    depth = np.arange(height, dtype=np.float32)[:, None]
    x = np.ascontiguousarray(np.broadcast_to(columns, (height, len(columns))))
    flat = octets(cv2.remap(rgb, x, top + depth, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
    tooth = _enamel(flat) & (depth < bottom - top)
    high = np.argmax(tooth, axis=0)
    low = height - 1 - np.argmax(tooth[::-1], axis=0)
    there = np.flatnonzero(tooth.sum(0) > 0.4 * height)
    if len(there) < 0.4 * len(columns):
        return None
    high, low = (np.interp(np.arange(len(columns)), there, edge[there]) for edge in (high, low))
    tall = round(float(np.median(low[there] - high[there])))
    if tall < _LEAST_TOOTH_PX:
        return None
    up = np.arange(tall - 1, -1, -1, dtype=np.float32)[:, None]
    y = np.maximum(low - 1 - up, np.minimum(high + 1, low - 1)).astype(np.float32)
    # Where no teeth show, at the corners, the nearest ones go on.
    at = np.interp(np.arange(len(columns)), there, there).astype(np.float32)
    strip = octets(cv2.remap(flat, np.ascontiguousarray(np.broadcast_to(at, y.shape)), y, cv2.INTER_LINEAR))
    return np.ascontiguousarray(strip)


def _enamel(strip: Rgb) -> npt.NDArray[np.bool_]:
    """Bright, and not red."""
    colour = strip.astype(np.float32)
    bright = colour.mean(-1)
    red = colour[..., 0] - colour[..., 1:].mean(-1)
    return np.asarray((bright > 0.6 * np.percentile(bright, 95)) & (red < 0.22 * bright), np.bool_)
