"""Closing the mouth of somebody who smiles in the photo, and keeping the teeth for when it opens.

The upper lip comes down and the lower one, with the chin, up, to the line where they would meet; each side is
warped on its own, so that nothing of what was between them is left. It is still a smile, a smaller one, with the
lips closed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from avatar.flesh.contours import Contours, Points
from avatar.portrait.arrays import floats, octets
from avatar.portrait.ease import Ease
from avatar.portrait.teeth import upper_teeth
from avatar.puppet import Rgb

Curve = npt.NDArray[np.float32]
"""A height for each column of the picture."""
Values = npt.NDArray[np.float32]

CLOSED: Final = 0.02
"""Lips this far apart, in face widths, are closed."""
_MEET: Final = 0.45
"""Where the lips meet: this far from the upper one to the lower one."""
_INSIDE: Final = 0.006
"""The lips' edges are taken so far inside of them, in face widths: a pixel of the teeth would be a white line."""
_TEETH: Final = 0.04
"""Teeth that show by less than this, in face widths, are not worth keeping."""
_PIT: Final = 0.045
"""How far around the ends of the lips pits are looked for, in face widths."""
_DARKER: Final = 0.78
"""Darker than what is around by this factor is a pit."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The picture with the mouth shut."""

    rgb: Rgb
    contours: Contours
    teeth: Rgb | None
    """The upper teeth, as wide as the mouth, if they showed."""


def closed(rgb: Rgb, contours: Contours) -> Closed:
    """Close the mouth. One that is closed already only gets its two inner edges made one."""
    gap = float(np.max(contours.lips_inner_lower[:, 1] - contours.lips_inner_upper[:, 1]))
    seam = _seam(contours)
    if gap < CLOSED * contours.width:
        return Closed(rgb, replace(contours, lips_inner_upper=seam, lips_inner_lower=seam.copy()), None)
    teeth = upper_teeth(rgb, contours) if gap > _TEETH * contours.width else None
    pull = Pull.of(contours, seam, rgb.shape[1])
    top, bottom, left, right = pull.reach(rgb.shape[:2])
    part = _warped(rgb[top:bottom, left:right], pull, left, top)
    part = _with_line(_without_pits(part, pull, seam - (left, top)), pull, left, top)
    at_ease = Ease.of(pull.moved(contours, seam))
    shut = rgb.copy()
    shut[top:bottom, left:right] = at_ease.image(part, left, top)
    return Closed(shut, at_ease.contours, teeth)


def _seam(contours: Contours) -> Points:
    """The line where the lips meet, its ends where the corners are."""
    upper, lower = contours.lips_inner_upper, contours.lips_inner_lower
    seam = upper + (lower - upper) * _MEET
    seam[:, 0] = (upper[:, 0] + lower[:, 0]) / 2
    return np.asarray(seam, np.float32)


def _curve(columns: npt.NDArray[np.float32], points: Points) -> Curve:
    return np.interp(columns, points[:, 0], points[:, 1]).astype(np.float32)


def _fade(distance: npt.NDArray[np.float32], reach: float) -> npt.NDArray[np.float32]:
    """1 at the lips' edge, 0 from `reach` on, smooth."""
    share = np.clip(distance / reach, 0, 1)
    return np.asarray(1 - share * share * (3 - 2 * share), np.float32)


