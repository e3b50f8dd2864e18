"""A puppet as the compiled kernels take it: all pieces in a few flat arrays, and tables of what lies where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from avatar.picture import Plane
from avatar.render import kernels as k
from avatar.render.mover import Mover, Patch
from avatar.render.prepare import Floats, Piece, Prepared
from avatar.render.visible import hidden, shown

Table = npt.NDArray[np.int64]

_FAR_PX: Final = 1e6


@dataclass(frozen=True, slots=True)
class Packed:
    """See the columns in `kernels`."""

    about: Table
    bounds: Floats
    """For each piece, the least and the most x and y of a tile's middle at which the tile may show it."""
    patches: Table
    floats: Floats
    images: npt.NDArray[np.uint32]
    classes: Plane
    """As long as `images`: `SHOWS` or `HIDES` where a cell whose middle falls there does."""
    live: Table
    points: int
    """Of all grids together."""
    region_points: int
    """Of the largest region that flesh moves in, or of the most tiles that a piece lies in."""
    grid_points: int
    """Of the largest grid."""


def pack(prepared: Prepared) -> Packed:
    """Once per puppet."""
    pieces = prepared.pieces
    about = np.zeros((len(pieces), k.ABOUT), np.int64)
    bounds = np.zeros((len(pieces), 4), np.float32)
    patches: list[list[int]] = []
    floats, images, classes = _Flat(np.float32), _Flat(np.uint32), _Flat(np.uint8)
    points = regions = 0
    for row, bound, piece in zip(about, bounds, pieces, strict=True):
        mover = Mover(piece)
        bound[:] = (*mover.low[:2], *mover.high[:2])
        rows, columns = piece.steady.shape[1:3]
        height, width = piece.image.shape[:2]
        blocks = mover.blocks[
            :,
            : -(-(rows - 2) * piece.step_px // k.TILE_PX),
            : -(-(columns - 2) * piece.step_px // k.TILE_PX),
        ]
        row[[k.STEP, k.LEFT, k.TOP, k.ROWS, k.COLUMNS]] = (piece.step_px, piece.left, piece.top, rows, columns)
        row[k.BITS] = piece.step_px.bit_length()
        row[[k.IMAGE_WIDTH, k.IMAGE_HEIGHT]] = (width, height)
        row[k.IMAGE] = images.add(np.ascontiguousarray(piece.image).view(np.uint32))
        classes.add(_classes(piece))
        row[k.STEADY_AT], row[k.BLOCKS_AT] = floats.add(mover.steady), floats.add(blocks)
        regions = max(regions, blocks[0].size // 2)
        row[[k.BLOCK_ROWS, k.BLOCK_COLUMNS]] = blocks.shape[1:3]
        row[k.START_AT] = -1
        if mover.start is not None:
            row[k.START_AT] = floats.add(mover.start)
            row[[k.REGION_ROWS, k.REGION_COLUMNS]] = mover.start.shape[:2]
            regions = max(regions, mover.start.size // 2)
            for first, found in ((k.EARLY_FIRST, mover.early), (k.LATE_FIRST, mover.late)):
                row[first] = len(patches)
                patches += _listed(found.patches() if found is not None else (), floats)
                row[first + 1] = len(patches)
        row[k.OPACITY] = -1 if piece.opacity is None else piece.opacity
        box = piece.box
        row[[k.BOX_LEFT, k.BOX_TOP, k.BOX_RIGHT, k.BOX_BOTTOM]] = (box.x, box.y, box.right, box.bottom)
        row[k.PLACES_AT] = points * 2
        points += rows * columns
    live = prepared.live
    return Packed(
        about=about,
        bounds=bounds,
        patches=np.array(patches, np.int64).reshape(-1, k.PATCH),
        # The kernels look at no bounds: nothing may send them to a place that is no number.
        floats=np.clip(np.nan_to_num(floats.whole()), -_FAR_PX, _FAR_PX),
        images=images.whole(),
        classes=classes.whole(),
        live=np.array(
            [live.x, live.y, min(live.right, prepared.plate.width), min(live.bottom, prepared.plate.height)],
            np.int64,
        ),
        points=points,
        region_points=regions,
        grid_points=int((about[:, k.ROWS] * about[:, k.COLUMNS]).max(initial=1)),
    )


class _Flat:
    """Arrays one after the other."""

    def __init__(self, kind: type[np.generic]) -> None:
        self._kind, self._size = kind, 1
        # Numba takes no empty array for granted: a puppet may have no layers.
        self._parts: list[npt.NDArray[Any]] = [np.zeros(1, kind)]

    def add(self, array: npt.NDArray[Any]) -> int:
        """Where it begins."""
        begin = self._size
        self._parts.append(np.ascontiguousarray(array, self._kind).reshape(-1))
        self._size += array.size
        return begin

    def whole(self) -> npt.NDArray[Any]:
        return np.concatenate(self._parts)


def _listed(patches: Iterable[Patch], floats: _Flat) -> list[list[int]]:
    rows = []
    for told, down, across, field in patches:
        rows.append([told, down.start, across.start, *field.shape[:2], floats.add(field)])
    return rows


def _classes(piece: Piece) -> Plane:
    found = np.where(shown(piece) > 0, np.uint8(k.SHOWS), np.uint8(0))
    hides = hidden(piece, 1)
    if hides is not None:
        found[hides > 0] = k.HIDES
    return found
