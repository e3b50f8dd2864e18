"""A puppet made ready for drawing, the same way for every device: colours as video has them, and fields on grids
that enlarge to pixels without a shift."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from avatar.controls import RIGID, SIGNED, Control, Controls
from avatar.picture import Box, Picture
from avatar.puppet import Layer, Puppet, Rgb, Rgba

Floats = npt.NDArray[np.float32]
Real = npt.NDArray[np.floating[Any]]
Places = npt.NDArray[np.intp]
Yuva = npt.NDArray[np.uint8]
"""Shape (height, width, 4): limited-range BT.601 Y, U, V, each times alpha / 255, and alpha."""

CELL_PX: Final = 16
"""Grids begin at multiples of it, so that those of two layers can be compared."""
STEADY: Final = np.array([0, *(1 + control for control in RIGID)], np.intp)
"""The rows of `Piece.steady` as places in what `told` gives."""
_FROM_RGB: Final = np.array(
    [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]], np.float32
) / np.float32(255)
"""ITU-R BT.601, full-range RGB to limited-range YUV."""
_OFFSET: Final = np.array([16, 128, 128], np.float32)
_STEPS_PX: Final = (CELL_PX, 8, 4)
_COARSER_PX: Final = 0.15
"""A coarser grid does if no field is further off than this anywhere."""
_COARSER_WHOLE_PX: Final = 0.8
"""Likewise for a layer that only moves as a whole, which meets no other at a seam."""
_STRETCH: Final = 1.3
"""How much more of its image a cell may show than its own size."""
_LOW: Final = np.array([-1.0 if control in SIGNED else 0.0 for control in Control], np.float32)


@dataclass(frozen=True, slots=True)
class Piece:
    """One layer, ready. Its grid has a point in the middle of every cell of `step_px`, and one cell more than it
    needs on every side: point (i, j) is the middle of the cell whose corner is (left + (j - 1) * step_px,
    top + (i - 1) * step_px) in the picture."""

    name: str
    box: Box
    image: Yuva
    """Only what shows, in a transparent frame of `reach_px`."""
    reach_px: int
    """A cell shows nothing of its image that is further than this from what its middle shows."""
    step_px: int
    left: int
    top: int
    steady: Floats
    """Shape (1 + RIGID, rows, columns, 2): where each point is, and what each rigid control adds to that; in cells
    from the first point, or in pixels of the image where `flesh` is None."""
    early: Floats | None
    """Shape (controls, rows, columns, 2): what each early control adds, in cells."""
    flesh: Floats | None
    """Shape (1 + controls, rows, columns, 2): from a place in the picture, in pixels from the first point, to the
    image's, and what each other control adds to that. None for a layer that only moves as a whole."""
    told_early: Places
    """The rows of `early` as places in what `told` gives."""
    told_flesh: Places
    opacity: int | None
    """The opacity's place in what `told` gives."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A whole puppet, ready."""

    name: str
    plate: Picture
    pieces: tuple[Piece, ...]
    live: Box
    """All of the picture that may ever change."""


def prepare(puppet: Puppet) -> Prepared:
    """Once per puppet: some tens of milliseconds."""
    pieces = tuple(piece(layer) for layer in puppet.layers if layer.image[..., 3].any())
    live = reduce(Box.around, (piece.box for piece in pieces)) if pieces else puppet.mouth
    return Prepared(puppet.name, plate(puppet.plate), pieces, live)


def told(controls: Controls, out: Floats | None = None) -> Floats:
    """A 1 and then the controls, each within its limits; what is no number counts as 0. Shape (..., 1 +
    CONTROLS)."""
    made = np.empty((*controls.shape[:-1], 1 + controls.shape[-1]), np.float32) if out is None else out
    made[..., 0] = 1.0
    values = made[..., 1:]
    np.clip(controls, _LOW, 1.0, out=values)
    values[np.isnan(values)] = 0.0
    return made


def piece(layer: Layer, area: Box | None = None, step_px: int | None = None) -> Piece:
    """A layer, ready; its grid covers `area`, by itself its box."""
    area, step = area or layer.box, step_px or coarsest_px(layer)
    left, top = area.x // CELL_PX * CELL_PX, area.y // CELL_PX * CELL_PX
    x, y = _points(left, area.right, step), _points(top, area.bottom, step)
    at = (x - layer.box.x) / layer.grid_px, (y - layer.box.y) / layer.grid_px
    rigid, fields = _moved(layer.rigid, *at), _moved(layer.fields, *at)
    moving = np.flatnonzero(np.abs(fields).max(axis=(1, 2, 3), initial=0) > 0)
    early, late = moving[moving < layer.early], moving[moving >= layer.early]
    reach = int(np.ceil(step / 2 * np.sqrt(2) * _STRETCH)) + 1
    shown, corner = _framed(layer, reach)
    places = np.stack(np.meshgrid(x, y), axis=-1)
    if len(moving):
        steady = np.concatenate([((places - places[0, 0]) / step)[None], -rigid / step])
        start = np.broadcast_to(places[0, 0] - corner, places.shape)
        flesh = np.ascontiguousarray(np.concatenate([start[None], -fields[late]]), np.float32)
    else:
        steady, flesh = np.concatenate([(places - corner)[None], -rigid]), None
    index = np.array(layer.controls, np.intp) + 1
    return Piece(
        name=layer.name,
        box=layer.box,
        image=premultiplied(shown),
        reach_px=reach,
        step_px=step,
        left=left,
        top=top,
        steady=np.ascontiguousarray(steady, np.float32),
        early=np.ascontiguousarray(-fields[early] / step, np.float32) if len(early) else None,
        flesh=flesh,
        told_early=index[early],
        told_flesh=np.concatenate([np.zeros(1, np.intp), index[late]]),
        opacity=None if layer.opacity is None else 1 + layer.opacity,
    )


