"""A picture as video wants it: I420, in one block of memory that is used again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Plane: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of a picture in pixels. All four are even, so that it has whole chroma samples."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if (self.x | self.y | self.width | self.height) & 1 or min(self.x, self.y) < 0:
            raise ValueError(f"a box has even, positive sides and corners, got {self}")
        if not (self.width and self.height):
            raise ValueError(f"a box is not empty, got {self}")

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    def around(self, other: Box) -> Box:
        """The smallest box that holds both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Box(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)


class Picture:
    """Limited-range BT.601 I420: a plane Y of (height, width), then U and V of half of both.

    `i420` is the whole as (height * 3 / 2, width), the shape that OpenCV and PyAV take; `y`, `u` and `v` are views
    into it.
    """

    __slots__ = ("height", "i420", "u", "v", "width", "y")

    def __init__(self, width: int, height: int) -> None:
        if width < 16 or height < 16 or (width | height) & 1:
            raise ValueError(f"a picture has even sides of 16 pixels or more, got {width}x{height}")
        self.width = width
        self.height = height
        self.i420: Plane = np.empty((height * 3 // 2, width), np.uint8)
        flat = self.i420.reshape(-1)
        luma, chroma = width * height, width * height // 4
        self.y: Plane = flat[:luma].reshape(height, width)
        self.u: Plane = flat[luma : luma + chroma].reshape(height // 2, width // 2)
        self.v: Plane = flat[luma + chroma :].reshape(height // 2, width // 2)
        self.y.fill(16)
        self.u.fill(128)
        self.v.fill(128)

    def copy(self) -> Picture:
        """Another block of memory with the same picture."""
        other = Picture(self.width, self.height)
        other.i420[...] = self.i420
        return other
