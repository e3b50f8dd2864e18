"""Cloth on shoulders and chest: its light, its folds, its edges."""

from __future__ import annotations

import numpy as np

from avatar.illustrated.canvas import Colour, Field, Layer, Stencil, filled, mix, times
from avatar.illustrated.curve import Line, line, mirrored, shifted, smooth, stroke
from avatar.illustrated.palette import Tones, darkness
from avatar.illustrated.relief import Relief
from avatar.illustrated.shape import Shape

LOW = 6.0


class Cloth:
    """One colour of cloth in the light that falls on this body."""

    def __init__(self, layer: Layer, shape: Shape, colour: Colour, light: Field) -> None:
        self.layer, self.shape, self.colour, self.light = layer, shape, colour, light
        dark = darkness(colour)
        deep = times(colour, (0.42, 0.42, 0.46))
        shadow = times(colour, (0.7, 0.69, 0.72))
        high = mix(colour, (1.0, 0.98, 0.95), 0.16 + 0.05 * dark)
        self.ramp = ([0.0, 0.32, 0.62, 1.0], [deep, shadow, colour, high])

    def cut(self, shape: Line | Stencil, change: float = 0.0) -> Stencil:
        """A piece, sewn on; returns where it is."""
        stencil = shape if isinstance(shape, Stencil) else filled(self.layer.frame, shape)
        self.layer.paint(stencil, Tones(self.light, self.ramp, change))
        return stencil

    def fold(
        self, path: Line, width: float, change: float, soft: float, inside: Field, opacity: float = 1.0
    ) -> None:
        """A crease (change below 0) or the light on one (above 0)."""
        stencil = filled(self.layer.frame, stroke(path, (0.0, width, width * 0.8, 0.0))).soft(soft).within(inside)
        self.layer.tint(stencil, Tones(self.light, self.ramp, change), opacity)

    def hem(self, path: Line, width: float, change: float, inside: Field, opacity: float = 0.7) -> None:
        """A line of even width: a seam, an edge."""
        stencil = filled(self.layer.frame, stroke(path, (width, width))).soft(0.004).within(inside)
        self.layer.tint(stencil, Tones(self.light, self.ramp, change), opacity)


def torso(shape: Shape, loose: float = 0.0) -> Line:
    """Shoulders and arms, to below the picture."""
    w, s = shape.neck_width, shape.shoulder_x + loose
    right = smooth(
        line((w - 0.02, 1.66), (w + 0.1, 1.84 - loose), (w + 0.5, 2.02 - loose), (s - 0.35, 2.2 - loose),
            (s - 0.05, 2.42),
             (s + 0.17, 2.85), (s + 0.32, 3.6), (s + 0.4, LOW))
    )  # fmt: skip
    return np.vstack((right, mirrored(right)[::-1]))


def body_light(layer: Layer, shape: Shape) -> Field:
    """Light on cloth: chest, shoulders and arms, and the shadow of the head."""
    relief = Relief(layer.frame)
    x, y = relief.x, relief.y
    s = shape.shoulder_x
    u = np.clip(np.abs(x) / (s + 0.3), 0, 0.98)
    relief.z += (1.25 * np.sqrt(1 - u**2.6) + 0.35 / (1 + np.exp(-4.5 * (y - 2.35)))).astype(np.float32)
    relief.both(0.12, 0.75, 3.05, 0.5, 0.45)
    relief.bump(-0.03, 0.0, 2.9, 0.3, 0.8)
    relief.both(-0.12, s - 0.32, 3.2, 0.1, 0.5)
    light = relief.lit(0.08, 0.72)
    light -= (0.05 * np.clip(y - 2.4, 0, 2)).astype(np.float32)
    shadow = filled(layer.frame, shifted(shape.head * (0.9, 0.85), 0.22, 0.75)).soft(0.16)
    light[shadow.at] -= 0.2 * shadow.cover
    return light


def shoulder_y(shape: Shape, x: float, loose: float = 0.0) -> float:
    """Where the shoulder's outline is at x."""
    body = torso(shape, loose)
    right = body[: len(body) // 2]
    return float(np.interp(x, right[:, 0], right[:, 1]))


def neckline(shape: Shape, drop: float, wide: float = 0.0) -> Line:
    """The edge of a round neck from the viewer's left to right; it ends on the shoulders."""
    w = shape.neck_width + wide
    end = w + 0.05
    half = line(
        (0.0, 2.08 + drop),
        (w * 0.45, 2.03 + drop * 0.9),
        (w * 0.86, 1.88 + drop * 0.4),
        (end, shoulder_y(shape, end) - 0.03),
    )
    return smooth(np.vstack((mirrored(half)[:0:-1], half)))


def below(shape: Shape, edge: Line, loose: float = 0.0) -> Line:
    """The torso below a neckline that ends on the shoulders."""
    body = torso(shape, loose)
    right = body[: len(body) // 2]
    right = right[right[:, 0] > edge[-1, 0] + 0.01]
    return np.vstack((edge, right, mirrored(right)[::-1]))


def folds(cloth: Cloth, inside: Field, depth: float) -> None:
    s = cloth.shape.shoulder_x
    for side in (-1, 1):
        paths = (
            ((s - 0.3, 2.75), (s - 0.42, 3.1), (s - 0.36, 3.7)),
            ((s - 0.28, 2.72), (s - 0.6, 2.95), (s - 1.0, 3.05)),
            ((s - 0.7, 2.3), (s - 0.9, 2.6), (s - 1.15, 2.8)),
            ((0.12, 3.3), (0.5, 3.15), (0.95, 3.2)),
            ((s + 0.05, 2.8), (s - 0.1, 3.1), (s + 0.05, 3.5)),
        )
        for i, path in enumerate(paths):
            way = smooth([(side * x, y) for x, y in path])
            cloth.fold(way, 0.09, -0.22 * depth, 0.035, inside)
            cloth.fold(shifted(way, -0.06, -0.035), 0.06, 0.13 * depth, 0.03, inside, 0.8)
            if i == 3 and side > 0:
                break
