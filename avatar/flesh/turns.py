"""What moves the head and the chest as a whole: turns by depth, the neck in between, the breath."""

from __future__ import annotations

from dataclasses import dataclass
from math import radians, sin
from typing import Final

import cv2
import numpy as np

from avatar.controls import RIGID, Control
from avatar.flesh.contours import Contours, Points
from avatar.flesh.paint import soft, taken
from avatar.flesh.shapes import Values, fall, rise

_YAW: Final = sin(radians(12))
_PITCH: Final = sin(radians(10))
_ROLL: Final = sin(radians(8))
_STEP: Final = 0.06
"""From one point to the next of the grid on which depth is kept, in widths of the face."""


@dataclass(frozen=True, slots=True)
class Turns:
    """The head of one picture."""

    width: float
    """Of the face, in pixels."""
    pivot: tuple[float, float]
    """On the neck, below the chin: what a tilting head turns about."""
    chin: float
    """The row below which the neck begins."""
    shoulders: float
    """The row where the neck has come to rest."""
    depth: Values
    """On a grid of the picture, in pixels towards the viewer."""
    step_px: int
    """From one point of that grid to the next."""

    @classmethod
    def of(cls, contours: Contours, size: tuple[int, int], collar: float | None = None) -> Turns:
        """For a picture of `size`, width and height. `collar`: the row where the clothes begin; a neck does not
        slide along them."""
        face = contours.width
        step = max(4, round(_STEP * face))
        neck = 0.55 if collar is None else float(np.clip((collar - contours.chin[1]) / face + 0.1, 0.3, 0.55))
        chin = float(contours.chin[1])
        middle = float(contours.oval[:, 0].mean())
        return cls(
            width=face,
            pivot=(0.5 * (middle + float(contours.chin[0])), chin + 0.25 * face),
            chin=chin + 0.05 * face,
            shoulders=chin + face * neck,
            depth=_depth(contours, size, step),
            step_px=step,
        )

    def rigid(self, points: Values, depth: float | None = None, over: float = 0.0) -> Values:
        """Fields for all of `RIGID` at points (rows, columns, 2). `depth` in pixels: of something flat; None: the
        face's own, plus `over`."""
        x, y = points[..., 0], points[..., 1]
        held = fall(y, self.chin, self.shoulders)
        z = self.depth_at(points) + over if depth is None else np.full_like(x, depth)
        moved: dict[Control, tuple[Values | float, Values | float]] = {
            Control.HEAD_YAW: (_YAW * z * held, 0.0),
            Control.HEAD_PITCH: (0.0, -_PITCH * z * held),
            Control.HEAD_ROLL: (-_ROLL * (y - self.pivot[1]) * held, _ROLL * (x - self.pivot[0]) * held),
            Control.HEAD_X: (0.1 * self.width * held, 0.0),
            Control.HEAD_Y: (0.0, -0.1 * self.width * held),
            Control.BREATH: self._breath(x, y),
        }
        out = np.zeros((len(RIGID), *x.shape, 2), np.float32)
        for i, control in enumerate(RIGID):
            out[i, ..., 0], out[i, ..., 1] = moved[control]
        return out

    def _breath(self, x: Values, y: Values) -> tuple[Values, Values]:
        chest = rise(y, self.chin - 0.1 * self.width, self.shoulders + 0.35 * self.width)
        up = -0.024 * self.width * (0.3 + 0.7 * chest)
        out = 0.010 * (x - self.pivot[0]) * chest
        return np.asarray(out, np.float32), np.asarray(up, np.float32)

    def depth_at(self, points: Values) -> Values:
        """The depth of the head at points of the picture; beyond the picture its edge goes on."""
        return taken(self.depth, (points / self.step_px).astype(np.float32))


def _depth(contours: Contours, size: tuple[int, int], step_px: int) -> Values:
    """Between the points of the surface as a smooth mean of those near; from the oval outwards as at the oval."""
    columns, rows = size[0] // step_px + 2, size[1] // step_px + 2
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).astype(np.float32) * step_px
    known, face = contours.surface.astype(np.float32), contours.width
    inward = _into(grid, contours.oval)
    x, y = inward.reshape(-1, 1, 2)[..., 0], inward.reshape(-1, 1, 2)[..., 1]
    apart = (x - known[:, 0]) ** 2 + (y - known[:, 1]) ** 2
    weights = 1 / (apart + np.float32(0.05 * face) ** 2) ** 2
    depth = (weights @ known[:, 2]) / weights.sum(axis=1)
    outside = np.linalg.norm(grid - inward, axis=-1)
    back = np.float32(np.percentile(known[:, 2], 5) * 0.8)
    shape = depth.reshape(rows, columns)
    shape = back + (shape - back) * fall(outside, 0.0, 0.35 * face)
    return soft(shape, max(0.06 * face / step_px, 0.6))


def _into(grid: Values, oval: Points) -> Values:
    """Each point, or where it lies outside of the oval the oval's point that is nearest."""
    flat = grid.reshape(-1, 2)
    polygon = oval.reshape(-1, 1, 2).astype(np.float32)
    dense = np.concatenate(
        [oval + (np.roll(oval, -1, axis=0) - oval) * t for t in np.linspace(0, 1, 4, endpoint=False)]
    ).astype(np.float32)
    inside = np.array([cv2.pointPolygonTest(polygon, (float(x), float(y)), False) >= 0 for x, y in flat])
    nearest = dense[((flat[:, None] - dense[None]) ** 2).sum(axis=2).argmin(axis=1)]
    return np.where(inside[:, None], flat, nearest).reshape(grid.shape).astype(np.float32)
