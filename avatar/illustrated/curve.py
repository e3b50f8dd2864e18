"""Smooth lines through few points, and strokes of changing width along them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Line = npt.NDArray[np.float64]
"""Shape (n, 2): x and y in face units (`canvas.Frame`)."""


def line(*points: tuple[float, float]) -> Line:
    return np.array(points, np.float64)


def smooth(points: Line | Sequence[tuple[float, float]], steps: int = 12, *, closed: bool = False) -> Line:
    """A centripetal Catmull-Rom curve through the points, `steps` pieces from each to the next."""
    knots = np.asarray(points, np.float64)
    if closed:
        ends = np.vstack((knots[-1:], knots, knots[:2]))
    else:
        ends = np.vstack((2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]))
    a, b, c, d = ends[:-3], ends[1:-2], ends[2:-1], ends[3:]
    ab, bc, cd = (np.sqrt(np.hypot(*(q - p).T)) + 1e-9 for p, q in ((a, b), (b, c), (c, d)))
    at_b = _slope(a, b, c, ab, bc)
    at_c = _slope(b, c, d, bc, cd)
    m_b, m_c = at_b * bc[:, None], at_c * bc[:, None]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    t2, t3 = t * t, t * t * t
    pieces = (
        (2 * t3 - 3 * t2 + 1) * b[:, None]
        + (t3 - 2 * t2 + t) * m_b[:, None]
        + (3 * t2 - 2 * t3) * c[:, None]
        + (t3 - t2) * m_c[:, None]
    )
    flat = pieces.reshape(-1, 2)
    return flat if closed else np.vstack((flat, knots[-1:]))


def _slope(a: Line, b: Line, c: Line, ab: Line, bc: Line) -> Line:
    u, v = ab[:, None], bc[:, None]
    return (b - a) / u - (c - a) / (u + v) + (c - b) / v


def resample(points: Line, count: int) -> Line:
    """The same line in `count` points at equal distances."""
    run = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    at = np.linspace(0.0, run[-1], count)
    return np.stack((np.interp(at, run, points[:, 0]), np.interp(at, run, points[:, 1])), axis=1)


def shifted(points: Line, x: float, y: float) -> Line:
    return np.asarray(points + np.array((x, y)), np.float64)


def mirrored(points: Line) -> Line:
    """On the other side of the face, in the same order."""
    return points * (-1.0, 1.0)


def normals(points: Line) -> Line:
    """Unit vectors to the right of the way along the line."""
    aside = np.empty_like(points)
    way = aside[:, ::-1]
    way[1:-1] = points[2:] - points[:-2]
    way[0], way[-1] = points[1] - points[0], points[-1] - points[-2]
    aside[:, 0] *= -1
    aside /= np.hypot(aside[:, 0], aside[:, 1])[:, None] + 1e-9
    return aside


def stroke(points: Line, widths: Sequence[float] | npt.NDArray[np.float64]) -> Line:
    """The outline of a brush stroke; `widths` are spread evenly over the line."""
    across = np.interp(_even(len(points)), _even(len(widths)), widths) / 2
    aside = normals(points) * across[:, None]
    return np.concatenate((points + aside, (points - aside)[::-1]))


@lru_cache(64)
def _even(count: int) -> npt.NDArray[np.float64]:
    return np.linspace(0, 1, count)


def between(one: Line, other: Line, share: float) -> Line:
    """The line at `share` of the way from one to the other; both have the same number of points."""
    return one + (other - one) * share
