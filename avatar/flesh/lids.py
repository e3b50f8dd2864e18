"""What each control does to the skin around one eye: lids, brow and the cheek's upper end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from avatar.controls import Control
from avatar.flesh.frames import EyeFrame
from avatar.flesh.grids import pixels
from avatar.flesh.moves import Parts
from avatar.flesh.paint import taken
from avatar.flesh.shapes import Values, fall, rise
from avatar.picture import Box
from avatar.puppet import Rgba

_UPPER_SHARE: Final = 0.86
"""Of closing an eye: the upper lid's part; the lower one comes the rest of the way and a little more."""


def eye_parts(frame: EyeFrame, points: Values, *, left: bool) -> Parts:
    """Fields at points (rows, columns, 2) of the picture."""
    u, y = frame.place(points)
    upper, lower = frame.lids(u)
    parts = Parts(seam=_seam(frame, u, y))
    down = frame.down
    height = np.maximum(lower - upper, 0)
    inside = fall(np.abs(u), 0.92, 1.25)

    # The brow stays out of it; but where it is near, skin that has to stretch further would be turned over.
    start = float(np.clip(1.1 * frame.opening, 0.60 * frame.brow, 0.84 * frame.brow))
    straight = np.clip(1 - (upper - y) / start, 0, 1)
    lid = 0.35 * fall(upper - y, 0.0, start) + 0.65 * straight
    under_lid = fall(y - lower, 0.0, 0.75 * frame.opening)

    def put(moves: dict[Control, Values], control: Control, amount: Values) -> None:
        moves[control] = np.asarray(amount[..., None] * down, np.float32)

    blink = Control.BLINK_LEFT if left else Control.BLINK_RIGHT
    put(parts.above, blink, (height * _UPPER_SHARE + (0.05 * frame.opening + 0.6) * inside) * lid)
    put(parts.below, blink, -(height * (1 - _UPPER_SHARE) + (0.05 * frame.opening + 0.4) * inside) * under_lid)
    wide = Control.EYE_WIDE_LEFT if left else Control.EYE_WIDE_RIGHT
    shape = height / frame.opening
    put(parts.above, wide, -0.2 * frame.opening * shape * fall(upper - y, 0.0, 0.8 * frame.brow))
    put(parts.below, wide, 0.06 * frame.opening * shape * under_lid)
    put(parts.above, Control.GAZE_Y, -0.08 * frame.opening * shape * fall(upper - y, 0.0, 0.6 * frame.brow))
    put(parts.below, Control.GAZE_Y, -0.05 * frame.opening * shape * under_lid)

    raise_ = Control.CHEEK_RAISE_LEFT if left else Control.CHEEK_RAISE_RIGHT
    cheek = fall(y - lower, 0.35 * frame.width, 1.15 * frame.width) * fall(np.abs(u - 0.15), 0.5, 1.7)
    bulge = 0.055 * frame.width * cheek * rise(y - lower, 0, 0.3 * frame.width)
    put(parts.below, raise_, -(0.22 * height * under_lid + bulge))
    _brow(parts, frame, u, y, left=left)
    return parts


def _brow(parts: Parts, frame: EyeFrame, u: Values, y: Values, *, left: bool) -> None:
    """The brow's middle line lies `frame.brow` above the upper lid."""
    over = y - np.float32(frame.upper[:, 1].min() - frame.brow)
    tall = fall(-over, 0.12 * frame.width, 1.15 * frame.width) * fall(over, 0.05 * frame.width, frame.brow)
    amount = 0.15 * frame.width
    inner = fall(u, -1.0, 0.35) * fall(-u, 1.0, 2.3)
    outer = rise(u, -0.6, 0.55) * fall(u, 1.0, 2.0)
    whole = fall(u, 0.5, 1.7) * fall(-u, 1.0, 2.1)
    out, down = frame.along, frame.down

    def field(x: Values, move: Values) -> Values:
        return np.asarray(x[..., None] * out + move[..., None] * down, np.float32)

    zero = np.zeros_like(u)
    parts.both[Control.BROW_INNER_UP] = field(zero, -amount * inner * tall)
    raised = Control.BROW_OUTER_UP_LEFT if left else Control.BROW_OUTER_UP_RIGHT
    parts.both[raised] = field(zero, -amount * outer * tall)
    lowered = Control.BROW_DOWN_LEFT if left else Control.BROW_DOWN_RIGHT
    parts.both[lowered] = field(
        -0.05 * frame.width * inner * tall, 0.8 * amount * whole * tall * (0.6 + 0.4 * inner)
    )


def eye_hole(frame: EyeFrame, points: Values) -> Values:
    """How much of the face is missing where the eye is and just below it: sharp at the upper lid, soft below."""
    u, y = frame.place(points)
    upper, lower = frame.lids(u)
    sharp = np.clip(y - upper + 0.5, 0, 1)
    reach = 0.75 * frame.opening * _taper(u)
    soft = fall(y - lower, 0.55 * reach, reach + 0.5)
    return np.asarray(sharp * soft * fall(np.abs(u), 0.985, 1.0), np.float32)


def lower_lids(frames: Sequence[EyeFrame], head: Rgba, box: Box) -> Rgba:
    """The skin of the lower lids in a box of the picture: sharp at the edge, and reaching further than the hole.

    The edge itself takes its colour from just below, or it would carry a rim of the eye along.
    """
    points = pixels(box)
    at, opacity = points.copy(), np.zeros(points.shape[:2], np.float32)
    for frame in frames:
        u, y = frame.place(points)
        _, lower = frame.lids(u)
        mine = np.abs(u) < 1.3
        lowered = np.clip(1.5 - (y - lower), 0, 4) * mine
        at += lowered[..., None] * frame.down
        opacity = np.maximum(opacity, np.clip(y - lower + 0.75, 0, 1) * fall(np.abs(u), 1.15, 1.3))
    skin = taken(head, at)
    skin[..., 3] = np.rint(skin[..., 3] * opacity)
    return skin


def _taper(u: Values) -> Values:
    return np.asarray(np.clip(1 - u * u, 0, 1) ** 0.5, np.float32)


def _seam(frame: EyeFrame, u: Values, y: Values) -> Values:
    _, lower = frame.lids(u)
    reach = 0.75 * frame.opening * _taper(u)
    below = rise(y - lower, 0.04 * frame.opening, np.maximum(0.5 * reach, 0.1 * frame.opening))
    return np.asarray(np.maximum(below, rise(np.abs(u), 0.97, 1.15) * rise(y - lower, -2.0, 2.0)), np.float32)
