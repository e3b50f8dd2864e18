"""Clothes without a collar to button."""

from __future__ import annotations

import numpy as np

from avatar.illustrated.canvas import Field, filled, mix, times
from avatar.illustrated.cloth import Cloth, below, folds, neckline, shoulder_y, torso
from avatar.illustrated.curve import line, mirrored, shifted, smooth, stroke
from avatar.illustrated.palette import Tones
from avatar.illustrated.skin import RAISED


def tee(cloth: Cloth, drop: float = 0.0, band: float = 0.085, depth: float = 1.0) -> Field:
    """A round neck with a band."""
    edge = neckline(cloth.shape, drop)
    whole = cloth.cut(below(cloth.shape, edge)).whole()
    folds(cloth, whole, depth)
    inner, outer = shifted(edge, 0.0, band * 0.5), shifted(edge, 0.0, band)
    cloth.fold(shifted(outer, 0.015, 0.03), 0.06, -0.24, 0.025, whole)
    cloth.layer.tint(
        filled(cloth.layer.frame, stroke(inner, (band, band))).within(whole),
        Tones(cloth.light, cloth.ramp, 0.05),
    )
    cloth.hem(outer, 0.012, -0.3, whole)
    cloth.hem(shifted(edge, 0.0, 0.008), 0.014, 0.2, whole, 0.5)
    return whole


def sweater(cloth: Cloth) -> Field:
    """Knitted: ribs at the neck, soft folds."""
    whole = tee(cloth, 0.02, 0.16, 0.8)
    edge = neckline(cloth.shape, 0.02)
    ribs = []
    for i in range(4, len(edge) - 4, 2):
        ribs.append(
            stroke(
                np.stack((shifted(edge[i], 0, 0.02), shifted(edge[i], edge[i, 0] * 0.03, 0.145))), (0.012, 0.012)
            )
        )
    cloth.layer.tint(filled(cloth.layer.frame, *ribs).within(whole), Tones(cloth.light, cloth.ramp, -0.2), 0.55)
    return whole


def turtleneck(cloth: Cloth) -> Field:
    shape, frame = cloth.shape, cloth.layer.frame
    w = shape.neck_width + 0.05
    whole = cloth.cut(torso(shape)).whole()
    folds(cloth, whole, 0.8)
    top = smooth(line((-w, 1.42), (-w * 0.5, 1.6), (0.0, 1.66), (w * 0.5, 1.6), (w, 1.42)))
    right = smooth(line((w, 1.42), (w + 0.03, 1.62), (w + 0.1, 1.88)))
    foot = smooth(line((w + 0.1, 1.88), (w * 0.5, 2.07), (0.0, 2.12), (-w * 0.5, 2.07), (-w - 0.1, 1.88)))
    tube = filled(frame, np.vstack((top, right, foot, mirrored(right)[::-1])))
    cloth.fold(shifted(foot, 0.02, 0.03), 0.1, -0.3, 0.04, whole)
    x, _ = frame.grid()
    light = cloth.light
    cloth.light = (cloth.light * 0.4 + 0.38 - 0.22 * np.sign(x) * np.abs(x / w).clip(0, 1.1) ** 1.6).astype(
        np.float32
    )
    collar = cloth.cut(tube).whole()
    for dy, deep in ((0.14, -0.16), (0.3, -0.1)):
        cloth.fold(shifted(top, 0.0, dy), 0.07, deep, 0.025, collar)
        cloth.fold(shifted(top, 0.0, dy + 0.07), 0.05, 0.1, 0.025, collar, 0.7)
    cloth.hem(shifted(top, 0.0, 0.012), 0.02, 0.16, collar, 0.5)
    shadow = filled(frame, shifted(shape.head * (0.98, 1.0), 0.05, 0.16 + RAISED)).soft(0.05).within(collar)
    cloth.layer.shade(shadow, (0.6, 0.58, 0.62), 0.75)
    cloth.light = light
    return np.maximum(whole, collar)


