"""The closed mouth, and the nose's dark and bright places: what a relief alone does not show."""

from __future__ import annotations

import numpy as np

from avatar.illustrated.canvas import Colour, Layer, ellipse, filled, mix, times
from avatar.illustrated.curve import line, mirrored, resample, shifted, smooth, stroke
from avatar.illustrated.palette import darkness
from avatar.illustrated.shape import Shape


def lip_colour(skin: Colour, strength: float) -> Colour:
    """Without make-up."""
    dark = darkness(skin)
    rosy = times(skin, (0.885 - 0.05 * dark, 0.66 + 0.1 * dark, 0.66 + 0.1 * dark))
    return mix(rosy, times(skin, (0.86, 0.72, 0.7)), 0.5 * strength)


def lips(layer: Layer, shape: Shape, colour: Colour, shine: float) -> None:
    frame = layer.frame
    above, middle, below = (resample(smooth(edge), 60) for edge in shape.lips())
    upper = filled(frame, np.vstack((above, middle[::-1]))).soft(0.007)
    lower = filled(frame, np.vstack((middle, below[::-1]))).soft(0.008)
    layer.tint(upper, times(colour, (0.86, 0.79, 0.8)), 0.93)
    layer.tint(lower, colour, 0.9)
    both = np.clip(upper.whole() + lower.whole(), 0, 1)
    y, wide, low = shape.mouth_y, shape.mouth_width, shape.lip_lower
    # The upper lip looks down, the lower one up: dark to light to dark again at its lower edge.
    layer.shade(
        filled(frame, stroke(shifted(middle, 0.0, -0.016), (0.0, 0.035, 0.03, 0.035, 0.0)))
        .soft(0.014)
        .within(both),
        (0.66, 0.52, 0.54),
        0.55,
    )
    layer.shade(
        filled(frame, stroke(shifted(below, 0.02, -0.006), (0.0, 0.03, 0.04, 0.035, 0.0)))
        .soft(0.018)
        .within(both),
        (0.74, 0.6, 0.6),
        0.6,
    )
    layer.shade(
        ellipse(frame, wide * 0.62, y + 0.03, wide * 0.36, 0.1).soft(0.05).within(both), (0.82, 0.7, 0.7), 0.5
    )
    bright = ellipse(frame, -0.05, y + low * 0.5, wide * 0.4, low * 0.17).soft(0.022).within(both)
    layer.glow(bright, (1.0, 0.86, 0.82), 0.28 + 0.3 * shine)
    for x in (-0.11, 0.0):
        spot = ellipse(frame, x, y + low * 0.48, 0.032, 0.011).soft(0.011).within(both)
        layer.glow(spot, (1.0, 0.95, 0.92), 0.2 + 0.35 * shine)
    layer.glow(
        ellipse(frame, -0.07, y - shape.lip_upper * 0.62, 0.05, 0.014).soft(0.012).within(both),
        (1.0, 0.85, 0.82),
        0.2,
    )
    # The line between, deeper towards the corners, and the light on the edge over the upper lip.
    deep = times(colour, (0.36, 0.24, 0.26))
    layer.tint(
        filled(frame, stroke(middle, (0.006, 0.017, 0.011, 0.015, 0.011, 0.017, 0.006))).soft(0.004), deep, 0.82
    )
    for side in (-1, 1):
        layer.tint(ellipse(frame, side * wide * 0.99, y - 0.06, 0.02, 0.011).soft(0.011), deep, 0.5)
    edge = shifted(above[12:48], 0.0, -0.012)
    layer.glow(filled(frame, stroke(edge, (0.0, 0.016, 0.012, 0.016, 0.0))).soft(0.008), (1.0, 0.9, 0.82), 0.22)


def nose(layer: Layer, shape: Shape, skin: Colour) -> None:
    frame = layer.frame
    deep = times(skin, (0.40, 0.235, 0.215))
    y, w = shape.nose_y, shape.nose_width
    for side in (-1, 1):
        hole = smooth(
            line((0.052, y - 0.012), (0.085, y - 0.037), (0.125, y - 0.033), (0.138, y - 0.012), (0.1, y + 0.002)),
            closed=True,
        )
        hole = hole if side > 0 else mirrored(hole)
        layer.tint(filled(frame, hole).soft(0.011), deep, 0.8)
        wing = smooth(
            line((w - 0.03, y - 0.17), (w + 0.008, y - 0.1), (w + 0.004, y - 0.035), (w - 0.035, y - 0.004))
        )
        wing = wing if side > 0 else mirrored(wing)
        layer.tint(
            filled(frame, stroke(wing, (0.0, 0.012, 0.02, 0.014, 0.0))).soft(0.009),
            deep,
            0.34 if side > 0 else 0.22,
        )
    base = smooth(line((-0.07, y - 0.004), (0.0, y + 0.014), (0.07, y - 0.004)))
    layer.tint(filled(frame, stroke(base, (0.0, 0.016, 0.0))).soft(0.011), deep, 0.4)
    light = (1.0, 0.93, 0.86)
    layer.glow(ellipse(frame, -0.03, y - 0.135, 0.034, 0.028).soft(0.022), light, 0.55)
    layer.glow(ellipse(frame, -0.03, y - 0.36, 0.016, 0.15).soft(0.022), light, 0.25)
