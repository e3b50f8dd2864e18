"""What each control does to the skin around the mouth. Amounts are in mouth widths."""

from __future__ import annotations

from typing import Final

import numpy as np

from avatar.controls import Control
from avatar.flesh.frames import MouthFrame
from avatar.flesh.moves import Parts
from avatar.flesh.shapes import Values, fall, rise

JAW_DROP: Final = 0.55
"""How far JAW_OPEN = 1 parts the lips in the middle."""
_CORNER_DROP: Final = 0.13
"""How far the corners go down with it."""


def mouth_parts(frame: MouthFrame, points: Values) -> Parts:
    """Fields at points (rows, columns, 2) of the picture."""
    u, v = frame.place(points)
    parts = Parts(seam=_seam(frame, u, v))
    _jaw(parts, frame, u, v)
    _corners(parts, frame, u, v)
    _lips(parts, frame, u, v)
    return parts


def hole(frame: MouthFrame, points: Values) -> Values:
    """How much of the face is missing below the lip line, so that the jaw's own layer shows: 1 at the lip line, 0
    from the seam on. The lip line itself is sharp, half a pixel to both sides."""
    u, v = frame.place(points)
    sharp = np.clip(v * frame.width + 0.5, 0, 1)
    side = _side(u, v)
    soft = fall(side, 0.93, 1.0) * fall(v, _depth(frame) * 0.9, _depth(frame))
    return np.asarray(sharp * soft, np.float32)


def _depth(frame: MouthFrame) -> float:
    """v of the lower end of the hole: deep enough that the face need not be turned over within it."""
    return max(1.5 * JAW_DROP, frame.chin + 0.12)


def _side(u: Values, v: Values) -> Values:
    """1 on the sides of the hole, which begins as wide as the mouth and then follows the jaw."""
    return np.asarray(np.abs(u) / (1.0 + 0.55 * rise(v, 0.0, 0.35)), np.float32)


def _seam(frame: MouthFrame, u: Values, v: Values) -> Values:
    side = _side(u, v)
    below = rise(v, 0.0, 0.06)
    across = np.maximum(rise(side, 0.6, 0.93) * below, rise(side, 0.95, 1.0))
    return np.asarray(np.maximum(across, rise(v, 0.06, _depth(frame) * 0.9)), np.float32)


def _gap(u: Values) -> Values:
    """The opening along the lips for a dropped jaw, 1 in the middle."""
    inside = np.clip(1 - (u / 0.97) ** 2, 0, 1)
    return np.asarray(inside**0.85, np.float32)


def _jaw(parts: Parts, frame: MouthFrame, u: Values, v: Values) -> None:
    drop = JAW_DROP
    beside = fall(np.abs(u), 1.0, 2.4)
    lip = _CORNER_DROP * beside + (drop - _CORNER_DROP) * _gap(u)
    bone = drop * (0.88 - 0.14 * rise(np.abs(u), 0.0, 1.0)) * fall(np.abs(u), 0.9, 2.7)
    deep = rise(v, 0.08, 0.75)
    neck = fall(v, frame.chin + 0.02, frame.chin + 0.75)
    cheek = fall(-v, 0.0, 0.95)
    lower = (lip * (1 - deep) + bone * deep) * neck * cheek
    upper = _CORNER_DROP * beside * rise(np.abs(u), 0.15, 1.0) * cheek * neck
    upper = np.where(v > 0, np.minimum(upper, lower), upper)
    in_ = -0.045 * np.sign(u) * _around(np.abs(u), 1.0, 0.9) * fall(np.abs(v), 0.1, 0.9)
    parts.both[Control.JAW_OPEN] = frame.vector(in_, np.zeros_like(u))
    parts.above[Control.JAW_OPEN] = frame.vector(np.zeros_like(u), upper.astype(np.float32))
    parts.below[Control.JAW_OPEN] = frame.vector(np.zeros_like(u), lower.astype(np.float32))