def hoodie(cloth: Cloth) -> Field:
    """A hood that lies in thick folds around the neck, with strings."""
    shape, frame = cloth.shape, cloth.layer.frame
    w = shape.neck_width
    edge = neckline(shape, 0.16, 0.06)
    whole = cloth.cut(below(shape, edge, 0.06)).whole()
    folds(cloth, whole, 1.2)
    for side in (1, -1):
        roll = smooth(
            line((w + 0.1, 1.4), (w * 0.95, 1.72), (w * 0.6, 2.02), (0.03, 2.36), (0.02, 2.62), (0.34, 2.55),
                (0.86, 2.3),
                 (w + 0.52, 1.9), (w + 0.4, 1.55), (w + 0.22, 1.38)),
            closed=True,
        ) * (side, 1.0)  # fmt: skip
        cloth.layer.shade(filled(frame, shifted(roll, 0.04, 0.07)).soft(0.05).within(whole), (0.5, 0.5, 0.55), 0.7)
        on = cloth.cut(roll, 0.03).whole()
        for share, change in ((0.35, -0.2), (0.62, 0.14)):
            path = smooth(
                line(
                    (w + 0.1 + 0.3 * share, 1.5),
                    (w * 0.95 + 0.4 * share, 1.78),
                    (w * 0.6 + 0.3 * share, 2.1),
                    (0.1 + 0.1 * share, 2.44),
                )
            )
            cloth.fold(path * (side, 1.0), 0.1, change, 0.04, on)
        rim = smooth(line((w + 0.1, 1.4), (w * 0.95, 1.72), (w * 0.6, 2.02), (0.03, 2.36))) * (side, 1.0)
        cloth.fold(shifted(rim, side * 0.03, 0.03), 0.05, 0.2, 0.015, on, 0.6)
        cord = smooth(line((0.2, 2.5), (0.25, 2.8), (0.22, 3.25))) * (side, 1.0)
        tone = mix(cloth.colour, (0.95, 0.94, 0.92), 0.72)
        cloth.layer.shade(
            filled(frame, stroke(shifted(cord, 0.03, 0.02), (0.05, 0.05))).soft(0.02), (0.5, 0.5, 0.55), 0.5
        )
        cloth.layer.tint(filled(frame, stroke(cord, (0.042, 0.042))), tone)
        cloth.layer.tint(filled(frame, stroke(shifted(cord, 0.01, 0), (0.012, 0.012))), times(tone, 0.8))
        whole = np.maximum(whole, on)
    return whole


def blouse(cloth: Cloth) -> Field:
    """A soft V neck that folds over."""
    shape, frame = cloth.shape, cloth.layer.frame
    w = shape.neck_width
    start = (w + 0.2, shoulder_y(shape, w + 0.2) - 0.02)
    opening = smooth(line(start, (w * 0.92, 2.08), (0.36, 2.5), (0.0, 2.86)))
    edge = np.vstack((mirrored(opening), opening[::-1]))
    whole = cloth.cut(below(shape, edge)).whole()
    folds(cloth, whole, 1.25)
    for side in (-1, 1):
        over = smooth(line(start, (w * 0.92, 2.08), (0.36, 2.5), (-0.06, 2.95), (-0.16, 3.6)))
        for k, change in enumerate((0.12, -0.18, 0.12, -0.16)):
            path = shifted(over * (side, 1.0), side * (0.07 + 0.1 * k), 0.05 + 0.03 * k)
            cloth.fold(path, 0.06, change, 0.02, whole, 0.85)
        rim = over * (side, 1.0)
        cloth.hem(shifted(rim, side * 0.008, 0.01), 0.026, 0.15, whole, 0.7)
        cloth.hem(shifted(rim, side * 0.03, 0.02), 0.012, -0.2, whole, 0.5)
    cloth.layer.shade(
        filled(frame, stroke(shifted(opening * (1, 1), -0.02, -0.02), (0.03, 0.03))).soft(0.02).outside(whole),
        (0.75, 0.65, 0.63),
        0.4,
    )
    return whole
