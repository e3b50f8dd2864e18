"""Eyes: the ball and the iris behind the lids, and the lids' own edges, lashes and shadows on the face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatar.illustrated.canvas import Colour, Field, Frame, Layer, ellipse, filled, mix, times
from avatar.illustrated.curve import Line, between, line, resample, shifted, smooth, stroke
from avatar.illustrated.palette import darkness
from avatar.illustrated.shape import Shape

LASHES: Colour = (0.11, 0.075, 0.07)


@dataclass(frozen=True, slots=True)
class Ball:
    """One eye behind its lids."""

    white: Layer
    iris: Layer


def iris_middle(shape: Shape, side: int) -> tuple[float, float]:
    return side * (shape.eye_x - 0.004), -0.022


def ball(frame: Frame, shape: Shape, side: int, colour: Colour, skin: Colour) -> Ball:
    white, iris = Layer(frame), Layer(frame)
    x, y = side * shape.eye_x, 0.0
    pale = mix((0.955, 0.943, 0.93), skin, 0.06 + 0.12 * darkness(skin))
    white.paint(ellipse(frame, x, y, shape.eye_width * 1.2, 0.3), pale)
    inside = white.alpha
    # Round: darker towards both corners and under the upper lid.
    for corner in (-1, 1):
        soft = ellipse(frame, x + corner * shape.eye_width, y, 0.075, 0.2).soft(0.045).within(inside)
        white.shade(soft, (0.82, 0.75, 0.74), 0.75)
    inner = x - side * (shape.eye_width - 0.012)
    pink = mix((0.85, 0.55, 0.52), skin, 0.35)
    white.paint(ellipse(frame, inner, 0.022, 0.034, 0.034).soft(0.009).within(inside), pink, 0.9)
    _iris(iris, shape, side, colour)
    return Ball(white, iris)


def lid_shadow(layer: Layer, shape: Shape, side: int, opening: Field) -> None:
    """What the upper lid throws on white and iris."""
    upper = resample(shape.eye(side)[0], 40)
    thrown = filled(layer.frame, np.vstack((shifted(upper, 0.012, 0.028), shifted(upper[::-1], 0.0, -0.06)))).soft(
        0.014
    )
    layer.shade(thrown.within(opening), (0.5, 0.45, 0.48), 0.75)


def _iris(layer: Layer, shape: Shape, side: int, colour: Colour) -> None:
    frame = layer.frame
    x, y = iris_middle(shape, side)
    r = shape.iris_radius
    layer.paint(ellipse(frame, x, y, r, r), times(colour, 0.42))
    whole = layer.alpha.copy()
    layer.tint(ellipse(frame, x, y, r * 0.86, r * 0.86).soft(r * 0.09).within(whole), colour)
    # Light comes through from the side away from the lamp.
    light = ellipse(frame, x + r * 0.16, y + r * 0.34, r * 0.56, r * 0.42).soft(r * 0.16).within(whole)
    layer.glow(light, mix(colour, (1.0, 0.9, 0.7), 0.3), 0.62)
    angles = np.linspace(0, 2 * np.pi, 44, endpoint=False)
    lengths = 0.62 + 0.2 * np.random.default_rng(7).random(44)
    rays = []
    for angle, length in zip(angles, lengths, strict=True):
        way = np.array((np.cos(angle), np.sin(angle)))
        rays.append(
            stroke(shifted(np.stack((way * r * 0.36, way * r * (length + 0.1))), x, y), (r * 0.05, r * 0.015))
        )
    layer.tint(filled(frame, *rays[::2]).within(whole), times(colour, 0.55), 0.4)
    layer.tint(filled(frame, *rays[1::2]).within(whole), mix(colour, (1.0, 0.95, 0.85), 0.45), 0.4)
    layer.tint(ellipse(frame, x, y, r * 0.46, r * 0.46).soft(r * 0.03), (0.035, 0.025, 0.03))
    layer.shade(
        ellipse(frame, x, y - r * 0.9, r * 1.2, r * 0.6).soft(r * 0.3).within(whole), (0.5, 0.46, 0.48), 0.7
    )
    layer.tint(ellipse(frame, x - r * 0.36, y - r * 0.4, r * 0.2, r * 0.22).soft(r * 0.03), (1.0, 1.0, 1.0), 0.97)
    layer.tint(ellipse(frame, x + r * 0.4, y + r * 0.42, r * 0.1, r * 0.09).soft(r * 0.04), (1.0, 1.0, 1.0), 0.5)


def lids(layer: Layer, shape: Shape, side: int, skin: Colour, lashes: float) -> None:
    """On the face around the eye: the fold of the lid, lashes from fine (0) to full (1), the wet edge below."""
    frame = layer.frame
    upper, lower = (resample(edge, 40) for edge in shape.eye(side))
    deep = times(skin, (0.42, 0.27, 0.25))
    fold = between(upper, shape_brow_side(shape, side), 0.27)
    lid_area = np.vstack((upper, fold[::-1]))
    layer.shade(filled(frame, lid_area).soft(0.02), (0.93, 0.84, 0.82), 0.55)
    layer.glow(
        filled(frame, stroke(between(upper, fold, 0.55)[10:30], (0.0, 0.025, 0.0))).soft(0.018),
        (1.0, 0.9, 0.8),
        0.2,
    )
    layer.tint(filled(frame, stroke(fold, (0.0, 0.016, 0.024, 0.02, 0.004))).soft(0.007), deep, 0.62)
    layer.shade(
        filled(frame, stroke(shifted(fold, 0.0, -0.022), (0.0, 0.05, 0.05, 0.0))).soft(0.024),
        (0.8, 0.66, 0.64),
        0.5,
    )
    # The lashes' line lies on the upper lid and ends at the edge of the opening.
    thick = 0.017 + 0.025 * lashes
    weight = np.interp(
        np.linspace(0, 1, 40), (0, 0.12, 0.55, 0.85, 1), (0.004, thick * 0.55, thick, thick * 1.05, thick * 0.5)
    )
    crown = upper - np.stack((np.zeros(40), weight), axis=1)
    tail = upper[-1] + np.array((side * (0.012 + 0.035 * lashes), -0.012 - 0.018 * lashes))
    line_shape = np.vstack((upper, tail[None], crown[::-1]))
    layer.tint(filled(frame, line_shape), LASHES, 0.95)
    layer.tint(filled(frame, stroke(crown, (0.0, 0.02, 0.026, 0.02))).soft(0.01), LASHES, 0.35)
    layer.tint(filled(frame, *_lashes(upper, side, lashes)), LASHES, 0.85)
    rim = shifted(lower, 0.0, 0.009)
    layer.tint(
        filled(frame, stroke(rim, (0.006, 0.018, 0.016, 0.004))).soft(0.003),
        mix(skin, (0.93, 0.66, 0.6), 0.5),
        0.75,
    )
    under = shifted(lower, 0.0, 0.022)
    layer.tint(
        filled(frame, stroke(under, (0.0, 0.006, 0.013, 0.016))).soft(0.006),
        mix(deep, LASHES, 0.4),
        0.45 + 0.2 * lashes,
    )
    layer.shade(
        filled(frame, stroke(shifted(lower, 0.0, 0.06), (0.0, 0.05, 0.04, 0.0))).soft(0.02),
        (0.86, 0.76, 0.75),
        0.5,
    )


def shape_brow_side(shape: Shape, side: int) -> Line:
    """The brow's middle in as many points as a lid's edge, for what lies between the two."""
    return resample(smooth(shape.brow(side)), 40)


def _lashes(upper: Line, side: int, full: float) -> list[Line]:
    hairs = []
    for i in range(9, 40, 2):
        share = i / 39
        length = (0.018 + 0.042 * full) * (0.45 + 0.75 * share)
        root = shifted(upper[i], 0.0, -0.012)
        way = np.array((side * (share - 0.36) * 1.25, -1.0 + 0.45 * share))
        tip = root + way * length
        bend = shifted((root + tip) / 2, side * 0.004, 0.008)
        hairs.append(stroke(smooth(line(tuple(root), tuple(bend), tuple(tip)), 5), (0.011, 0.008, 0.0)))
    return hairs


def opening(frame: Frame, shape: Shape, side: int) -> Field:
    """What the lids leave open, as large as the picture."""
    upper, lower = shape.eye(side)
    return filled(frame, np.vstack((smooth(upper), smooth(lower)[::-1]))).whole()