def _corners(parts: Parts, frame: MouthFrame, u: Values, v: Values) -> None:
    """What moves the corners: both lips alike."""
    near = fall(np.abs(v), 0.08, 0.75)

    def narrower(by: float) -> Values:
        """The corners by a share of half a mouth towards the middle."""
        a = np.abs(u)
        inside = a / (1 - by)
        return np.asarray(-np.sign(u) * by / 2 * np.minimum(inside, 1) * fall(a, 1 - by, 2.3) * near, np.float32)

    def thicker(by: float) -> Values:
        """The lips grow away from the lip line by a share."""
        reach = fall(np.abs(v), 0.2, 0.6) * fall(np.abs(u), 0.6, 1.15)
        return np.asarray(np.clip(v, -0.2, 0.24) * by * reach, np.float32)

    bow = frame.bow / frame.width
    level = bow * (np.clip(u * u, 0, 1) - 0.5) * fall(np.abs(u), 1.0, 2.0) * fall(np.abs(v), 0.15, 0.7)
    zero = np.zeros_like(u)
    parts.early[Control.LIPS_PUCKER] = frame.vector(narrower(0.35), thicker(0.32) + np.float32(0.8) * level)
    parts.early[Control.LIPS_FUNNEL] = frame.vector(narrower(0.22), thicker(0.18) + np.float32(0.6) * level)
    parts.early[Control.JAW_OPEN] = frame.vector(zero, np.float32(0.6) * level)
    a = np.abs(u)
    out = np.sign(u) * 0.085 * np.minimum(a, 1) ** 1.4 * fall(a, 1.0, 2.3) * near
    parts.early[Control.LIPS_WIDE] = frame.vector(
        out.astype(np.float32), (thicker(-0.14) - 0.012 * _around(a, 1.0, 0.8) * near).astype(np.float32)
    )
    for control, side in ((Control.SMILE_RIGHT, -1), (Control.SMILE_LEFT, 1)):
        s = u * side
        reach = _curl(s) * fall(s, 1.05, 2.5)
        tall = fall(v, 0.05, 0.7) * fall(-v, 0.25, 1.15)
        lift = -0.13 * reach * tall
        spread = 0.085 * side * np.clip(s, 0, 1) ** 1.2 * fall(s, 1.0, 2.2) * near
        bulge = -0.05 * np.exp(-(((s - 1.25) / 0.55) ** 2) - ((v + 0.62) / 0.38) ** 2)
        middle = -0.012 * fall(np.abs(u), 0.3, 1.0) * near
        thin = thicker(-0.12) * (s > -0.2)
        parts.early[control] = frame.vector(
            spread.astype(np.float32), (lift + bulge + middle + thin).astype(np.float32)
        )
    for control, side in ((Control.FROWN_RIGHT, -1), (Control.FROWN_LEFT, 1)):
        s = u * side
        reach = _curl(s) * fall(s, 1.0, 2.0)
        drop = 0.11 * reach * fall(np.abs(v), 0.1, 0.7)
        chin = -0.025 * fall(np.abs(s - 0.1), 0.1, 0.9) * fall(np.abs(v - 0.45), 0.1, 0.4)
        parts.early[control] = frame.vector(zero, (drop + chin).astype(np.float32))


def _lips(parts: Parts, frame: MouthFrame, u: Values, v: Values) -> None:
    """What moves one lip and not the other."""
    zero = np.zeros_like(u)
    arch = _arch(u)
    up_reach = fall(-v, 0.12, 0.55)
    low_reach = fall(v, 0.2, 0.55)

    def part(control: Control, upper: Values, lower: Values) -> None:
        parts.above[control] = frame.vector(zero, np.asarray(upper, np.float32))
        parts.below[control] = frame.vector(zero, np.asarray(lower, np.float32))

    part(Control.UPPER_LIP_UP, -0.11 * arch * up_reach, zero)
    part(Control.LOWER_LIP_DOWN, zero, 0.13 * arch * low_reach)
    part(Control.LIPS_PUCKER, 0.018 * arch * up_reach, zero)
    part(Control.LIPS_FUNNEL, -0.045 * arch * up_reach, 0.075 * arch * low_reach)
    rolled = rise(np.abs(v), 0.0, 0.14)
    flat = fall(np.abs(u), 0.55, 1.1)
    part(
        Control.LIPS_PRESS,
        flat * (0.022 + 0.022 * rolled) * up_reach,
        -flat * (0.030 + 0.030 * rolled) * low_reach,
    )
    part(Control.LIP_TUCK, -0.055 * arch * up_reach, -flat * (0.004 + 0.065 * rise(v, 0.0, 0.2)) * low_reach)


def _arch(u: Values) -> Values:
    """1 in the middle of a lip, 0 at its corners."""
    return np.asarray(np.clip(1 - u * u, 0, 1) ** 0.9, np.float32)


def _curl(s: Values) -> Values:
    """How far a corner takes its half of the lips along: 1 at the corner, and no kink in the middle."""
    return np.asarray(np.clip((np.minimum(s, 1) + 0.25) / 1.25, 0, None) ** 2, np.float32)


def _around(x: Values, middle: float, reach: float) -> Values:
    return np.asarray(fall(np.abs(x - middle), 0.0, reach), np.float32)
