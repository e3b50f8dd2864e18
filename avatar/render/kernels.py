"""The inner loops of a puppet that is drawn by numba: where its layers lie, and what they show in each tile of the
picture.

They are plain functions on flat arrays. Importing this file imports numba, and the first call of `placed` and
`painted` compiles them, for some seconds; numba keeps what it made beside this file, or in NUMBA_CACHE_DIR.
They run without Python's lock and allocate nothing.

Colours are packed in 32 bits: Y, U, V and alpha from the lowest byte up; one multiplication weighs two of them.
How a puppet is packed is in `avatar/render/packed.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numba
import numpy as np
import numpy.typing as npt
from numba.core.compiler import Compiler

from avatar.picture import Plane

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
Packed = np.uint32

TILE_PX: Final = 16

# Columns of what is told of each piece; 2 to the power of BITS is twice its STEP.
(
    STEP, LEFT, TOP, ROWS, COLUMNS, IMAGE, IMAGE_WIDTH, IMAGE_HEIGHT, STEADY_AT, BLOCKS_AT, BLOCK_ROWS,
    BLOCK_COLUMNS, START_AT, REGION_ROWS, REGION_COLUMNS, EARLY_FIRST, EARLY_END, LATE_FIRST, LATE_END, OPACITY,
    BOX_LEFT, BOX_TOP, BOX_RIGHT, BOX_BOTTOM, PLACES_AT, BITS, ABOUT,
) = range(27)  # fmt: skip

# Columns of what is told of each patch of a field.
TOLD, ROW, COLUMN, HEIGHT, WIDTH, FIELD_AT, PATCH = range(7)

# What a cell of an image does whose middle is there.
SHOWS: Final = 1
HIDES: Final = 3

# What a piece does in a tile: nothing, or it shows in some rows, of which the lowest bits tell the first and the
# last quarter, and in the left and the right half by the next two bits; or it hides all behind it.
SHOWING: Final = 0b111100
HIDING: Final = 255

_HALF: Final = np.float32(0.5)
_ONE: Final = np.float32(1.0)
_ZERO: Final = np.float32(0.0)
_FINE: Final = np.float32(256.0)
_PAIR: Final = np.uint32(0x00FF00FF)
_ROUND: Final = np.uint32(0x00800080)
_EIGHT: Final = np.uint32(8)
_SIXTEEN: Final = np.uint32(16)
_LOW: Final = np.uintp(0)
_HIGH: Final = np.uintp(1)
_X: Final = np.uintp(0)
_Y: Final = np.uintp(1)
_NEXT: Final = np.uintp(1)
_TWO: Final = np.uintp(2)
_THREE: Final = np.uintp(3)
_at: Final = np.uintp
"""A place in an array. Numba would look whether a signed one is below 0, at every step of a loop."""


_Function = TypeVar("_Function", bound=Callable[..., Any])
_njit: Final[Any] = numba.njit
"""Its types know neither what its options are nor what it returns."""


class _Apart(Compiler):
    """Promises that the arrays of a call do not overlap, without which few loops become vector instructions."""

    def define_pipelines(self) -> Any:
        self.state.flags.noalias = True
        usual: Any = super()
        return usual.define_pipelines()


def _helper(function: _Function) -> _Function:
    made: _Function = _njit(_nrt=False, error_model="numpy", pipeline_class=_Apart)(function)
    return made


def _inline(function: _Function) -> _Function:
    made: _Function = _njit(_nrt=False, error_model="numpy", forceinline=True)(function)
    return made


def _kernel(function: _Function) -> _Function:
    how: dict[str, Any] = {"nogil": True, "_nrt": False, "error_model": "numpy", "pipeline_class": _Apart}
    made: _Function
    try:
        made = _njit(cache=True, **how)(function)
    except RuntimeError:
        # There is no folder that numba could write to.
        made = _njit(**how)(function)
    return made


@_kernel
def placed(
    values: F32,
    steady: F32,
    about: I64,
    bounds: F32,
    patches: I64,
    floats: F32,
    classes: Plane,
    places: F32,
    moved: F32,
    marks: Plane,
    tiles: Plane,
) -> None:
    """Where in its image each point of each piece's grid lies, in `places`; and what each piece does in each tile
    of the picture, in `tiles` of (pieces, rows, columns)."""
    tiles[:] = np.uint8(0)
    for p in range(about.shape[0]):
        if about[p, OPACITY] >= 0 and values[about[p, OPACITY]] <= _ZERO:
            continue
        step, columns = about[p, STEP], about[p, COLUMNS]
        k = TILE_PX // step
        top, bottom, left, right = _span(p, steady, about, bounds, floats, moved)
        if bottom <= top:
            continue
        first_row, last_row = top * k, min(bottom * k, about[p, ROWS] - 2) + 2
        first, last = left * k, min(right * k, columns - 2) + 2
        if last_row - first_row < 3 or last - first < 3:
            continue
        base = about[p, PLACES_AT]
        size = about[p, ROWS] * columns * 2
        at = about[p, STEADY_AT]
        for row in range(first_row, last_row):
            begin = (row * columns + first) * 2
            _weighed(steady, floats, at + begin, size, places, base + begin, (last - first) * 2)
        if about[p, START_AT] >= 0:
            if about[p, EARLY_END] > about[p, EARLY_FIRST]:
                for i in range(about[p, REGION_ROWS] * about[p, REGION_COLUMNS] * 2):
                    moved[_at(i)] = _ZERO
                _summed(p, EARLY_FIRST, values, about, patches, floats, moved)
                _carried(p, about, first_row, last_row, first, last, _ONE, moved, places)
            start = about[p, START_AT]
            for i in range(about[p, REGION_ROWS] * about[p, REGION_COLUMNS] * 2):
                moved[_at(i)] = floats[_at(start + i)]
            _summed(p, LATE_FIRST, values, about, patches, floats, moved)
            _carried(p, about, first_row, last_row, first, last, np.float32(step), moved, places)
        _marked(p, about, first_row, last_row, first, last, classes, places, marks)
        _tiled(p, about, top, bottom, left, right, marks, tiles)


@_helper
def _span(p: int, steady: F32, about: I64, bounds: F32, floats: F32, room: F32) -> tuple[int, int, int, int]:
    """The first and last rows and columns of tiles in which the piece may show, by the middle of each."""
    rows, columns = about[p, BLOCK_ROWS], about[p, BLOCK_COLUMNS]
    _weighed(steady, floats, about[p, BLOCKS_AT], rows * columns * 2, room, 0, rows * columns * 2)
    low_x, low_y, high_x, high_y = bounds[p, 0], bounds[p, 1], bounds[p, 2], bounds[p, 3]
    top, bottom, left, right = rows, 0, columns, 0
    for row in range(rows):
        for column in range(columns):
            i = _at(2 * (row * columns + column))
            if low_x <= room[i] <= high_x and low_y <= room[i + _NEXT] <= high_y:
                top, bottom = min(top, row), max(bottom, row + 1)
                left, right = min(left, column), max(right, column + 1)
    return top, bottom, left, right


@_helper
def _weighed(steady: F32, floats: F32, begin: int, size: int, out: F32, to: int, count: int) -> None:
    a, b, c, d = steady[0], steady[1], steady[2], steady[3]
    e, f, g = steady[4], steady[5], steady[6]
    for i in range(count):
        j = begin + i
        out[_at(to + i)] = (
            a * floats[_at(j)]
            + b * floats[_at(j + size)]
            + c * floats[_at(j + 2 * size)]
            + d * floats[_at(j + 3 * size)]
            + e * floats[_at(j + 4 * size)]
            + f * floats[_at(j + 5 * size)]
            + g * floats[_at(j + 6 * size)]
        )


@_helper
def _summed(p: int, which: int, values: F32, about: I64, patches: I64, floats: F32, moved: F32) -> None:
    """The fields of the early or the late controls, onto what is in `moved`."""
    columns = about[p, REGION_COLUMNS]
    for n in range(about[p, which], about[p, which + 1]):
        value = values[patches[n, TOLD]]
        if value == _ZERO:
            continue
        width = patches[n, WIDTH] * 2
        for row in range(patches[n, HEIGHT]):
            to = ((patches[n, ROW] + row) * columns + patches[n, COLUMN]) * 2
            at = patches[n, FIELD_AT] + row * width
            for i in range(width):
                moved[_at(to + i)] += value * floats[_at(at + i)]


@_helper
def _carried(
    p: int, about: I64, top: int, bottom: int, left: int, right: int, scale: Any, moved: F32, places: F32
) -> None:
    """To each place, times `scale`, what `moved` has there."""
    rows, columns = about[p, REGION_ROWS], about[p, REGION_COLUMNS]
    far_x, far_y = np.float32(columns - 1), np.float32(rows - 1)
    last_column, last_row, next_row = np.int32(columns - 2), np.int32(rows - 2), _at(2 * columns)
    for row in range(top, bottom):
        at = about[p, PLACES_AT] + (row * about[p, COLUMNS] + left) * 2
        for column in range(right - left):
            i = _at(at + 2 * column)
            x, y = places[i], places[i + _NEXT]
            inside_x, inside_y = min(max(x, _ZERO), far_x), min(max(y, _ZERO), far_y)
            j, k = min(np.int32(inside_x), last_column), min(np.int32(inside_y), last_row)
            u, v = inside_x - np.float32(j), inside_y - np.float32(k)
            a = _at((k * columns + j) * 2)
            b = a + next_row
            x_above = moved[a] + u * (moved[a + _TWO] - moved[a])
            x_below = moved[b] + u * (moved[b + _TWO] - moved[b])
            y_above = moved[a + _NEXT] + u * (moved[a + _THREE] - moved[a + _NEXT])
            y_below = moved[b + _NEXT] + u * (moved[b + _THREE] - moved[b + _NEXT])
            places[i] = x * scale + x_above + v * (x_below - x_above)
            places[i + _NEXT] = y * scale + y_above + v * (y_below - y_above)


@_helper
def _marked(
    p: int, about: I64, top: int, bottom: int, left: int, right: int, classes: Plane, places: F32, marks: Plane
) -> None:
    """What the image's classes say at each place."""
    columns, image, base = about[p, COLUMNS], about[p, IMAGE], about[p, PLACES_AT]
    width, height = about[p, IMAGE_WIDTH], about[p, IMAGE_HEIGHT]
    far_x, far_y = np.float32(width - 1), np.float32(height - 1)
    for row in range(top, bottom):
        for column in range(left, right):
            n = row * columns + column
            i = _at(base + 2 * n)
            # The frame around the image shows nothing.
            x = np.int32(min(max(places[i], _ZERO), far_x) + _HALF)
            y = np.int32(min(max(places[i + _NEXT], _ZERO), far_y) + _HALF)
            marks[_at(n)] = classes[_at(image + y * width + x)]


