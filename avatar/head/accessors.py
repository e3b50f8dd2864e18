"""Numbers in a model's buffers, read with all bounds checked."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from avatar.errors import UnfitModel
from avatar.head.container import Container
from avatar.head.tree import Entry

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

MOST_ELEMENTS: Final = 3_000_000
"""In one accessor."""

_KINDS: Final[dict[int, np.dtype[np.generic]]] = {
    5120: np.dtype("<i1"),
    5121: np.dtype("<u1"),
    5122: np.dtype("<i2"),
    5123: np.dtype("<u2"),
    5125: np.dtype("<u4"),
    5126: np.dtype("<f4"),
}
_WIDTHS: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Accessors:
    """The accessors of a container. What they give has shape (count, width)."""

    def __init__(self, container: Container) -> None:
        self._buffers = container.buffers
        self._views = container.root.entries("bufferViews")
        self._entries = container.root.entries("accessors")

    def __len__(self) -> int:
        return len(self._entries)

    def floats(self, index: int, width: int) -> Floats:
        """As float32; whole numbers that are normalized come as -1 to 1 or 0 to 1. Not finite ones are refused."""
        entry = self._entry(index)
        raw = self._raw(entry, width)
        values = raw.astype(np.float32)
        if entry.flag("normalized") and raw.dtype.kind in "iu":
            values /= np.float32(np.iinfo(raw.dtype.name).max)
            np.maximum(values, -1.0, out=values)
        if not np.isfinite(values).all():
            raise UnfitModel(f"{entry.path} has numbers that are not finite; export the model again")
        # No product of a few of them may overflow.
        np.clip(values, -1e6, 1e6, out=values)
        return values

    def colours(self, index: int) -> Floats:
        """RGBA; alpha is 1 where there is none."""
        width = _WIDTHS.get(self._entry(index).text("type"), 0)
        if width not in (3, 4):
            raise UnfitModel(f"{self._entry(index).path} is not a colour; export the model again")
        found = np.ones((self.count(index), 4), np.float32)
        found[:, :width] = self.floats(index, width)
        return np.clip(found, 0.0, 1.0, out=found)

    def integers(self, index: int, width: int) -> Integers:
        entry = self._entry(index)
        raw = self._raw(entry, width)
        if raw.dtype.kind == "f":
            raise UnfitModel(f"{entry.path} is not of whole numbers; export the model again")
        return raw.astype(np.int64)

    def count(self, index: int) -> int:
        return self._entry(index).integer("count", high=2**31 - 1)

    def bytes_of(self, index: int) -> memoryview:
        """A whole buffer view, for images."""
        if not 0 <= index < len(self._views):
            raise UnfitModel(f"a buffer view {index} of {len(self._views)} is wanted; export the model again")
        view = self._views[index]
        start, length, buffer = self._bounds(view)
        return buffer[start : start + length]

    def _entry(self, index: int) -> Entry:
        if not 0 <= index < len(self._entries):
            raise UnfitModel(f"an accessor {index} of {len(self._entries)} is wanted; export the model again")
        return self._entries[index]

    def _raw(self, entry: Entry, width: int) -> npt.NDArray[np.generic]:
        count = entry.integer("count")
        if count > MOST_ELEMENTS:
            raise UnfitModel(f"{entry.path} has {count} elements, the most is {MOST_ELEMENTS}; decimate the model")
        if _WIDTHS.get(entry.text("type")) != width:
            raise UnfitModel(f"{entry.path} is {entry.text('type')[:16]!r}, want {width} numbers each")
        kind = _kind(entry)
        view = entry.index("bufferView", len(self._views))
        if view is None:
            values: npt.NDArray[np.generic] = np.zeros((count, width), kind)
        else:
            values = self._strided(view, entry.integer("byteOffset", 0), count, width, kind, entry.path)
        if entry.has("sparse"):
            values = self._sparse(entry.entry("sparse"), values, width)
        return values

    def _sparse(self, entry: Entry, base: npt.NDArray[np.generic], width: int) -> npt.NDArray[np.generic]:
        count = entry.integer("count", high=len(base))
        where, what = entry.entry("indices"), entry.entry("values")
        at_view = where.integer("bufferView", high=max(0, len(self._views) - 1))
        of_view = what.integer("bufferView", high=max(0, len(self._views) - 1))
        if not self._views:
            raise UnfitModel(f"{entry.path} refers to no buffer view; export the model again")
        kind = _kind(where)
        if kind.kind == "f":
            raise UnfitModel(f"{where.path} is not of whole numbers; export the model again")
        at = self._strided(at_view, where.integer("byteOffset", 0), count, 1, kind, where.path)[:, 0].astype(
            np.int64
        )
        if len(at) and (at.min() < 0 or at.max() >= len(base)):
            raise UnfitModel(f"{where.path} refers beyond the {len(base)} elements; export the model again")
        values = base.copy()
        values[at] = self._strided(of_view, what.integer("byteOffset", 0), count, width, base.dtype, what.path)
        return values

    def _strided(
        self, view_index: int, offset: int, count: int, width: int, kind: np.dtype[np.generic], path: str
    ) -> npt.NDArray[np.generic]:
        view = self._views[view_index]
        start, length, buffer = self._bounds(view)
        size = kind.itemsize * width
        stride = view.integer("byteStride", 0, high=65_536) or size
        if stride < size or (count and offset + stride * (count - 1) + size > length):
            raise UnfitModel(f"{path} reaches beyond its {length} bytes; the file is damaged, export it again")
        if not count:
            return np.zeros((0, width), kind)
        raw = np.frombuffer(buffer[start + offset : start + length], np.uint8)
        rows = np.lib.stride_tricks.as_strided(raw, (count, size), (stride, 1), writeable=False)
        return np.ascontiguousarray(rows).view(kind)

    def _bounds(self, view: Entry) -> tuple[int, int, memoryview]:
        number = view.index("buffer", len(self._buffers))
        if number is None:
            raise UnfitModel(f"{view.path} has no buffer; export the model again")
        buffer = self._buffers[number]
        start, length = view.integer("byteOffset", 0), view.integer("byteLength")
        if start + length > len(buffer):
            raise UnfitModel(f"{view.path} reaches beyond its {len(buffer)} bytes; the file is cut off")
        return start, length, buffer


def _kind(entry: Entry) -> np.dtype[np.generic]:
    kind = _KINDS.get(entry.integer("componentType"))
    if kind is None:
        raise UnfitModel(f"{entry.path} has numbers of an unknown kind; export the model again")
    return kind
