"""A puppet as bytes, and back: for the cache and the enrolled face.

Layout: `MAGIC`, the length of the head as four bytes little-endian, the head as JSON, then all arrays packed by
zlib, one after the other; the head says of each its type and shape. What comes from outside is not believed: sizes
are bounded before a byte is unpacked, and nothing in it is run.
"""

from __future__ import annotations

import json
import zlib
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from avatar.controls import CONTROLS, Control
from avatar.errors import FaceMissing
from avatar.picture import Box
from avatar.puppet import Layer, Puppet

MAGIC: Final = b"AITWIN-PUPPET\x00\x02\x00"
"""The last two bytes are the version; it goes up when baking changes, so that a cache is not believed for ever."""
MOST_BYTES: Final = 256 << 20
"""Unpacked; a face at 1920x1080 takes about 60 MB."""
_HEAD_BYTES: Final = 64 << 10
_MOST_LAYERS: Final = 64
_TYPES: Final = {"u1": np.uint8, "f2": np.float16, "f4": np.float32}
_HOW: Final = "bake the face again from its photo or settings"


def to_bytes(puppet: Puppet) -> bytes:
    """Fields are kept to a sixteenth of a pixel or finer (half floats)."""
    arrays: list[npt.NDArray[Any]] = [puppet.plate]
    layers = []
    for layer in puppet.layers:
        arrays += [layer.image, layer.fields.astype(np.float16), layer.rigid.astype(np.float16)]
        layers.append(
            {
                "name": layer.name,
                "box": _numbers(layer.box),
                "origin": [float(at) for at in layer.origin],
                "grid_px": layer.grid_px,
                "controls": [int(control) for control in layer.controls],
                "early": layer.early,
                "opacity": None if layer.opacity is None else int(layer.opacity),
            }
        )
    head = {
        "name": puppet.name,
        "mouth": _numbers(puppet.mouth),
        "layers": layers,
        "arrays": [[array.dtype.str[1:], list(array.shape)] for array in arrays],
    }
    text = json.dumps(head, separators=(",", ":")).encode()
    body = zlib.compress(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays), 1)
    return MAGIC + len(text).to_bytes(4, "little") + text + body


def from_bytes(data: bytes) -> Puppet:
    """Raises `FaceMissing` for what is not a whole puppet of this version."""
    if data[: len(MAGIC)] != MAGIC:
        raise FaceMissing(f"this is no face of this version: {_HOW}")
    try:
        return _read(data[len(MAGIC) :])
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, zlib.error, RecursionError) as error:
        raise FaceMissing(f"the stored face is damaged ({type(error).__name__}): {_HOW}") from error


def _read(data: bytes) -> Puppet:
    length = int.from_bytes(data[:4], "little")
    if not 0 < length <= min(_HEAD_BYTES, len(data) - 4):
        raise ValueError("the head has no sane length")
    head = json.loads(data[4 : 4 + length])
    told = head["layers"]
    if len(told) > _MOST_LAYERS:
        raise ValueError("too many layers")
    arrays = _arrays(head["arrays"], data[4 + length :])
    if len(arrays) != 1 + 3 * len(told):
        raise ValueError("not the arrays of these layers")
    plate = arrays[0]
    if plate.ndim != 3 or plate.shape[2] != 3 or plate.dtype != np.uint8:
        raise ValueError("no plate")
    size = (int(plate.shape[1]), int(plate.shape[0]))
    layers = tuple(_layer(told[i], arrays[1 + 3 * i : 4 + 3 * i], size) for i in range(len(told)))
    return Puppet(str(head["name"])[:40], plate, layers, _box(head["mouth"], size))


def _arrays(told: list[Any], packed: bytes) -> list[npt.NDArray[Any]]:
    if len(told) > 1 + 3 * _MOST_LAYERS:
        raise ValueError("too many arrays")
    shapes = [(np.dtype(_TYPES[kind]), tuple(_whole(side, 1 << 14) for side in shape)) for kind, shape in told]
    wanted = sum(kind.itemsize * prod(shape) for kind, shape in shapes)
    if wanted > MOST_BYTES:
        raise ValueError("larger than any face")
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(packed, wanted + 1)
    if len(data) != wanted or not unpacker.eof or unpacker.unused_data:
        raise ValueError("more or less than its head says")
    arrays, at = [], 0
    for kind, shape in shapes:
        count = prod(shape)
        arrays.append(np.frombuffer(data, kind, count, at).reshape(shape))
        at += count * kind.itemsize
    return arrays


def _layer(told: dict[str, Any], arrays: list[npt.NDArray[Any]], size: tuple[int, int]) -> Layer:
    image, fields, rigid = arrays
    moved = [np.asarray(each, np.float32) for each in (fields, rigid)]
    reach = 4.0 * max(size)
    if not all(np.isfinite(each).all() and np.abs(each).max(initial=0.0) <= reach for each in moved):
        raise ValueError("fields beyond all measure")
    origin = (float(told["origin"][0]), float(told["origin"][1]))
    if not all(abs(at) <= reach for at in origin):
        raise ValueError("an image far from its picture")
    opacity = told["opacity"]
    return Layer(
        name=str(told["name"])[:40],
        box=_box(told["box"], size),
        image=image,
        origin=origin,
        grid_px=_whole(told["grid_px"], 256, least=1),
        fields=moved[0],
        controls=tuple(_control(each) for each in told["controls"]),
        rigid=moved[1],
        opacity=None if opacity is None else _control(opacity),
        early=_whole(told["early"], CONTROLS * 2),
    )


def _box(told: list[Any], size: tuple[int, int]) -> Box:
    x, y, width, height = (_whole(each, 1 << 14) for each in told)
    box = Box(x, y, width, height)
    if box.right > size[0] or box.bottom > size[1]:
        raise ValueError("a box beyond the picture")
    return box


def _numbers(box: Box) -> list[int]:
    return [box.x, box.y, box.width, box.height]


def _control(told: Any) -> Control:
    return Control(_whole(told, CONTROLS - 1))


def _whole(told: Any, most: int, least: int = 0) -> int:
    if not isinstance(told, int) or isinstance(told, bool) or not least <= told <= most:
        raise ValueError("a number out of its range")
    return told
