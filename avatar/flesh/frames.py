"""Coordinates of a part of the face: along it and across it, whatever way the head is held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatar.flesh.contours import Contours, Eye, Points
from avatar.flesh.shapes import Numbers, Values, through


@dataclass(frozen=True, slots=True)
class MouthFrame:
    """u runs along the lip line, -1 at the corner at the viewer's left, 1 at the other; v away from it, positive
    towards the chin, in mouth widths."""

    middle: Points
    along: Points
    """A unit vector from the left corner to the right one."""
    down: Points
    """A unit vector towards the chin."""
    width: float
    """From corner to corner in pixels."""
    line: Points
    """Points (n, 2) of the lip line: u, and pixels down from the straight line between the corners."""
    upper_lip: Points
    """Points (n, 2) of the upper lip's upper edge: u, and v (negative)."""
    lower_lip: Points
    """Points (n, 2) of the lower lip's lower edge: u, and v."""
    chin: float
    """v of the chin's lowest point."""

    @classmethod
    def of(cls, contours: Contours) -> MouthFrame:
        line = (contours.lips_inner_upper + contours.lips_inner_lower) / 2
        left, right = line[0], line[-1]
        width = max(float(np.linalg.norm(right - left)), 8.0)
        along = (right - left) / width
        down = np.array([-along[1], along[0]], np.float32)
        middle = (left + right) / 2

        def local(points: Numbers) -> Points:
            rel = points - middle
            out = np.stack([rel @ along / (width / 2), rel @ down], axis=1).astype(np.float32)
            return out[np.argsort(out[:, 0], kind="stable")]

        curve = local(line)

        def away(points: Points) -> Points:
            out = local(points)
            out[:, 1] = (out[:, 1] - through(out[:, 0], curve)) / width
            return out

        chin = away(np.array([contours.chin], np.float32))[0, 1]
        return cls(
            middle.astype(np.float32),
            along.astype(np.float32),
            down,
            width,
            curve,
            away(contours.lips_outer_upper),
            away(contours.lips_outer_lower),
            max(float(chin), 0.45),
        )

    def place(self, points: Points, *, plain: bool = False) -> tuple[Values, Values]:
        """u and v of points (..., 2) of the picture; `plain`: from the lip line's bow, without its waves."""
        rel = points - self.middle
        u = np.asarray(rel @ self.along / (self.width / 2), np.float32)
        line = self.bow * np.clip(1 - u * u, 0, None) if plain else through(u, self.line)
        return u, np.asarray((rel @ self.down - line) / self.width, np.float32)

    @property
    def bow(self) -> float:
        """How far the lip line hangs through in the middle, in pixels: more in a smile."""
        return float(through(np.linspace(-0.3, 0.3, 7, dtype=np.float32), self.line).mean())

    def vector(self, across: Numbers, down: Numbers) -> Values:
        """Displacements in pixels of the picture, of ones along and across in mouth widths."""
        out = across[..., None] * self.along + down[..., None] * self.down
        return np.asarray(out * self.width, np.float32)


@dataclass(frozen=True, slots=True)
class EyeFrame:
    """u runs from -1 at the inner corner to 1 at the outer one; all else is pixels, positive towards the chin."""

    middle: Points
    along: Points
    down: Points
    width: float
    upper: Points
    """Points (n, 2): u, and pixels down from the straight line between the corners."""
    lower: Points
    brow: float
    """Pixels from the middle of the brow down to the upper lid's edge."""
    opening: float
    """How far the lids are apart in the middle, in pixels."""

    @classmethod
    def of(cls, eye: Eye, mouth: MouthFrame) -> EyeFrame:
        inner, outer = eye.upper[0], eye.upper[-1]
        width = max(float(np.linalg.norm(outer - inner)), 4.0)
        along = (outer - inner) / width
        down = np.array([-along[1], along[0]], np.float32)
        if down @ mouth.down < 0:
            down = -down
        middle = (inner + outer) / 2

        def local(points: Points) -> Points:
            rel = points - middle
            out = np.stack([rel @ along / (width / 2), rel @ down], axis=1).astype(np.float32)
            return out[np.argsort(out[:, 0], kind="stable")]

        upper, lower = local(eye.upper), local(eye.lower)
        near = np.linspace(-0.5, 0.5, 9, dtype=np.float32)
        brow = float(np.median((eye.brow - middle) @ down))
        lid = float(upper[:, 1].min())
        return cls(
            middle.astype(np.float32),
            along.astype(np.float32),
            down.astype(np.float32),
            width,
            upper,
            lower,
            max(lid - brow, 0.2 * width),
            max(float(np.max(through(near, lower) - through(near, upper))), 1.0),
        )

    def place(self, points: Points) -> tuple[Values, Values]:
        """u, and pixels down from the line between the corners, of points (..., 2) of the picture."""
        rel = points - self.middle
        return np.asarray(rel @ self.along / (self.width / 2), np.float32), np.asarray(rel @ self.down, np.float32)

    def lids(self, u: Values) -> tuple[Values, Values]:
        """The edges of the upper and of the lower lid at u, in pixels down; beyond the corners they meet."""
        upper, lower = through(u, self.upper), through(u, self.lower)
        return upper, np.maximum(lower, upper)
