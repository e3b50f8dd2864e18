"""Where the fields of a layer are known: a grid over its box, as `Layer` wants it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from avatar.flesh.shapes import Values
from avatar.picture import Box


def grid(box: Box, step_px: int) -> Values:
    """Shape (rows, columns, 2): the picture's x and y of every grid point."""
    x = box.x + np.arange(-(-box.width // step_px) + 1) * step_px
    y = box.y + np.arange(-(-box.height // step_px) + 1) * step_px
    return np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)


def pixels(box: Box, above: int = 1) -> Values:
    """Shape (height * above, width * above, 2): the picture's x and y of the middles of pixels, each divided into
    `above` times `above`."""
    x = box.x + (np.arange(box.width * above) + 0.5) / above - 0.5
    y = box.y + (np.arange(box.height * above) + 0.5) / above - 0.5
    return np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)


def box_around(points: Iterable[tuple[float, float]], margin: float, size: tuple[int, int]) -> Box:
    """The smallest box of even sides within a picture of `size` that holds all points and a margin."""
    xs, ys = zip(*points, strict=True)
    x = int(np.clip(np.floor(min(xs) - margin), 0, size[0] - 2)) // 2 * 2
    y = int(np.clip(np.floor(min(ys) - margin), 0, size[1] - 2)) // 2 * 2
    right = int(np.clip(np.ceil(max(xs) + margin), x + 2, size[0]))
    bottom = int(np.clip(np.ceil(max(ys) + margin), y + 2, size[1]))
    return Box(x, y, (right - x + 1) // 2 * 2, (bottom - y + 1) // 2 * 2)
