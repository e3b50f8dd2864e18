"""Hair that hangs beside the face and over the shoulders."""

from __future__ import annotations

import numpy as np

from avatar.illustrated.curve import Line, between, line, mirrored, resample, smooth
from avatar.illustrated.strands import POINTS, Mass, flow
from avatar.illustrated.style import Style


def sheet(
    inner: Line, outer: Line, *, wave: float = 0.0, taper: float = 0.5, groups: int = 4, **rest: float
) -> Mass:
    """Hair that falls between two lines from root to tip, with ends like a brush."""
    run = np.linspace(0, 1, POINTS)
    lines = []
    for k in range(groups):
        share = k / (groups - 1)
        path = between(inner, outer, share)
        swing = wave * np.clip(run * 1.8 - 0.5, 0, 1) * np.sin(run * 16 - share * 1.1)
        lines.append(path + np.stack((swing, np.zeros(POINTS)), axis=1))
    first, last = lines[0], lines[-1]
    # The ends run together like the tip of a brush.
    way = last[-1] - first[-1]
    down = np.array((-way[1], way[0])) * np.sign(way[0])
    shares = ((0.15, 0.3), (0.35, 0.55), (0.65, 0.5), (0.88, 0.25))
    tips = np.stack([first[-1] + way * s + down * d * taper for s, d in shares])
    tips = smooth(np.vstack((first[-1:], tips, last[-1:])), 6)
    edge = np.vstack((smooth(first, 3), tips, smooth(last, 3)[::-1]))
    lines = [
        np.vstack((path[:-1], path[-1:] + down * d * taper))
        for path, d in zip(lines, np.interp(np.linspace(0, 1, groups), (0, 0.5, 1), (0.1, 0.5, 0.1)), strict=True)
    ]
    lines = [resample(smooth(path, 3), POINTS) for path in lines]
    settings = {
        "strands": 460,
        "gloss": (0.16, 0.36),
        "loose": 0.02,
        "depth": 0.11,
        "wisps": round(120 * taper),
        **rest,
    }
    return Mass(edge, (tuple(lines),), **settings)  # type: ignore[arg-type]


def _curtains(
    low: float,
    *,
    wide: float = 1.0,
    inward: float = 0.0,
    wave: float = 0.0,
    part: float = -0.22,
    taper: float = 0.5,
) -> tuple[Mass, ...]:
    """Hair that falls from a parting down both sides of the face to `low`."""
    masses = []
    for side in (-1.0, 1.0):
        p = part * side - 0.015
        span = low - 0.1
        inner = flow((p, -1.17), (0.36 + p * 0.4, -1.06), (0.76, -0.7), (0.93, -0.15), (0.9, 0.1 + span * 0.35),
                     (0.86 + 0.06 * wide - inward, 0.1 + span * 0.7), (0.86 - inward, low))  # fmt: skip
        outer = flow((p, -1.82), (0.3 + p * 0.5, -1.84), (0.68, -1.71), (0.96, -1.4), (1.13 * wide, -0.75),
                     (1.18 * wide, 0.1 + span * 0.25), (1.28 * wide - inward * 0.3, 0.1 + span * 0.65),
                     (1.3 * wide - inward, low - 0.05))  # fmt: skip
        mass = sheet(
            inner * (side, 1.0),
            outer * (side, 1.0),
            wave=wave,
            darker=0.02 if side > 0 else 0.0,
            locks=9,
            rough=0.012,
        )
        masses.append(mass)
    return tuple(masses)


def _back(low: float, wide: float) -> Mass:
    """What is seen of long hair beside the neck."""
    inner = flow((0.0, -1.5), (0.0, 0.0), (0.0, low - 0.2), (0.0, low))
    outer = flow((0.0, -1.7), (0.9, -1.2), (1.12 * wide, 0.0), (1.2 * wide, low * 0.6), (1.14 * wide, low))
    left = flow((0.0, -1.7), (-0.9, -1.2), (-1.12 * wide, 0.0), (-1.2 * wide, low * 0.6), (-1.14 * wide, low))
    hem = line((wide * 0.7, low + 0.1), (0.0, low + 0.16), (-wide * 0.7, low + 0.1))
    edge = smooth(np.vstack((outer[::3], hem, left[::-3])), 6, closed=True)
    lines = tuple(between(inner, outer, k / 4) for k in range(5))
    return Mass(edge, (lines, tuple(map(mirrored, lines))), strands=420, shine=0.0, darker=0.22, locks=10)


def long() -> Style:
    return Style(behind=(_back(2.35, 1.05),), front=_curtains(2.5))


def wavy() -> Style:
    return Style(behind=(_back(2.2, 1.12),), front=_curtains(2.3, wide=1.07, wave=0.12, part=0.2))


def bob() -> Style:
    return Style(behind=(_back(1.18, 0.95),), front=_curtains(1.32, wide=1.06, inward=0.09, taper=0.22))


def fringe() -> Style:
    inner = flow((-0.1, -1.74), (-0.5, -1.35), (-0.74, -0.9), (-0.86, -0.3))
    middle = flow((0.0, -1.76), (0.02, -1.3), (0.0, -0.85), (0.0, -0.42))
    outer = flow((0.1, -1.74), (0.52, -1.35), (0.76, -0.9), (0.86, -0.29))
    steps = np.linspace(0, 1, 4)
    lines = tuple(between(inner, middle, s) for s in steps) + tuple(between(middle, outer, s) for s in steps[1:])
    ends = np.stack([path[-1] for path in lines])
    tips = np.random.default_rng(2).uniform(-0.015, 0.045, 29)
    teeth = resample(smooth(ends), 29) + np.stack((np.zeros(29), tips), axis=1)
    edge = np.vstack((inner, smooth(teeth, 4), outer[::-1]))
    bangs = Mass(edge, (lines,), strands=560, gloss=(0.45, 0.68), loose=0.014, locks=18, rough=0.008, depth=0.1)
    return Style(
        behind=(_back(1.6, 1.0),), front=(*_curtains(1.75, wide=1.02, inward=0.03, part=0.0, taper=0.25), bangs)
    )
