"""The soft shapes that fields are made of: steps, bumps and curves through points. All work on whole arrays."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Values: TypeAlias = npt.NDArray[np.float32]
Numbers: TypeAlias = npt.NDArray[np.floating[Any]]


def rise(x: Numbers | float, start: Numbers | float, end: Numbers | float) -> Values:
    """0 up to `start`, 1 from `end` on, without a corner between."""
    t = np.clip((np.asarray(x, np.float32) - start) / (np.asarray(end) - start), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)


def fall(x: Numbers | float, start: Numbers | float, end: Numbers | float) -> Values:
    """1 up to `start`, 0 from `end` on."""
    return np.asarray(1.0 - rise(x, start, end), np.float32)


def bump(x: Numbers, reach: float) -> Values:
    """1 at 0, 0 from `reach` on, on both sides."""
    return fall(np.abs(x), 0.0, reach)


def mound(x: Numbers, y: Numbers, reach_x: float, reach_y: float) -> Values:
    """Gaussian: 1 in the middle, a tenth at the reach."""
    return np.asarray(np.exp(-2.3 * ((x / reach_x) ** 2 + (y / reach_y) ** 2)), np.float32)


def through(x: Numbers, points: Numbers) -> Values:
    """y at `x` of a smooth curve through points (n, 2) that rise in x, by a cubic with the slopes of Fritsch and
    Carlson, so that it swings over nothing. Beyond the ends it goes on level."""
    px, py = points[:, 0].astype(np.float64), points[:, 1].astype(np.float64)
    steps = np.maximum(np.diff(px), 1e-6)
    slopes = np.diff(py) / steps
    inner = np.where(
        slopes[:-1] * slopes[1:] > 0, 2 * slopes[:-1] * slopes[1:] / (slopes[:-1] + slopes[1:] + 1e-12), 0
    )
    tangents = np.concatenate([slopes[:1], inner, slopes[-1:]])
    at = np.clip(x, px[0], px[-1])
    i = np.clip(np.searchsorted(px, at, side="right") - 1, 0, len(steps) - 1)
    t = (at - px[i]) / steps[i]
    y = (
        py[i] * (1 + 2 * t) * (1 - t) ** 2
        + tangents[i] * steps[i] * t * (1 - t) ** 2
        + py[i + 1] * t * t * (3 - 2 * t)
        + tangents[i + 1] * steps[i] * t * t * (t - 1)
    )
    return np.asarray(y, np.float32)
