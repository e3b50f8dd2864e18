"""Glasses in a photo: their rims become a piece of their own before the face.

Without that a blink would pull them down with the skin. Whether there are any is told by the bridge, which crosses
the nose where skin has no edge.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from avatar.flesh.contours import Contours, Eye, Front, Points
from avatar.portrait.arrays import Floats, floats, octets
from avatar.puppet import Rgb, Rgba

_EYES: Final = 100.0
"""Eyes are this far apart where rims are looked for, level, with the middle between them here:"""
_MIDDLE: Final = (130.0, 100.0)
_SIZE: Final = (260, 190)
_BRIDGE: Final = (slice(66, 132), slice(120, 141))
"""Rows and columns where the bridge would be."""
_CROSSES: Final = 0.08
"""How much darker or lighter than the skin around it a bridge is, by the skin's brightness."""
_LENSES: Final = (slice(46, 168), slice(24, 237))
"""Rows and columns where rims would be; the temples beyond go on as they were."""
_RIM: Final = 0.13
"""How much darker than what is around it a rim is, likewise."""
_WIDE: Final = 41
"""Rims are narrower than half of this."""
_LASHES: Final = 7
_BROW: Final = 9
"""Nothing is taken that near to the lids' edges and the brows' middle, which move by themselves."""


def taken_off(rgb: Rgb, contours: Contours) -> tuple[Rgb, Front] | None:
    """The picture without the rims, and the rims; None where nobody wears glasses."""
    there = _level(contours)
    grey = floats(cv2.cvtColor(octets(cv2.warpAffine(rgb, there, _SIZE)), cv2.COLOR_RGB2GRAY))
    skin = float(np.median(grey[120:160, 60:200]))
    if skin < 1 or not (side := _bridge(grey, skin)):
        return None
    rims = _rims(grey * side, skin, contours, there)
    if not rims.any():
        return None
    height, width = rgb.shape[:2]
    mask = octets(cv2.warpAffine(rims, cv2.invertAffineTransform(there), (width, height)))
    hole = octets(cv2.dilate((mask > 40).astype(np.uint8), np.ones((3, 3), np.uint8)))
    image: Rgba = np.dstack((rgb, cv2.GaussianBlur(hole * np.uint8(255), (0, 0), 0.8)))
    return _healed(rgb, hole), Front(image, _depth(contours))


def _level(contours: Contours) -> Floats:
    """The map (2, 3) of the picture to where rims are looked for."""
    right, left = (
        (eye.upper[0] + eye.upper[-1]).astype(np.float64) / 2 for eye in (contours.right, contours.left)
    )
    across, middle = left - right, (left + right) / 2
    turn = np.array(((across[0], across[1]), (-across[1], across[0]))) * (_EYES / float(across @ across))
    return floats(np.column_stack((turn, np.array(_MIDDLE) - turn @ middle)))


def _bridge(grey: Floats, skin: float) -> int:
    """1 for a bridge that is darker than the skin, -1 for a lighter one, 0 for none."""
    rows = cv2.GaussianBlur(grey[_BRIDGE].mean(1)[:, None], (1, 3), 0)[:, 0]
    around = floats(cv2.blur(rows[:, None], (1, 25), borderType=cv2.BORDER_REPLICATE))[:, 0]
    contrast = (around - rows)[4:-4] / skin
    strongest = float(contrast[np.abs(contrast).argmax()])
    return int(np.sign(strongest)) if abs(strongest) > _CROSSES else 0


def _rims(grey: Floats, skin: float, contours: Contours, there: Floats) -> Rgb:
    """What is darker than what is around it, beside lids and brows, in pieces that reach across a third of an eye.

    Of a picture in negative it is what is lighter.
    """
    around = floats(cv2.medianBlur(np.abs(grey).astype(np.uint8), _WIDE)) * np.sign(grey.mean())
    dark = ((around - cv2.GaussianBlur(grey, (0, 0), 0.8) > _RIM * skin) * 255).astype(np.uint8)
    dark = octets(cv2.dilate(dark, np.ones((3, 3), np.uint8)))
    inside = np.zeros_like(dark)
    inside[_LENSES] = dark[_LENSES]
    dark = inside
    for eye in (contours.right, contours.left):
        for points, thickness in ((_opening(eye), 2 * _LASHES), (eye.brow, 2 * _BROW)):
            line = [np.rint(points @ there[:, :2].T + there[:, 2]).astype(np.int32)]
            if points is not eye.brow:
                cv2.fillPoly(dark, line, 0)
            cv2.polylines(dark, line, points is not eye.brow, 0, thickness)
    _, pieces, boxes, _ = cv2.connectedComponentsWithStats(dark)
    wide, high = boxes[:, cv2.CC_STAT_WIDTH] > 0.3 * _EYES, boxes[:, cv2.CC_STAT_TOP] < _BRIDGE[0].stop
    rims = [index for index in range(1, len(boxes)) if wide[index] and high[index]]
    return (np.isin(pieces, rims) * 255).astype(np.uint8)


def _opening(eye: Eye) -> Points:
    return floats(np.concatenate((eye.upper, eye.lower[::-1])))


def _healed(rgb: Rgb, hole: Rgb) -> Rgb:
    """The picture with skin where the rims were."""
    rows, columns = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
    top, left = max(0, int(rows[0]) - 8), max(0, int(columns[0]) - 8)
    part = slice(top, int(rows[-1]) + 9), slice(left, int(columns[-1]) + 9)
    healed = rgb.copy()
    healed[part] = cv2.inpaint(
        np.ascontiguousarray(rgb[part]), np.ascontiguousarray(hole[part]), 4, cv2.INPAINT_TELEA
    )
    return healed


def _depth(contours: Contours) -> float:
    """That of the eyes: what is left of the glasses on the face must stay beside what was taken off."""
    corners = np.array([eye.upper[index] for eye in (contours.left, contours.right) for index in (0, -1)])
    apart = np.hypot(*(contours.surface[:, None, :2] - corners[None]).transpose(2, 0, 1))
    return float(contours.surface[apart.argmin(0), 2].mean())
