"""Glasses, in front of the face."""

from __future__ import annotations

import numpy as np

from avatar.illustrated.canvas import Colour, Frame, Layer, filled, mix
from avatar.illustrated.curve import Line, line, shifted, smooth, stroke
from avatar.illustrated.shape import Shape

FRAME: Colour = (0.13, 0.115, 0.115)
METAL: Colour = (0.33, 0.26, 0.19)


def rim(shape: Shape, kind: str) -> Line:
    """The middle of the rim around the eye at the viewer's right, closed."""
    x, y = shape.eye_x + 0.012, 0.045
    if kind == "round":
        angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        return np.stack((x + 0.345 * np.cos(angle), y + 0.315 * np.sin(angle)), axis=1)
    return smooth(
        line((x - 0.27, y - 0.235), (x, y - 0.262), (x + 0.3, y - 0.24), (x + 0.365, y - 0.15),
            (x + 0.335, y + 0.12),
             (x + 0.24, y + 0.225), (x, y + 0.245), (x - 0.2, y + 0.225), (x - 0.305, y + 0.1),
             (x - 0.325, y - 0.14)),
        closed=True,
    )  # fmt: skip


def worn(frame: Frame, shape: Shape, kind: str) -> Layer:
    layer = Layer(frame)
    colour, wide = (METAL, 0.026) if kind == "round" else (FRAME, 0.05)
    right = rim(shape, kind)
    for side in (-1, 1):
        edge = right * (side, 1.0)
        glass = filled(frame, edge)
        layer.paint(glass, (0.93, 0.97, 1.0), 0.05)
        glare = shifted(
            line((-0.2, -0.5), (-0.06, -0.5), (-0.32, 0.5), (-0.46, 0.5)), side * shape.eye_x + 0.16, 0.04
        )
        layer.paint(filled(frame, glare).soft(0.012).within(glass.whole()), (1.0, 1.0, 1.0), 0.07)
        outer, inner = _wider(edge, wide / 2), _wider(edge, -wide / 2)
        ring = filled(frame, outer).outside(filled(frame, inner).whole())
        layer.paint(ring, colour)
        lit = filled(frame, outer).outside(
            filled(frame, shifted(_wider(edge, wide / 2 - 0.012), 0.006, 0.008)).whole()
        )
        layer.tint(lit, mix(colour, (1.0, 0.96, 0.9), 0.45), 0.7)
        arm = smooth(line((shape.eye_x + 0.35, -0.07), (0.88, -0.085), (0.985, -0.07))) * (side, 1.0)
        layer.paint(filled(frame, stroke(arm, (wide * 1.1, wide * 0.9, wide * 0.8))), colour)
    inner_x = float(right[:, 0].min())
    bridge = smooth(
        line(
            (-inner_x - 0.005, -0.01), (-inner_x * 0.5, -0.055), (inner_x * 0.5, -0.055), (inner_x + 0.005, -0.01)
        )
    )
    layer.paint(filled(frame, stroke(bridge, (wide, wide * 0.95, wide))), colour)
    layer.tint(
        filled(frame, stroke(shifted(bridge, 0.0, -wide * 0.25), (0.0, 0.008, 0.0))),
        mix(colour, (1.0, 0.95, 0.9), 0.5),
        0.7,
    )
    return layer


def shadow(layer: Layer, shape: Shape, kind: str) -> None:
    """What they throw on the face."""
    frame = layer.frame
    wide = 0.03 if kind == "round" else 0.05
    for side in (-1, 1):
        edge = shifted(rim(shape, kind) * (side, 1.0), 0.025, 0.045)
        ring = filled(frame, _wider(edge, wide / 2)).outside(filled(frame, _wider(edge, -wide / 2)).whole())
        layer.shade(ring.soft(0.016), (0.72, 0.58, 0.55), 0.5)


def _wider(edge: Line, by: float) -> Line:
    middle = (edge.max(axis=0) + edge.min(axis=0)) / 2
    half = (edge.max(axis=0) - edge.min(axis=0)) / 2
    return np.asarray(middle + (edge - middle) * (1 + by / half), np.float64)