@dataclass(frozen=True, slots=True)
class Pull:
    """How the lips come together: heights and distances for each column of the picture."""

    line: Curve
    """Where they meet."""
    down: Curve
    """How far the upper lip comes down."""
    up: Curve
    """How far the lower lip comes up."""
    jaw: Curve
    """How far the chin comes up: smoothly, whatever the shape of the lip."""
    above_px: float
    below_px: float
    """How far up and down from the line the flesh moves along: to the nose, and beyond the chin."""
    lip_px: float
    """From the line down, where the lip's own movement has become the chin's."""
    corners: tuple[float, float]
    width: float
    """Of the face."""

    @classmethod
    def of(cls, contours: Contours, seam: Points, columns: int) -> Pull:
        """For a picture so many columns wide."""
        x = np.arange(columns, dtype=np.float32)
        inset = _INSIDE * contours.width
        line = _curve(x, seam)
        left, right = float(seam[0, 0]), float(seam[-1, 0])
        narrow = np.clip(np.minimum(x - left, right - x) / max(2.0, 0.05 * (right - left)), 0, 1)
        down = (line - _curve(x, contours.lips_inner_upper) + inset) * narrow
        up = (_curve(x, contours.lips_inner_lower) + inset - line) * narrow
        outer = contours.lips_outer_upper
        beyond = np.maximum(np.maximum(outer[0, 0] - x, x - outer[-1, 0]), 0)
        middle = float(contours.lips_inner_upper[5, 1])
        nose = contours.nose_tip[1] + 0.25 * (middle - contours.nose_tip[1])
        chin = contours.chin[1] + 0.35 * (contours.chin[1] - middle)
        lip = float(np.max(contours.lips_outer_lower[:, 1] - contours.lips_inner_lower[:, 1]))
        return cls(
            line=line,
            down=down.astype(np.float32),
            up=up.astype(np.float32),
            jaw=(0.8 * float(up.max()) * _fade(beyond, 0.18 * contours.width)).astype(np.float32),
            above_px=max(4.0, middle - nose),
            below_px=max(8.0, chin - middle),
            lip_px=max(3.0, 2.2 * lip),
            corners=(float(outer[0, 0]), float(outer[-1, 0])),
            width=contours.width,
        )

    def reach(self, shape: tuple[int, int]) -> tuple[int, int, int, int]:
        """The top, bottom, left and right of all that moves in a picture of (height, width)."""
        aside = 0.2 * self.width
        return (
            max(0, int(self.line.min() - self.above_px - 4)),
            min(shape[0], int(self.line.max() + self.below_px + 4)),
            max(0, int(self.corners[0] - aside)),
            min(shape[1], int(self.corners[1] + aside)),
        )

    def above(self, x: slice, rows: Values) -> Values:
        """Which row the upper side shows at each of `rows`."""
        return np.asarray(rows - self.down[x] * _fade(self.line[x] - rows, self.above_px), np.float32)

    def below(self, x: slice, rows: Values) -> Values:
        """Which row the lower side shows."""
        depth = rows - self.line[x]
        move = self.up[x] + (self.jaw[x] - self.up[x]) * (1 - _fade(depth, self.lip_px))
        return np.asarray(rows + move * _fade(depth, self.below_px), np.float32)

    def moved(self, contours: Contours, seam: Points) -> Contours:
        """Where the contours lie in the closed picture: each point's row found among those that show it."""
        rows = np.arange(0.0, float(contours.chin[1]) * 1.4, 0.25).astype(np.float32)[:, None]
        last = len(self.line) - 1

        def shifted(points: Points, *, upper: bool) -> Points:
            result = points.copy()
            for index, (x, y) in enumerate(points):
                column = int(np.clip(round(float(x)), 0, last))
                shown = (self.above if upper else self.below)(slice(column, column + 1), rows)
                result[index, 1] = np.interp(y, np.maximum.accumulate(shown[:, 0]), rows[:, 0])
            return result

        outer_upper = shifted(contours.lips_outer_upper, upper=True)
        outer_lower = shifted(contours.lips_outer_lower, upper=False)
        outer_upper[[0, -1]] = outer_lower[[0, -1]] = (outer_upper[[0, -1]] + outer_lower[[0, -1]]) / 2
        oval = contours.oval.copy()
        low = oval[:, 1] > float(seam[:, 1].max())
        oval[low] = shifted(oval[low], upper=False)
        chin = shifted(np.array([contours.chin], np.float32), upper=False)[0]
        return replace(
            contours,
            lips_outer_upper=outer_upper,
            lips_inner_upper=seam,
            lips_inner_lower=seam.copy(),
            lips_outer_lower=outer_lower,
            oval=oval,
            chin=(float(chin[0]), float(chin[1])),
        )


def _warped(part: Rgb, pull: Pull, left: int, top: int) -> Rgb:
    """The part of the picture whose corner lies there, with the lips together."""
    height, width = part.shape[:2]
    rows = np.arange(top, top + height, dtype=np.float32)[:, None]
    x = slice(left, left + width)
    across = np.ascontiguousarray(np.broadcast_to(np.arange(width, dtype=np.float32), (height, width)))
    upper = cv2.remap(part, across, pull.above(x, rows) - top, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    lower = cv2.remap(part, across, pull.below(x, rows) - top, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    share = np.clip(rows - pull.line[x] + 0.5, 0, 1)[..., None]
    return octets(np.rint(upper + (floats(lower) - upper) * share).astype(np.uint8))


def _without_pits(part: Rgb, pull: Pull, seam: Points) -> Rgb:
    """Skin at both ends of the lips, where a smile leaves a dark pit that would stay when the mouth opens."""
    radius = _PIT * pull.width
    y, x = np.mgrid[: part.shape[0], : part.shape[1]]
    grey = floats(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY))
    pits = np.zeros(grey.shape, np.uint8)
    for end in (seam[0], seam[-1]):
        near = np.hypot(x - end[0], y - end[1]) < radius
        if near.any():
            pits |= (near & (grey < _DARKER * np.median(grey[near]))).astype(np.uint8)
    if not pits.any():
        return part
    return octets(cv2.inpaint(part, cv2.dilate(pits, np.ones((3, 3), np.uint8)), 3, cv2.INPAINT_TELEA))


def _with_line(part: Rgb, pull: Pull, left: int, top: int) -> Rgb:
    """The thin shadow where closed lips meet."""
    height, width = part.shape[:2]
    columns = np.arange(left, left + width, dtype=np.float32)
    rows = np.arange(top, top + height, dtype=np.float32)[:, None]
    one, two = pull.corners
    ends = np.clip(np.minimum(columns - one, two - columns) / (0.10 * (two - one)), 0, 1)
    sigma = max(0.7, 0.006 * pull.width)
    shadow = 0.42 * np.exp(-(((rows - pull.line[left : left + width]) / sigma) ** 2) / 2) * ends
    return np.clip(part * (1 - shadow[..., None] * (0.85, 1.0, 1.0)), 0, 255).astype(np.uint8)
