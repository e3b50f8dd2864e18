"""Eyebrows: a soft ground with single hairs over it."""

from __future__ import annotations

import numpy as np

from avatar.illustrated.canvas import Colour, Layer, filled, mix, times
from avatar.illustrated.curve import Line, resample, shifted, smooth, stroke
from avatar.illustrated.shape import Shape


def brow(layer: Layer, shape: Shape, side: int, colour: Colour, fullness: float) -> None:
    """`fullness` from thin (0) to full (1)."""
    frame = layer.frame
    middle = resample(smooth(shape.brow(side)), 60)
    thick = 0.062 + 0.055 * fullness
    widths = thick * np.interp(np.linspace(0, 1, 60), (0, 0.1, 0.35, 0.7, 1), (0.45, 0.9, 1.0, 0.66, 0.1))
    ground = filled(frame, stroke(middle, widths)).soft(0.017)
    layer.tint(ground, colour, 0.72)
    chance = np.random.default_rng(11)
    dark: list[Line] = []
    light: list[Line] = []
    for i in range(150):
        at = chance.random()
        k = min(int(at * 59), 58)
        up = chance.uniform(-0.5, 0.5)
        root = shifted(middle[k], 0.0, up * widths[k])
        along = middle[min(k + 2, 59)] - middle[max(k - 1, 0)]
        along = along / (np.hypot(*along) + 1e-9)
        rise = (
            np.interp(at, (0, 0.25, 0.6, 1), (1.3, 0.55, 0.2, 0.02))
            * (0.5 + up * -0.2)
            * (1 if up > -0.2 else 0.2)
        )
        way = shifted(along, 0.0, -rise)
        way = way / np.hypot(*way)
        length = (0.055 + 0.03 * chance.random()) * (0.8 + 0.3 * fullness)
        hair = stroke(
            np.stack((root, shifted(root + way * length * 0.5, 0, -0.002), root + way * length)),
            (0.004, 0.0105, 0.0),
        )
        (dark if i % 3 else light).append(hair)
    layer.tint(filled(frame, *dark), times(colour, 0.85), 0.55)
    layer.tint(filled(frame, *light), mix(colour, (1.0, 0.85, 0.7), 0.12), 0.35)
