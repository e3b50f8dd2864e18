"""A puppet drawn on the CPU, by OpenCV.

A frame is two passes. The first, on the layers' grids alone, finds where the cells of each layer lie in its
image, and with that the few rectangles in which the layer is to be seen. The second enlarges the map, samples
the image and lays it over what is there, in those rectangles only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Final, NamedTuple

import cv2
import numpy as np

from avatar.controls import CONTROLS, RIGID, Control, Controls
from avatar.picture import Box, Picture, Plane
from avatar.puppet import Puppet
from avatar.render.mover import NO_MAP, Mover, Placed, Room
from avatar.render.prepare import CELL_PX, STEADY, Floats, Piece, Prepared, prepare, told
from avatar.render.visible import Cover, hidden, rectangles, shown

_VIEWS: Final = 1000
"""Sizes of rectangles that are kept in mind."""
_DEPTHS: Final = 32
"""Depths of breath that what only breathes is drawn in."""


class CpuPuppet:
    """A `Rig` for a puppet. Threads may share it; each has a scratch of its own, some megabytes.

    OpenCV spreads the work over its own threads unless `cv2.setNumThreads(1)` was called in the process, which
    costs more than it gains where many faces are drawn.
    """

    def __init__(self, puppet: Puppet) -> None:
        self._prepared: Prepared = prepare(puppet)
        self._layers = [_Layer(piece) for piece in self._prepared.pieces]
        self._own = threading.local()

    @property
    def name(self) -> str:
        return self._prepared.name

    @property
    def width(self) -> int:
        return self._prepared.plate.width

    @property
    def height(self) -> int:
        return self._prepared.plate.height

    def blank(self) -> Picture:
        return self._prepared.plate.copy()

    def draw(self, controls: Controls, picture: Picture) -> None:
        """See `Rig`. A value that is no number counts as 0."""
        scratch: _Scratch | None = getattr(self._own, "scratch", None)
        if scratch is None:
            scratch = self._own.scratch = _Scratch(self.width, self.height, self._layers)
        values = told(controls, scratch.told)
        _restore(self._prepared.live, self._prepared.plate, picture)
        for seen in _seen(self._layers, values, scratch):
            for stamp in seen if isinstance(seen, list) else _sampled(seen, scratch):
                _put(stamp, picture)


class _Stamp(NamedTuple):
    """A rectangle of a layer as it is to be seen; `clear` is 255 less alpha."""

    x: int
    y: int
    luma: Plane
    clear: Plane
    blue: Plane
    red: Plane
    clear_half: Plane


class _Seen(NamedTuple):
    """What is to be drawn: some whole cells of a piece, the first of them at this row and column, and where their
    points and those around them lie in the image."""

    piece: Piece
    opacity: float
    row: int
    column: int
    places: Floats


class _Breath(NamedTuple):
    """A layer at one depth of breath."""

    stamps: list[_Stamp]
    row: int
    column: int
    full: Plane
    """Which of its cells hide what is behind, from this row and column."""


class _Layer:
    """A piece and what is found out about it once."""

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.mover = Mover(piece)
        self.shows = shown(piece)
        self.hides = hidden(piece)
        others = np.delete(piece.steady, (0, 1 + RIGID.index(Control.BREATH)), axis=0)
        self.only_breathes = piece.flesh is None and piece.opacity is None and not others.any()
        self.breaths: dict[int, _Breath] = {}
        """What only breathes is sampled once for each depth. Filled as it is drawn, by any thread."""


class _Views(NamedTuple):
    """Room for a rectangle, in whole and in half size: colours in one, and apart."""

    colours: Plane
    quarter: Plane
    planes: list[Plane]
    halves: list[Plane]


class _Scratch:
    """What one thread draws in."""

    def __init__(self, width: int, height: int, layers: list[_Layer]) -> None:
        pixels = (width + 4 * CELL_PX) * (height + 4 * CELL_PX)
        self.told = np.empty(1 + CONTROLS, np.float32)
        self.map = np.empty(pixels * 2, np.float32)
        self._colours = np.empty(pixels * 4, np.uint8)
        self._quarter = np.empty(pixels, np.uint8)
        self._planes = [np.empty(pixels, np.uint8) for _ in range(4)]
        self._halves = [np.empty(pixels // 4, np.uint8) for _ in range(4)]
        self._views: dict[tuple[int, int], _Views] = {}
        self.cover = Cover(width, height)
        self.rooms = [Room(layer.piece) for layer in layers]

    def views(self, width: int, height: int) -> _Views:
        """Room for a rectangle of this size."""
        views = self._views.get((width, height))
        if views is None:
            if len(self._views) >= _VIEWS:
                self._views.clear()
            half = (height // 2, width // 2)
            views = self._views[width, height] = _Views(
                self._colours[: 4 * width * height].reshape(height, width, 4),
                self._quarter[: width * height].reshape(*half, 4),
                [plane[: width * height].reshape(height, width) for plane in self._planes],
                [plane[: half[0] * half[1]].reshape(half) for plane in self._halves],
            )
        return views


def _seen(layers: list[_Layer], values: Floats, scratch: _Scratch) -> list[_Seen | list[_Stamp]]:
    """What is to be drawn, back to front. It is found front to back, because the front hides the back."""
    found: list[_Seen | list[_Stamp]] = []
    steady, cover = values[STEADY], scratch.cover
    cover.clear()
    for index in range(len(layers) - 1, -1, -1):
        layer, room = layers[index], scratch.rooms[index]
        piece = layer.piece
        opacity = 1.0 if piece.opacity is None else float(values[piece.opacity])
        if opacity <= 0.0:
            continue
        if layer.only_breathes:
            breath = _breath(layer, values, room, scratch)
            found.append(breath.stamps)
            if layer.hides is not None:
                cover.add(breath.full, piece, breath.row, breath.column)
            continue
        placed = layer.mover.place(values, steady, room)
        if placed is None:
            continue
        marks = _looked_up(layer.shows, placed, room)
        whole = marks[1:-1, 1:-1]
        cover.take_from(whole, piece, placed.row, placed.column)
        found += _parts(piece, opacity, placed, whole)
        if layer.hides is not None:
            cover.add(_looked_up(layer.hides, placed, room), piece, placed.row, placed.column)
    found.reverse()
    return found


def _breath(layer: _Layer, values: Floats, room: Room, scratch: _Scratch) -> _Breath:
    """A layer that only breathes, at the depth that is nearest."""
    depth = round(float(values[1 + Control.BREATH]) * _DEPTHS)
    kept = layer.breaths.get(depth)
    if kept is None:
        steady = np.zeros(len(STEADY), np.float32)
        steady[0], steady[1 + RIGID.index(Control.BREATH)] = 1.0, depth / _DEPTHS
        placed = layer.mover.place(values, steady, room)
        if placed is None:
            return layer.breaths.setdefault(depth, _Breath([], 0, 0, np.zeros((3, 3), np.uint8)))
        whole = _looked_up(layer.shows, placed, room)[1:-1, 1:-1]
        stamps = [
            _Stamp(stamp.x, stamp.y, *(plane.copy() for plane in stamp[2:]))
            for part in _parts(layer.piece, 1.0, placed, whole)
            for stamp in _sampled(part, scratch)
        ]
        full = np.zeros((3, 3), np.uint8)
        if layer.hides is not None:
            full = _looked_up(layer.hides, placed, room).copy()
        kept = layer.breaths.setdefault(depth, _Breath(stamps, placed.row, placed.column, full))
    return kept


def _looked_up(classes: Plane, placed: Placed, room: Room) -> Plane:
    """What `classes` say at the points of a grid."""
    rows, columns = placed.places.shape[:2]
    marks = room.marks[: rows * columns].reshape(rows, columns)
    cv2.remap(classes, placed.places, NO_MAP, cv2.INTER_NEAREST, marks, cv2.BORDER_CONSTANT)
    return marks


def _parts(piece: Piece, opacity: float, placed: Placed, whole: Plane) -> list[_Seen]:
    """The marked cells, in rectangles."""
    row, column, places = placed
    return [
        _Seen(piece, opacity, row + y, column + x, places[y : y + height + 2, x : x + width + 2])
        for x, y, width, height in rectangles(whole, piece.step_px)
    ]


def _sampled(seen: _Seen, scratch: _Scratch) -> Iterator[_Stamp]:
    """A part of a piece within its box, in the scratch."""
    piece, opacity, row, column, places = seen
    step, box = piece.step_px, piece.box
    left, top = piece.left + column * step, piece.top + row * step
    x, y = max(left, box.x), max(top, box.y)
    width = min(left + (places.shape[1] - 2) * step, box.right) - x
    height = min(top + (places.shape[0] - 2) * step, box.bottom) - y
    if width <= 0 or height <= 0:
        return
    colours, quarter, planes, halves = scratch.views(width, height)
    at = _enlarged(places, step, scratch)[y - top : y - top + height, x - left : x - left + width]
    cv2.remap(piece.image, at, NO_MAP, cv2.INTER_LINEAR, colours, cv2.BORDER_CONSTANT)
    if opacity < 1.0:
        cv2.convertScaleAbs(colours, colours, opacity)
    cv2.resize(colours, (width // 2, height // 2), quarter, interpolation=cv2.INTER_AREA)
    cv2.split(colours, planes)
    cv2.split(quarter, halves)
    luma, _, _, alpha = planes
    _, blue, red, alpha_half = halves
    cv2.bitwise_not(alpha, alpha)
    cv2.bitwise_not(alpha_half, alpha_half)
    yield _Stamp(x, y, luma, alpha, blue, red, alpha_half)


def _put(stamp: _Stamp, picture: Picture) -> None:
    """Lay it over what is there."""
    x, y, luma, clear, blue, red, clear_half = stamp
    height, width = luma.shape
    _over(picture.y[y : y + height, x : x + width], luma, clear)
    rows, columns = slice(y // 2, (y + height) // 2), slice(x // 2, (x + width) // 2)
    _over(picture.u[rows, columns], blue, clear_half)
    _over(picture.v[rows, columns], red, clear_half)


def _enlarged(places: Floats, step_px: int, scratch: _Scratch) -> Floats:
    """The map of each pixel of some cells."""
    height, width = places.shape[0] * step_px, places.shape[1] * step_px
    whole = scratch.map[: height * width * 2].reshape(height, width, 2)
    cv2.resize(places, (width, height), whole, interpolation=cv2.INTER_LINEAR)
    return whole[step_px:-step_px, step_px:-step_px]


def _over(below: Plane, colour: Plane, clear: Plane) -> None:
    cv2.multiply(below, clear, below, 1 / 255)
    cv2.add(below, colour, below)


def _restore(box: Box, plate: Picture, picture: Picture) -> None:
    """The live part of the picture as it is without layers."""
    rows, columns = slice(box.y, box.bottom), slice(box.x, box.right)
    np.copyto(picture.y[rows, columns], plate.y[rows, columns])
    rows, columns = slice(box.y // 2, box.bottom // 2), slice(box.x // 2, box.right // 2)
    np.copyto(picture.u[rows, columns], plate.u[rows, columns])
    np.copyto(picture.v[rows, columns], plate.v[rows, columns])
