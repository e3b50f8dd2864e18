"""Letting go of some of a smile, so that the face at rest is at ease."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from avatar.flesh.contours import Contours, Points
from avatar.portrait.arrays import Floats
from avatar.puppet import Rgb

_AT_EASE: Final = 0.03
"""Corners this much higher than the middle, in widths of the mouth, are a friendly rest."""
_LET_GO: Final = 0.5
"""The share of what is above that which is let go of."""


@dataclass(frozen=True, slots=True)
class Ease:
    """Lets go of some of a smile, since speech and the face's own smile come on top: corners come down and in."""

    shut: Contours
    """Of the closed mouth, before."""
    move: Points
    """Shape (2, 2): how the left and the right corner move."""
    spread_px: float

    @classmethod
    def of(cls, shut: Contours) -> Ease:
        corners = shut.lips_outer_upper[[0, -1]]
        across = corners[1] - corners[0]
        width = float(np.hypot(*across))
        downwards = np.array((-across[1], across[0])) / width
        raised = float((shut.lips_inner_upper[5] - corners.mean(0)) @ downwards)
        down = downwards * max(0.0, raised - _AT_EASE * width) * _LET_GO
        inwards = across / width * min(0.05 * width, 0.6 * float(np.hypot(*down)))
        return cls(shut, np.array((down + inwards, down - inwards), np.float32), 0.24 * width)

    def shift(self, points: Floats) -> Floats:
        """How far each of (..., 2) points moves."""
        total = np.zeros(points.shape, np.float32)
        for corner, move in zip(self.shut.lips_outer_upper[[0, -1]], self.move, strict=True):
            square = ((points - corner) ** 2).sum(-1) / (2 * self.spread_px**2)
            total += np.exp(-square)[..., None] * move
        return total

    def image(self, part: Rgb, left: int, top: int) -> Rgb:
        """The part of the picture whose corner lies there, at ease."""
        height, width = part.shape[:2]
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        move = self.shift(np.stack((x + left, y + top), -1))
        edge = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
        move *= np.clip(edge / 8, 0, 1)[..., None]
        return np.asarray(
            cv2.remap(part, x - move[..., 0], y - move[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE),
            np.uint8,
        )

    @property
    def contours(self) -> Contours:
        """Where they lie now."""

        def moved(points: Points) -> Points:
            result = points
            for _ in range(6):
                result = points + self.shift(result)
            return np.asarray(result, np.float32)

        seam = moved(self.shut.lips_inner_upper)
        return replace(
            self.shut,
            lips_outer_upper=moved(self.shut.lips_outer_upper),
            lips_inner_upper=seam,
            lips_inner_lower=seam.copy(),
            lips_outer_lower=moved(self.shut.lips_outer_lower),
        )
