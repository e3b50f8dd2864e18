"""What is behind the lips: the dark of the mouth, teeth, tongue, and the lip's shadow on them.

All are drawn around the resting lip line, hidden; the jaw then takes away what hides them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from avatar.controls import Control
from avatar.flesh.frames import MouthFrame
from avatar.flesh.grids import pixels
from avatar.flesh.mouth import JAW_DROP
from avatar.flesh.moves import Moves
from avatar.flesh.paint import rgba, smaller, taken
from avatar.flesh.shapes import Numbers, Values, fall, rise
from avatar.picture import Box
from avatar.puppet import Rgb, Rgba

_ABOVE: Final = 3
"""Teeth are drawn this much larger and made smaller, for clean edges."""
_TEETH_AT: Final = (0.0, 0.088, 0.158, 0.226, 0.282, 0.328, 0.364, 0.392)
"""Where the upper teeth meet, in mouth widths from the middle: an arch seen from the front."""
_UPPER_EDGE: Final = (0.062, 0.056, 0.056, 0.050, 0.046, 0.042, 0.038)
"""v of the lower edge of each."""
_LOWER_AT: Final = (0.0, 0.056, 0.114, 0.176, 0.236, 0.288, 0.330)
_LOWER_EDGE: Final = 0.066
"""v of the upper edge of the lower teeth, the jaw shut."""
_TOOTH: Final = np.array([236, 228, 212], np.float32)
_GUM: Final = np.array([176, 92, 88], np.float32)
_TONGUE: Final = np.array([188, 92, 90], np.float32)
_DARK: Final = np.array([34, 10, 10], np.float32)


def cavity(frame: MouthFrame, box: Box, light: float) -> Rgba:
    """The dark behind everything: red where light still comes in, black in the throat."""
    u, v = frame.place(pixels(box))
    deep = np.exp(-((u / 0.75) ** 2) - ((v - 0.2) / 0.28) ** 2)
    colour = np.array([78, 26, 24], np.float32) * (1 - deep[..., None]) + _DARK * deep[..., None]
    alpha = _opening(u, v) * fall(-v, 0.2, 0.3)
    return rgba(colour * light, alpha)


def upper_teeth(frame: MouthFrame, box: Box, light: float, own: Rgb | None = None) -> Rgba:
    """Hung from the skull; `own` is a strip as wide as the mouth."""
    u, v = frame.place(pixels(box, _ABOVE), plain=True)
    x = u / 2
    tooth, t = _which(np.abs(x), _TEETH_AT)
    edge = np.asarray(_UPPER_EDGE, np.float32)[tooth] - 0.009 * np.abs(t) ** 4 - 0.03 * x * x
    gum = -0.125 - 0.02 * np.abs(t) ** 2 + 0.05 * np.abs(x)
    shade = 1.0 - 0.50 * np.clip(np.abs(x) / 0.40, 0, 1) ** 1.6
    shade = shade * (1 - 0.09 * np.exp(-(((1 - np.abs(t)) / 0.12) ** 2)))
    shade = shade * (0.90 + 0.10 * rise(v, -0.11, 0.0)) * (1 - 0.10 * rise(v, edge - 0.022, edge))
    white = _TOOTH * shade[..., None]
    colour = np.where((v < gum)[..., None], _GUM * shade[..., None], white)
    sharp = frame.width * _ABOVE
    alpha = np.clip((edge - v) * sharp + 0.5, 0, 1) * (np.abs(x) < _TEETH_AT[-1]) * fall(-v, 0.2, 0.24)
    alpha = alpha * fall(np.abs(x), 0.25, 0.385)
    if own is not None:
        colour = _strip(own, x, v, colour)
    return smaller(rgba(colour * light, alpha), _ABOVE)


def lower_teeth(frame: MouthFrame, box: Box, light: float) -> Rgba:
    """They go with the jaw, and lie in the shade."""
    u, v = frame.place(pixels(box, _ABOVE), plain=True)
    x = u / 2
    _, t = _which(np.abs(x), _LOWER_AT)
    edge = _LOWER_EDGE + 0.010 * np.abs(t) ** 3.5 + 0.16 * x * x
    shade = 0.80 - 0.40 * np.clip(np.abs(x) / 0.34, 0, 1) ** 1.6
    shade = shade * (1 - 0.10 * np.exp(-(((1 - np.abs(t)) / 0.12) ** 2))) * fall(v, edge, edge + 0.30)
    alpha = (
        np.clip((v - edge) * frame.width * _ABOVE + 0.5, 0, 1) * (np.abs(x) < _LOWER_AT[-1]) * fall(v, 0.2, 0.26)
    )
    return smaller(rgba(_TOOTH * shade[..., None] * light, alpha), _ABOVE)


def tongue(frame: MouthFrame, box: Box, light: float) -> Rgba:
    """A soft hill behind the lower teeth."""
    u, v = frame.place(pixels(box), plain=True)
    x = u / 2
    top = 0.015 + 0.9 * np.abs(x) ** 2.2
    inside = np.clip((v - top) * frame.width / 1.5 + 0.5, 0, 1) * fall(np.abs(x), 0.30, 0.36) * fall(v, 0.3, 0.4)
    shade = 0.55 + 0.35 * rise(v - top, 0.0, 0.10) - 0.10 * np.exp(-((x / 0.018) ** 2)) * rise(v - top, 0.02, 0.1)
    shade = shade * (1 - 0.5 * np.clip(np.abs(x) / 0.34, 0, 1) ** 2)
    return rgba(_TONGUE * shade[..., None] * light, inside)


def shadow(frame: MouthFrame, box: Box) -> Rgba:
    """What the upper lip casts on the teeth; it goes with that lip."""
    u, v = frame.place(pixels(box))
    alpha = (0.90 * fall(v, -0.02, 0.075)) * fall(-v, 0.15, 0.2)
    corners = 0.75 * rise(np.abs(u), 0.55, 1.0) * fall(v, 0.25, 0.5) * fall(-v, 0.1, 0.2)
    alpha = np.maximum(alpha, corners) * _opening(u, v)
    return rgba(np.array([30, 8, 8], np.float32), alpha)


def _opening(u: Values, v: Values) -> Values:
    """1 wherever the lips may part, and soon 0 beyond: on a narrow chin there is not much to hide behind."""
    wide = 1.15 - 0.55 * rise(v, 0.1, JAW_DROP + 0.05)
    return np.asarray(fall(np.abs(u), wide, wide + 0.12) * fall(v, JAW_DROP + 0.06, JAW_DROP + 0.16), np.float32)


def jaw_moves(frame: MouthFrame, shape: tuple[int, ...], share: float) -> Moves:
    """What hangs on the jaw goes down with it as a whole."""
    down = np.full(shape, JAW_DROP * share, np.float32)
    zero = np.zeros(shape, np.float32)
    return {
        Control.JAW_OPEN: frame.vector(zero, down),
        Control.LIPS_FUNNEL: frame.vector(zero, np.full(shape, 0.05, np.float32)),
        Control.LIPS_PUCKER: frame.vector(zero, np.full(shape, 0.03, np.float32)),
    }


def teeth_moves(frame: MouthFrame, shape: tuple[int, ...]) -> Moves:
    """Lips that come forward cover them."""
    zero, up = np.zeros(shape, np.float32), np.full(shape, -1, np.float32)
    return {
        Control.LIPS_PUCKER: frame.vector(zero, 0.070 * up),
        Control.LIPS_FUNNEL: frame.vector(zero, 0.045 * up),
    }


def tongue_moves(frame: MouthFrame, shape: tuple[int, ...]) -> Moves:
    """It lags behind the jaw, and its tip comes up."""
    moves = jaw_moves(frame, shape, 0.68)
    zero, one = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    moves[Control.TONGUE_UP] = frame.vector(zero, -0.12 * one)
    moves[Control.TONGUE_OUT] = frame.vector(zero, -0.10 * one)
    return moves


def _which(x: Numbers, meet: tuple[float, ...]) -> tuple[npt.NDArray[np.intp], Values]:
    """Which tooth, and where within it from -1 to 1."""
    at = np.asarray(meet, np.float32)
    i = np.clip(np.searchsorted(at, x, side="right") - 1, 0, len(meet) - 2)
    t = np.clip(2 * (x - at[i]) / (at[i + 1] - at[i]) - 1, -1, 1)
    return i, np.asarray(t, np.float32)


def _strip(own: Rgb, x: Numbers, v: Numbers, otherwise: Numbers) -> Values:
    """The person's own teeth, their lower edge at ours."""
    height, width = own.shape[:2]
    at = np.stack([(x + 0.5) * width - 0.5, height - 1 + (v - _UPPER_EDGE[0]) * width], axis=-1).astype(np.float32)
    return np.where((np.abs(x) > 0.5)[..., None], otherwise, taken(own, at)).astype(np.float32)
