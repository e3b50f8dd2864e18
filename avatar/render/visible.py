"""Where in a frame each layer is to be seen: a few rectangles of its grid.

Two pictures as large as a layer's image say what a cell whose middle falls there shows: `shows` is 255 where it
may show something, `hides` where it is opaque all over. Looked up at the points of the layer's grid they give a
mark for each cell, and rectangles are laid around the marks.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

import cv2
import numpy as np

from avatar.picture import Plane
from avatar.render.prepare import CELL_PX, Piece

_HIDES_PX: Final = 10_000
"""A layer with fewer opaque pixels is not worth asking what it hides."""
_HIDDEN_PX: Final = 20_000
"""A layer with a smaller grid is drawn also where it is hidden."""
_RECTANGLE_PX: Final = 8000
"""What one more rectangle costs, in pixels drawn."""
_BANDS: Final = 8


class Rectangle(NamedTuple):
    """Cells of a piece's grid, counted from the first whole one."""

    x: int
    y: int
    width: int
    height: int


class Cover:
    """The cells of `CELL_PX` of a picture that are hidden by what was drawn in front."""

    def __init__(self, width: int, height: int) -> None:
        self._cells = np.zeros((-(-height // CELL_PX), -(-width // CELL_PX)), np.uint8)
        self._any = False

    def clear(self) -> None:
        self._cells.fill(0)
        self._any = False

    def take_from(self, marks: Plane, piece: Piece, row: int, column: int) -> None:
        """Unmark the cells of a piece that are hidden. `marks` begins at this row and column of its whole
        cells."""
        rows, columns = marks.shape
        if not self._any or rows * columns * piece.step_px**2 < _HIDDEN_PX:
            return
        part, finer = self._under(marks, piece, row, column), CELL_PX // piece.step_px
        size = (part.shape[1] * finer, part.shape[0] * finer)
        hidden = cv2.resize(part, size, interpolation=cv2.INTER_NEAREST)
        inside = marks[: hidden.shape[0], : hidden.shape[1]]
        np.bitwise_and(inside, np.bitwise_not(hidden[:rows, :columns]), out=inside)

    def add(self, full: Plane, piece: Piece, row: int, column: int) -> None:
        """A piece hides what is behind it; `full` are all its points there, and one more on every side. A cell
        counts when those around it are full as well, so that no strain of the map between them is overlooked."""
        finer = CELL_PX // piece.step_px
        least = cv2.erode(full, np.ones((finer + 2, finer + 2), np.uint8), anchor=(1, 1))
        whole = full[1:-1, 1:-1]
        rows, columns = whole.shape[0] // finer, whole.shape[1] // finer
        under = self._under(whole, piece, row, column)[:rows, :columns]
        np.bitwise_or(under, least[1 : 1 + rows * finer : finer, 1 : 1 + columns * finer : finer], out=under)
        self._any = True

    def _under(self, marks: Plane, piece: Piece, row: int, column: int) -> Plane:
        """The cells of the picture under some whole cells of a piece, which begin where one of the picture's
        does."""
        finer = CELL_PX // piece.step_px
        top, left = piece.top // CELL_PX + row // finer, piece.left // CELL_PX + column // finer
        rows, columns = (-(-side // finer) for side in marks.shape)
        return self._cells[top : top + rows, left : left + columns]


def shown(piece: Piece) -> Plane:
    """`shows` of the module's docstring."""
    alpha = piece.image[..., 3]
    return np.asarray(cv2.dilate(np.where(alpha > 0, np.uint8(255), np.uint8(0)), _reach(piece)), np.uint8)


def hidden(piece: Piece, least_px: int = _HIDES_PX) -> Plane | None:
    """`hides` of the module's docstring; None for a layer that has fewer opaque pixels."""
    opaque = np.where(piece.image[..., 3] == 255, np.uint8(255), np.uint8(0))
    if piece.opacity is not None or cv2.countNonZero(opaque) < least_px:
        return None
    hides = cv2.erode(opaque, _reach(piece), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(hides, np.uint8)


def rectangles(marks: Plane, step_px: int) -> list[Rectangle]:
    """The marked cells in few rectangles, since each costs as much time as some thousand pixels."""
    x, y, width, height = cv2.boundingRect(marks)
    if not width:
        return []
    spare = _RECTANGLE_PX // step_px**2
    if width * height < 3 * spare:
        return [Rectangle(x, y, width, height)]
    bands = min(_BANDS, height)
    rows = [y + height * band // bands for band in range(bands + 1)]
    middle = x + width // 2
    found = [_side(marks, rows, left, right, spare) for left, right in ((x, middle), (middle, x + width))]
    both = [(one, other) for one in found[0] for other in found[1] if _beside(one, other)]
    alone = [part for side in found for part in side if not any(part in pair for pair in both)]
    return [_around(one, other) for one, other in both] + alone


def _side(marks: Plane, rows: list[int], left: int, right: int, spare: int) -> list[Rectangle]:
    """Rectangles of one side from top to bottom; bands are joined that together waste no more than `spare`."""
    side: list[Rectangle] = []
    useful = 0
    for top, bottom in pairwise(rows):
        x, y, width, height = cv2.boundingRect(marks[top:bottom, left:right])
        if not width:
            continue
        part = Rectangle(left + x, top + y, width, height)
        useful += width * height
        joined = _around(side[-1], part) if side else part
        if side and joined.width * joined.height <= useful + spare:
            side[-1] = joined
        else:
            useful = width * height
            side.append(part)
    return side


def _beside(one: Rectangle, other: Rectangle) -> bool:
    """Whether both together are a rectangle."""
    return one.y == other.y and one.height == other.height and one.x + one.width == other.x


def _around(a: Rectangle, b: Rectangle) -> Rectangle:
    x, y = min(a.x, b.x), min(a.y, b.y)
    return Rectangle(x, y, max(a.x + a.width, b.x + b.width) - x, max(a.y + a.height, b.y + b.height) - y)


def _reach(piece: Piece) -> Plane:
    return np.ones((2 * piece.reach_px + 1, 2 * piece.reach_px + 1), np.uint8)
