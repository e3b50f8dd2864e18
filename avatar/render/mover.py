"""Where the cells of a layer lie in its image, for one frame: only those that may show something, and as little of
the fields as that needs, since what a frame costs here is mostly the memory it reads."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from avatar.controls import SIGNED
from avatar.picture import Plane
from avatar.render.prepare import CELL_PX, Floats, Piece, Places

NO_MAP: Final = np.empty((0, 0), np.float32)
"""In place of the second map that OpenCV takes where the first has only one coordinate."""
_NOTHING_PX: Final = 0.03
"""A field that is nowhere stronger is left out."""
_SLACK_PX: Final = 15
"""From the middle of a block of cells to its corners, with some strain."""
_FAR: Final = 1e6
_DENSE_FLOATS: Final = 40_000
"""Fields of fewer numbers are summed as a whole, others in patches where they are not nothing."""


class Placed(NamedTuple):
    """Part of a piece's grid. `row` and `column` are its first whole cell; `places`, of (rows + 2, columns + 2,
    2), has a point more on every side, in pixels of the image."""

    row: int
    column: int
    places: Floats


class Patch(NamedTuple):
    """One control's field, where it is something."""

    told: int
    rows: slice
    columns: slice
    field: Floats


class Mover:
    """The moves of one piece. It is only read, so threads may share it; `Room` is each one's own."""

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self._step = piece.step_px
        self._blocks_of = CELL_PX // piece.step_px
        steady = piece.steady.copy()
        if piece.flesh is None:
            self.start: Floats | None = None
            height, width = piece.image.shape[:2]
            slack, ends = float(_SLACK_PX), (False, False, False, False)
        else:
            top, bottom, left, right = _reached(piece)
            ends = (left == 0, top == 0, right == steady.shape[2], bottom == steady.shape[1])
            steady[0] -= (left, top)
            region = (slice(None), slice(top, bottom), slice(left, right))
            self.start = np.ascontiguousarray(piece.flesh[0, top:bottom, left:right])
            # A place is counted from the region's first point now.
            self.start += np.array([left, top], np.float32) * piece.step_px
            self.late = Sum(piece.flesh[1:][region], piece.told_flesh[1:], _NOTHING_PX)
            self.early = None
            if piece.early is not None:
                self.early = Sum(piece.early[region], piece.told_early, _NOTHING_PX / piece.step_px)
            height, width = bottom - top, right - left
            slack = _SLACK_PX / piece.step_px
        self.steady = steady
        middle = self._blocks_of // 2 + (1 if self._blocks_of == 1 else 0)
        self.blocks = np.ascontiguousarray(steady[:, middle :: self._blocks_of, middle :: self._blocks_of])
        # Beyond the end of the grid its edge goes on.
        bounds = (-slack, -slack, width - 1 + slack, height - 1 + slack)
        low_x, low_y, high_x, high_y = (
            np.copysign(_FAR, bound) if end else bound for bound, end in zip(bounds, ends, strict=True)
        )
        self.low, self.high = (low_x, low_y, 0.0, 0.0), (high_x, high_y, 0.0, 0.0)

    def place(self, values: Floats, steady: Floats, room: Room) -> Placed | None:
        """`values` as `told` gives them, `steady` the ones for `Piece.steady`. None: nothing shows."""
        blocks = np.einsum("n,nijc->ijc", steady, self.blocks)
        x, y, width, height = cv2.boundingRect(cv2.inRange(blocks, self.low, self.high))
        if not width:
            return None
        k = self._blocks_of
        rows = min((y + height) * k, self.steady.shape[1] - 2) - y * k + 2
        columns = min((x + width) * k, self.steady.shape[2] - 2) - x * k + 2
        if rows < 3 or columns < 3:
            return None
        part = self.steady[:, y * k : y * k + rows, x * k : x * k + columns]
        places = room.places[: rows * columns * 2].reshape(rows, columns, 2)
        np.einsum("n,nijc->ijc", steady, part, out=places)
        if self.start is not None:
            there = room.there[: rows * columns * 2].reshape(rows, columns, 2)
            moved = room.moved[: self.start.size].reshape(self.start.shape)
            if self.early is not None:
                moved.fill(0.0)
                self.early.add(values, moved)
                cv2.remap(moved, places, NO_MAP, cv2.INTER_LINEAR, there, cv2.BORDER_REPLICATE)
                cv2.add(places, there, places)
            np.copyto(moved, self.start)
            self.late.add(values, moved)
            cv2.remap(moved, places, NO_MAP, cv2.INTER_LINEAR, there, cv2.BORDER_REPLICATE)
            cv2.scaleAdd(places, self._step, there, places)
        return Placed(y * k, x * k, places)