def premultiplied(image: Rgba) -> Yuva:
    """Colours as video has them, times alpha."""
    alpha = image[..., 3:].astype(np.float32) / 255
    yuv = image[..., :3].astype(np.float32) @ _FROM_RGB.T + _OFFSET
    return np.ascontiguousarray(np.rint(np.concatenate([yuv * alpha, alpha * 255], axis=2)).astype(np.uint8))


def plate(rgb: Rgb) -> Picture:
    """A picture of red, green and blue as video has it."""
    height, width = rgb.shape[:2]
    picture = Picture(width, height)
    yuv = rgb.astype(np.float32) @ _FROM_RGB.T + _OFFSET
    picture.y[...] = np.rint(yuv[..., 0])
    half = yuv[..., 1:].reshape(height // 2, 2, width // 2, 2, 2).mean(axis=(1, 3))
    picture.u[...] = np.rint(half[..., 0])
    picture.v[...] = np.rint(half[..., 1])
    return picture


def coarsest_px(layer: Layer) -> int:
    """The side of the largest cells that carry the layer's fields."""
    limit = _COARSER_PX if np.any(layer.fields) else _COARSER_WHOLE_PX
    for step in _STEPS_PX[:-1]:
        if step <= layer.grid_px or all(
            _error(field[None], layer, step) < limit for field in (*layer.rigid, *layer.fields)
        ):
            return step
    return _STEPS_PX[-1]


def _error(fields: Floats, layer: Layer, step: int) -> float:
    """How far fields are off on a layer's grid when they are kept on one of cells of `step`."""
    left, top = layer.box.x // CELL_PX * CELL_PX, layer.box.y // CELL_PX * CELL_PX
    x = _points(left, layer.box.right, step) - layer.box.x
    y = _points(top, layer.box.bottom, step) - layer.box.y
    coarse = _moved(fields, x / layer.grid_px, y / layer.grid_px)
    back_x = (np.arange(fields.shape[2], dtype=np.float32) * layer.grid_px - x[0]) / step
    back_y = (np.arange(fields.shape[1], dtype=np.float32) * layer.grid_px - y[0]) / step
    return float(np.abs(_moved(coarse, back_x, back_y) - fields).max(initial=0))


def _points(low: int, high: int, step: int) -> Floats:
    """The middles of the cells from `low` to `high` and of one more at both ends."""
    cells = -(-(high - low) // step) + 2
    return ((np.arange(cells) - 0.5) * step - 0.5 + low).astype(np.float32)


def _moved(fields: Floats, x: Real, y: Real) -> Floats:
    """Fields on one grid, taken at the points of another; beyond the edge the edge goes on."""
    low, high, part = _between(y, fields.shape[1])
    rows = fields[:, low] + (fields[:, high] - fields[:, low]) * part[:, None, None]
    low, high, part = _between(x, fields.shape[2])
    return np.asarray(rows[:, :, low] + (rows[:, :, high] - rows[:, :, low]) * part[:, None], np.float32)


def _between(at: Real, points: int) -> tuple[Places, Places, Floats]:
    """The points before and after each place, and how far it is from one to the other."""
    inside = np.clip(at, 0, points - 1)
    low = np.minimum(inside.astype(np.intp), max(0, points - 2))
    return low, np.minimum(low + 1, points - 1), (inside - low).astype(np.float32)


def _framed(layer: Layer, frame_px: int) -> tuple[Rgba, Floats]:
    """What the layer's image shows, in a transparent frame, and where in the picture that begins."""
    alpha = layer.image[..., 3]
    top, bottom = _ends(alpha, 1)
    left, right = _ends(alpha, 0)
    frame = ((frame_px, frame_px), (frame_px, frame_px), (0, 0))
    corner = (layer.origin[0] + left - frame_px, layer.origin[1] + top - frame_px)
    return np.pad(layer.image[top:bottom, left:right], frame), np.array(corner, np.float32)


def _ends(alpha: npt.NDArray[np.uint8], axis: int) -> tuple[int, int]:
    """The first row or column that shows anything, and the one after the last."""
    places = np.flatnonzero(alpha.max(axis=axis))
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 1)
