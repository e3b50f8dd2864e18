"""Skin that only shows while a control is up: the smooth lid of an eye that closes, the fold of a smile."""

from __future__ import annotations

import numpy as np

from avatar.flesh.frames import EyeFrame, MouthFrame
from avatar.flesh.grids import pixels
from avatar.flesh.paint import rgba, soft
from avatar.flesh.shapes import fall, rise
from avatar.picture import Box
from avatar.puppet import Rgba


def lid(frame: EyeFrame, head: Rgba, box: Box) -> Rgba:
    """The upper lid without its crease, and its lashes as one line: what is stretched over a closed eye would show
    every pore enlarged.

    It goes with the face; its own place is between brow and lashes.
    """
    points = pixels(box)
    u, y = frame.place(points)
    upper, _ = frame.lids(u)
    over = upper - y
    cut = head[box.y : box.bottom, box.x : box.right, :3].astype(np.float32)
    lashes = 0.10 * frame.opening + 1.0
    clear = fall(over, 0.45 * frame.brow, 0.60 * frame.brow) * rise(over, 1.6 * lashes, 3.0 * lashes)
    known = clear * fall(np.abs(u - 0.05), 0.5, 0.85)
    reach = max(0.14 * frame.width, 1.0)
    weight = soft(known, reach) + 0.05 * soft(known, 3 * reach)
    smooth = soft(cut * known[..., None], reach) + 0.05 * soft(cut * known[..., None], 3 * reach)
    colour = smooth / np.maximum(weight, 1e-4)[..., None]
    bright = 1.03 - 0.10 * np.clip(u, -1.2, 1.2) ** 2
    reached = fall(over, 0.32 * frame.brow, 0.70 * frame.brow) * rise(over, 0.6 * lashes, 1.6 * lashes)
    alpha = 0.9 * reached * fall(np.abs(u), 0.5, 1.0)
    rim = cut[(np.abs(over) < lashes) & (np.abs(u) < 0.8)]
    dark = np.percentile(rim, 12, axis=0) if len(rim) else np.array([60.0, 40.0, 34.0])
    thick = max(0.022 * frame.width, 0.8)
    line = 0.65 * np.exp(-(((over - 0.5 * thick) / thick) ** 2)) * fall(np.abs(u), 0.6, 1.0)
    share = (line / np.maximum(line + alpha, 1e-4))[..., None]
    return rgba(colour * bright[..., None] * (1 - share) + dark * share, np.maximum(alpha, line))


def fold(frame: MouthFrame, head: Rgba, box: Box, side: int) -> Rgba:
    """The fold from the nose to the corner of the mouth on one side (-1 the viewer's left): a shadow on the
    skin that is there, and a little light on the cheek above it."""
    u, v = frame.place(pixels(box))
    s = u * side
    line = 0.74 + 0.50 * rise(v, -0.62, 0.05)
    along = rise(v, -0.62, -0.36) * fall(v, -0.22, 0.04)
    away = s - line
    dark = np.exp(-((away / 0.17) ** 2)) * along
    light = np.exp(-(((away - 0.26) / 0.16) ** 2)) * along
    cut = head[box.y : box.bottom, box.x : box.right, :3].astype(np.float32)
    skin = soft(cut, max(0.05 * frame.width, 1.0))
    shade = skin * np.array([0.66, 0.55, 0.52], np.float32)
    glow = np.minimum(skin * 1.10 + 6, 255)
    share = (light / np.maximum(dark + light, 1e-4))[..., None]
    return rgba(shade * (1 - share) + glow * share, np.maximum(0.17 * dark, 0.16 * light))
