"""Beards: short hair on jaw, chin and upper lip, never over the lips."""

from __future__ import annotations

import numpy as np

from avatar.illustrated.canvas import Colour, Field, Layer, filled, mix, times
from avatar.illustrated.curve import Line, line, mirrored, shifted, smooth, stroke
from avatar.illustrated.palette import darkness
from avatar.illustrated.shape import Shape


def _area(shape: Shape, kind: str) -> Line:
    """Outline of the whole beard; lips are left out later."""
    mouth, chin, wide = shape.mouth_y, shape.chin_y, shape.mouth_width
    if kind == "goatee":
        half = line((0.0, mouth + 0.1), (wide * 0.7, mouth + 0.1), (wide + 0.07, mouth - 0.05),
            (wide + 0.09, mouth + 0.15),
                    (wide * 0.8, chin - 0.08), (0.0, chin + 0.03))  # fmt: skip
    else:
        jaw = shape.head[(shape.head[:, 0] > 0) & (shape.head[:, 1] > 0.16)]
        below = 0.05 if kind == "full" else 0.012
        jaw = shifted(jaw * (1.012, 1.0), 0.0, below)
        line_y = 0.06 if kind == "full" else 0.0
        cheek = line(
            (0.0, mouth - 0.05),
            (wide * 0.8, mouth - 0.1),
            (wide + 0.16, mouth - 0.14 - line_y),
            (0.76, 0.52 - line_y),
            (0.9, 0.2),
        )
        half = np.vstack((smooth(cheek), jaw))
    right = half if kind != "goatee" else smooth(half)
    return np.vstack((right, mirrored(right)[::-1]))


def _moustache(shape: Shape) -> Line:
    mouth, wide, nose = shape.mouth_y, shape.mouth_width, shape.nose_y
    half = line((0.0, nose + 0.1), (0.13, nose + 0.07), (wide * 0.75, mouth - 0.15), (wide + 0.07, mouth - 0.02),
                (wide + 0.06, mouth + 0.07), (wide * 0.8, mouth - 0.045), (wide * 0.3, mouth - 0.085),
                (0.0, mouth - 0.075))  # fmt: skip
    right = smooth(half, 6)
    return np.vstack((right, mirrored(right)[::-1]))


def grown(layer: Layer, shape: Shape, kind: str, colour: Colour, skin: Colour) -> None:
    frame = layer.frame
    upper, _, below = (smooth(edge) for edge in shape.lips())
    lips = filled(frame, np.vstack((upper, below[::-1]))).soft(0.006).whole()
    inside = np.zeros_like(lips)
    if kind != "moustache":
        inside = np.maximum(
            inside, filled(frame, _area(shape, "full" if kind == "stubble" else kind)).soft(0.035).whole()
        )
    inside = np.maximum(inside, filled(frame, _moustache(shape)).soft(0.02).whole())
    inside = inside * (1 - lips)
    ground = {"stubble": 0.3, "moustache": 0.72, "goatee": 0.72, "short": 0.66, "full": 0.86}[kind]
    cover = filled(frame, _area(shape, "full"), _moustache(shape)).soft(0.06).within(inside)
    layer.tint(cover, mix(times(colour, 0.9), skin, 0.12), ground)
    _hairs(layer, shape, kind, colour, inside)


def _hairs(layer: Layer, shape: Shape, kind: str, colour: Colour, inside: Field) -> None:
    frame = layer.frame
    chance = np.random.default_rng(23)
    length, count = {
        "stubble": (0.012, 5200),
        "moustache": (0.06, 900),
        "goatee": (0.05, 1500),
        "short": (0.045, 3400),
        "full": (0.075, 2600),
    }[kind]
    thick = 0.006 if kind == "stubble" else 0.01
    groups: list[list[Line]] = [[], [], []]
    x = chance.uniform(-1.0, 1.0, count)
    y = chance.uniform(0.1, shape.chin_y + 0.06, count)
    pixels = frame.pixels(np.stack((x, y), axis=1)).astype(int)
    for k in range(count):
        column, row = pixels[k]
        if not (0 <= row < frame.height and 0 <= column < frame.width) or inside[row, column] < 0.35:
            continue
        on_lip = y[k] < shape.mouth_y and abs(x[k]) < shape.mouth_width + 0.08
        way = np.array((np.sign(x[k]) * 0.9, 0.5)) if on_lip else np.array((-x[k] * 0.25, 1.0))
        way = way / np.hypot(*way) + chance.normal(0, 0.22, 2)
        root = np.array((x[k], y[k]))
        groups[k % 3].append(
            stroke(np.stack((root, root + way * length * 0.5, root + way * length)), (0.004, thick, 0.0))
        )
    tones = (
        times(colour, 0.78 - 0.2 * darkness(colour)),
        times(colour, 0.85),
        mix(colour, (1.0, 0.85, 0.7), 0.22),
    )
    for hairs, tone, opacity in zip(
        groups, tones, (0.45, 0.4, 0.3) if kind == "stubble" else (0.55, 0.5, 0.4), strict=True
    ):
        if hairs:
            layer.tint(filled(frame, *hairs).within(inside), tone, opacity)