class Room:
    """What one thread places a piece in."""

    def __init__(self, piece: Piece) -> None:
        size = piece.steady[0].size
        self.places = np.empty(size, np.float32)
        self.there = np.empty(size, np.float32)
        self.moved = np.empty(size, np.float32)
        self.marks: Plane = np.empty(size // 2, np.uint8)


class Sum:
    """The sum of fields for the controls of a frame."""

    def __init__(self, fields: Floats, told: Places, nothing: float) -> None:
        strong = np.abs(fields).max(axis=(1, 2, 3), initial=0) > nothing
        self._told, self._fields = told[strong], np.ascontiguousarray(fields[strong])
        self._nothing = nothing
        self._patches = self.patches() if self._fields.size > _DENSE_FLOATS else None

    def patches(self) -> list[Patch]:
        return [_patch(field, int(at), self._nothing) for field, at in zip(self._fields, self._told, strict=True)]

    def add(self, values: Floats, moved: Floats) -> None:
        if self._patches is None:
            if len(self._told):
                moved += np.einsum("n,nijc->ijc", values[self._told], self._fields)
            return
        for told, rows, columns, field in self._patches:
            value = values[told]
            if value:
                under = moved[rows, columns]
                cv2.scaleAdd(field, float(value), under, under)


def _patch(field: Floats, told: int, nothing: float) -> Patch:
    strong = np.abs(field).max(axis=-1) > nothing
    rows, columns = (_span(strong.any(axis=axis)) for axis in (1, 0))
    return Patch(told, rows, columns, np.ascontiguousarray(field[rows, columns]))


def _reached(piece: Piece) -> tuple[int, int, int, int]:
    """The first and last rows and columns of the grid from which the piece's image can be reached at all."""
    assert piece.flesh is not None
    rows, columns = piece.steady.shape[1:3]
    rest = piece.flesh[0] + np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) * piece.step_px
    low, high = _extremes(piece.flesh[1:], piece.told_flesh[1:])
    if piece.early is not None:
        early_low, early_high = _extremes(piece.early * piece.step_px, piece.told_early)
        far = int(np.ceil(max(-early_low.min(), early_high.max()) / piece.step_px))
        around = np.ones((2 * far + 1, 2 * far + 1), np.uint8)
        low = cv2.erode(low, around) + early_low
        high = cv2.dilate(high, around) + early_high
    size = np.array(piece.image.shape[1::-1])
    reached = ((rest + low <= size) & (rest + high >= -1)).all(axis=-1)
    if not reached.any():
        return 0, rows, 0, columns
    down, across = _span(reached.any(axis=1)), _span(reached.any(axis=0))
    return (
        max(0, down.start - 1),
        min(rows, down.stop + 1),
        max(0, across.start - 1),
        min(columns, across.stop + 1),
    )


def _extremes(fields: Floats, told: Places) -> tuple[Floats, Floats]:
    """The least and the most that the fields can add anywhere."""
    low, high = np.minimum(fields, 0), np.maximum(fields, 0)
    signed = np.isin(told - 1, [int(control) for control in SIGNED])
    both = np.abs(fields[signed])
    low[signed], high[signed] = -both, both
    return low.sum(axis=0), high.sum(axis=0)


def _span(some: npt.NDArray[np.bool_]) -> slice:
    """From the first to the last that is true."""
    places = np.flatnonzero(some)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 1)
