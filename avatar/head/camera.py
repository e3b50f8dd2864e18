"""Where the viewer stands: before head and shoulders, at a portrait's distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar.head.accessors import Floats
from avatar.picture import Box

VIEW_DEGREES: Final = 21.0
"""From the bottom to the top of the picture, as with a lens of 100 mm."""
ABOVE: Final = 0.17
"""Of the head's height, free above it."""
BELOW: Final = 0.58
"""Of the head's height, shown below the chin."""
MARGIN: Final = 0.12
"""Of the head's height: how far anything comes from where it rests, at most."""


@dataclass(frozen=True, slots=True)
class Camera:
    """Units are heads; pixels for `focal_px`."""

    width: int
    height: int
    focal_px: float
    distance: float
    level: float
    """Its height above the chin."""

    def seen(self, points: Floats) -> Floats:
        """Shape (n, 2): where points are in the picture, in pixels."""
        near = self.focal_px / np.maximum(0.05, self.distance - points[:, 2])
        found = np.stack(
            [self.width / 2 + points[:, 0] * near, self.height / 2 - (points[:, 1] - self.level) * near]
        )
        return found.T.astype(np.float32)

    def region(self, points: Floats) -> Box:
        """Where in the picture anything can come to be."""
        seen = self.seen(points)
        margin = MARGIN * self.focal_px / self.distance
        left, top = np.maximum(0, np.floor(seen.min(axis=0) - margin)).astype(int) // 2 * 2
        right, bottom = np.minimum((self.width, self.height), np.ceil(seen.max(axis=0) + margin)).astype(int)
        right, bottom = (int(right) + 1) // 2 * 2, (int(bottom) + 1) // 2 * 2
        left, top = min(int(left), self.width - 2), min(int(top), self.height - 2)
        return Box(left, top, max(2, min(right, self.width) - left), max(2, min(bottom, self.height) - top))


def framed(positions: Floats, width: int, height: int) -> Camera:
    """A camera for a head one high with its chin at 0. What has no shoulders is cut above where it ends."""
    low = max(-BELOW, float(positions[:, 1].min()) + 0.04)
    # What lies far to the sides is arms.
    head = positions[positions[:, 1] > 0.1]
    wide = 2.2 * min(1.0, float(np.abs(head[:, 0]).max(initial=0.3)))
    span = max(1 + ABOVE - low, wide * height / width)
    distance = span / 2 / math.tan(math.radians(VIEW_DEGREES / 2))
    return Camera(width, height, height / span * distance, distance, low + span / 2)