@_helper
def _tiled(p: int, about: I64, top: int, bottom: int, left: int, right: int, marks: Plane, tiles: Plane) -> None:
    """What all points in and around a tile have in common."""
    k = TILE_PX // about[p, STEP]
    for row in range(top, bottom):
        for column in range(left, right):
            i, j = about[p, TOP] // TILE_PX + row, about[p, LEFT] // TILE_PX + column
            if i >= tiles.shape[1] or j >= tiles.shape[2]:
                continue
            tiles[p, i, j] = np.uint8(_does(p, about, row * k, column * k, k, marks))
            x, y = j * TILE_PX, i * TILE_PX
            whole = x >= about[p, BOX_LEFT] and x + TILE_PX <= about[p, BOX_RIGHT]
            whole = whole and y >= about[p, BOX_TOP] and y + TILE_PX <= about[p, BOX_BOTTOM]
            if tiles[p, i, j] == HIDING and not (whole and about[p, OPACITY] < 0):
                tiles[p, i, j] = np.uint8(SHOWING)


@_helper
def _does(p: int, about: I64, row: int, column: int, k: int, marks: Plane) -> int:
    """What a piece does in the tile whose first cells are in this row and column of its grid."""
    columns = about[p, COLUMNS]
    rows, across = min(k + 2, about[p, ROWS] - row), min(k + 2, columns - column)
    all_of = HIDES
    for y in range(rows):
        for x in range(across):
            all_of &= int(marks[_at((row + y) * columns + column + x)])
    if all_of == HIDES:
        return HIDING
    first, last, halves = 4, -1, 0
    for y in range(1, min(k + 1, rows)):
        for x in range(1, min(k + 1, across)):
            if marks[_at((row + y) * columns + column + x)]:
                first, last = min(first, (y - 1) * 4 // k), max(last, (4 * y - 1) // k)
                halves |= 3 if k == 1 else 1 << (2 * (x - 1) // k)
    return first | last << 2 | halves << 4 if halves else 0


@_kernel
def painted(
    values: F32,
    about: I64,
    images: U32,
    places: F32,
    tiles: Plane,
    live: I64,
    lines: F32,
    seen: U32,
    tile: U32,
    below: tuple[Plane, Plane, Plane],
    onto: tuple[Plane, Plane, Plane],
) -> None:
    """Every tile of the live part, from the last layer that hides all behind it, or the plate, to the front."""
    plate_y, plate_u, plate_v = below
    y, u, v = onto
    for row in range(live[1] // TILE_PX, (live[3] + TILE_PX - 1) // TILE_PX):
        for column in range(live[0] // TILE_PX, (live[2] + TILE_PX - 1) // TILE_PX):
            first, some = -1, False
            for p in range(about.shape[0] - 1, -1, -1):
                some = some or tiles[p, row, column] != 0
                if tiles[p, row, column] == HIDING:
                    first = p
                    break
            left, top = column * TILE_PX, row * TILE_PX
            width, height = min(TILE_PX, y.shape[1] - left), min(TILE_PX, y.shape[0] - top)
            if not some:
                _restored(plate_y, y, left, top, width, height)
                _restored(plate_u, u, left // 2, top // 2, width // 2, height // 2)
                _restored(plate_v, v, left // 2, top // 2, width // 2, height // 2)
                continue
            if first < 0:
                _begun(plate_y, plate_u, plate_v, left, top, width, height, tile)
            for p in range(max(first, 0), about.shape[0]):
                does = int(tiles[p, row, column])
                if does:
                    _lined(p, about, left, top, places, lines)
                    does = SHOWING if does == HIDING else does
                    _laid(p, does, values, about, left, top, p == first, images, lines, seen, tile)
            _kept(tile, left, top, width, height, y, u, v)


@_helper
def _restored(plate: Plane, plane: Plane, left: int, top: int, width: int, height: int) -> None:
    for row in range(top, top + height):
        for column in range(left, left + width):
            plane[_at(row), _at(column)] = plate[_at(row), _at(column)]


@_helper
def _begun(y: Plane, u: Plane, v: Plane, left: int, top: int, width: int, height: int, tile: U32) -> None:
    """The plate as it is in a tile."""
    for row in range(height):
        luma, half = _at(top + row), _at((top + row) // 2)
        for column in range(width // 2):
            x, chroma, to = _at(left + 2 * column), _at(left // 2 + column), _at(row * TILE_PX + 2 * column)
            colour = np.uint32(u[half, chroma]) << _EIGHT | np.uint32(v[half, chroma]) << _SIXTEEN
            tile[to] = np.uint32(colour | np.uint32(y[luma, x]))
            tile[to + _NEXT] = np.uint32(colour | np.uint32(y[luma, x + _NEXT]))


@_helper
def _lined(p: int, about: I64, left: int, top: int, places: F32, lines: F32) -> None:
    """A tile's rows of grid points, each spread to the pixels across: x and then y, in `lines` of (2, points,
    TILE_PX)."""
    step, columns, rows = about[p, STEP], about[p, COLUMNS], about[p, ROWS]
    first, column = (top - about[p, TOP]) // step, np.int32((left - about[p, LEFT]) // step)
    last, rest, bits = np.int32(columns - 1), np.int32(2 * step - 1), np.int32(about[p, BITS])
    share = _ONE / np.float32(2 * step)
    for i in range((TILE_PX * 2 >> bits) + 2):
        at = about[p, PLACES_AT] + min(first + i, rows - 1) * columns * 2
        row = _at(i)
        for n in range(TILE_PX):
            # In halves of a pixel, from point 0, which is half a cell before the tile.
            away = np.int32(2 * n + 1 + step)
            j = np.int32(column + np.int32(away >> bits))
            part = np.float32(np.int32(away & rest)) * share
            a, b = _at(at + 2 * min(j, last)), _at(at + 2 * min(np.int32(j + 1), last))
            lines[_X, row, _at(n)] = places[a] + part * (places[b] - places[a])
            lines[_Y, row, _at(n)] = places[a + _NEXT] + part * (places[b + _NEXT] - places[a + _NEXT])


@_helper
def _laid(
    p: int,
    does: int,
    values: F32,
    about: I64,
    left: int,
    top: int,
    alone: bool,
    images: U32,
    lines: F32,
    seen: U32,
    tile: U32,
) -> None:
    """A piece over what is in a tile, or in its place."""
    step, image, width = about[p, STEP], about[p, IMAGE], about[p, IMAGE_WIDTH]
    # Just within the last column and row, so that the next one is there as well.
    far_x = np.float32(width - 1) - np.float32(0.01)
    far_y = np.float32(about[p, IMAGE_HEIGHT] - 1) - np.float32(0.01)
    share, bits = _ONE / np.float32(2 * step), about[p, BITS]
    next_row = _at(width)
    opacity = np.uint32(256)
    if about[p, OPACITY] >= 0:
        opacity = np.uint32(values[about[p, OPACITY]] * _FINE + _HALF)
    first = max(0 if does & 16 else TILE_PX // 2, about[p, BOX_LEFT] - left)
    last = min(TILE_PX if does & 32 else TILE_PX // 2, about[p, BOX_RIGHT] - left)
    first_row = max((does & 3) * TILE_PX // 4, about[p, BOX_TOP] - top)
    last_row = min(((does >> 2 & 3) + 1) * TILE_PX // 4, about[p, BOX_BOTTOM] - top)
    for row in range(first_row, last_row):
        away = 2 * row + 1 + step
        i = _at(away >> bits)
        i_next = i + _NEXT
        part = np.float32(away & (2 * step - 1)) * share
        at = row * TILE_PX
        for column in range(first, last):
            n = _at(column)
            x = lines[_X, i, n] + part * (lines[_X, i_next, n] - lines[_X, i, n])
            y = lines[_Y, i, n] + part * (lines[_Y, i_next, n] - lines[_Y, i, n])
            fine_x = np.int32(min(max(x, _ZERO), far_x) * _FINE)
            fine_y = np.int32(min(max(y, _ZERO), far_y) * _FINE)
            one = _at(image + np.int32(fine_y >> 8) * width + np.int32(fine_x >> 8))
            two = _at(one + next_row)
            u, v = np.uint32(fine_x & 255), np.uint32(fine_y & 255)
            low, high = _between(images[one], images[one + _NEXT], images[two], images[two + _NEXT], u, v)
            seen[_LOW, n], seen[_HIGH, n] = low, high
        if alone:
            for column in range(first, last):
                n = _at(column)
                tile[_at(at + column)] = np.uint32(seen[_LOW, n] | np.uint32(seen[_HIGH, n] << _EIGHT))
            continue
        if opacity < np.uint32(256):
            for column in range(first, last):
                n = _at(column)
                seen[_LOW, n] = _share(seen[_LOW, n], opacity)
                seen[_HIGH, n] = _share(seen[_HIGH, n], opacity)
        for column in range(first, last):
            n, to = _at(column), _at(at + column)
            low, high, under = seen[_LOW, n], seen[_HIGH, n], tile[to]
            clear = np.uint32(np.uint32(255) - np.uint32(high >> _SIXTEEN))
            clear = np.uint32(clear + np.uint32(clear >> np.uint32(7)))
            low = np.uint32(low + _share(np.uint32(under & _PAIR), clear))
            high = np.uint32(high + _share(np.uint32(np.uint32(under >> _EIGHT) & _PAIR), clear))
            tile[to] = np.uint32(low | np.uint32(high << _EIGHT))


@_inline
def _between(a: Packed, b: Packed, c: Packed, d: Packed, u: Packed, v: Packed) -> tuple[Packed, Packed]:
    """A colour between four, in two pairs; u and v are 256ths to the right and down."""
    corner = np.uint32(np.uint32(u * v) >> _EIGHT)
    right, down = np.uint32(u - corner), np.uint32(v - corner)
    first = np.uint32(a & _PAIR)
    low = np.uint32(
        np.uint32(first << _EIGHT)
        + np.uint32(np.uint32(np.uint32(b & _PAIR) - first) * right)
        + np.uint32(np.uint32(np.uint32(c & _PAIR) - first) * down)
        + np.uint32(np.uint32(np.uint32(d & _PAIR) - first) * corner)
    )
    first = np.uint32(np.uint32(a >> _EIGHT) & _PAIR)
    high = np.uint32(
        np.uint32(first << _EIGHT)
        + np.uint32(np.uint32(np.uint32(np.uint32(b >> _EIGHT) & _PAIR) - first) * right)
        + np.uint32(np.uint32(np.uint32(np.uint32(c >> _EIGHT) & _PAIR) - first) * down)
        + np.uint32(np.uint32(np.uint32(np.uint32(d >> _EIGHT) & _PAIR) - first) * corner)
    )
    low = np.uint32(np.uint32(np.uint32(low + _ROUND) >> _EIGHT) & _PAIR)
    return low, np.uint32(np.uint32(np.uint32(high + _ROUND) >> _EIGHT) & _PAIR)


@_inline
def _share(pair: Packed, of_256: Packed) -> Packed:
    """A pair of values from 0 to 255, each times as many 256ths."""
    return np.uint32(np.uint32(np.uint32(pair * of_256 + _ROUND) >> _EIGHT) & _PAIR)


@_helper
def _kept(tile: U32, left: int, top: int, width: int, height: int, y: Plane, u: Plane, v: Plane) -> None:
    """A tile in the picture; chroma is the mean of its four pixels."""
    for row in range(height):
        for column in range(width):
            y[_at(top + row), _at(left + column)] = np.uint8(tile[_at(row * TILE_PX + column)])
    for row in range(height // 2):
        for column in range(width // 2):
            at = _at(2 * (row * TILE_PX + column))
            below = at + _at(TILE_PX)
            high = (
                np.uint32(np.uint32(tile[at] >> _EIGHT) & _PAIR)
                + np.uint32(np.uint32(tile[at + _NEXT] >> _EIGHT) & _PAIR)
                + np.uint32(np.uint32(tile[below] >> _EIGHT) & _PAIR)
                + np.uint32(np.uint32(tile[below + _NEXT] >> _EIGHT) & _PAIR)
            )
            low = (
                np.uint32(tile[at] & _PAIR)
                + np.uint32(tile[at + _NEXT] & _PAIR)
                + np.uint32(tile[below] & _PAIR)
                + np.uint32(tile[below + _NEXT] & _PAIR)
            )
            y_half, x_half = _at(top // 2 + row), _at(left // 2 + column)
            u[y_half, x_half] = np.uint8(np.uint32(np.uint32(high) + np.uint32(2)) >> np.uint32(2))
            v[y_half, x_half] = np.uint8(np.uint32(np.uint32(low) + np.uint32(0x20000)) >> np.uint32(18))
