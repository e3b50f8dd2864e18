"""The pictures on a model's skin: measured before they are decoded, and made no larger than they will be seen."""

from __future__ import annotations

import struct
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from avatar.errors import UnfitModel
from avatar.head.accessors import Accessors
from avatar.head.container import embedded
from avatar.head.tree import Entry

Texture = npt.NDArray[np.uint8]
"""Shape (height, width, 4): red, green, blue and alpha."""

MOST_PIXELS: Final = 36_000_000
MOST_TEXTURES: Final = 64
KEPT_SIDE_PX: Final = 2048
FEW: Final = 8
"""Up to as many textures are kept that large; of more, each is half of it, so that memory stays bounded."""


def texture(image: Entry, accessors: Accessors, kept_side_px: int = KEPT_SIDE_PX) -> Texture:
    """One image of the model. Raises `UnfitModel` where it lies in another file, is broken, of an unknown kind or
    larger than any head needs."""
    view = image.integer("bufferView", -1, low=-1)
    if view >= 0:
        data = bytes(accessors.bytes_of(view))
    elif image.has("uri"):
        data = embedded(image.text("uri"), image.path)
    else:
        raise UnfitModel(f"{image.path} is missing; export the model as one .glb file with its textures")
    width, height = _size(data, image.path)
    if width * height > MOST_PIXELS or not width * height:
        raise UnfitModel(f"{image.path} is {width}x{height}; make it 4096x4096 or smaller")
    decoded = _decoded(data, image.path)
    side = max(decoded.shape[:2])
    if side > kept_side_px:
        decoded = shrunk(decoded, kept_side_px / side)
    return decoded


def shrunk(picture: Texture, scale: float) -> Texture:
    """The same picture with fewer pixels, each the mean of those it stands for."""
    height, width = picture.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _decoded(data: bytes, path: str) -> Texture:
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        found = None
    if found is None:
        raise UnfitModel(f"{path} is a broken picture; export the model with PNG or JPEG textures")
    pixels = np.asarray(found)
    if pixels.dtype == np.uint16:
        pixels = (pixels.astype(np.uint16) >> 8).astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise UnfitModel(f"{path} is not a picture of bytes; export the model with PNG or JPEG textures")
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    bands = pixels.shape[2]
    out = np.full((*pixels.shape[:2], 4), 255, np.uint8)
    if bands < 3:
        out[:, :, :3] = pixels[:, :, :1]
        if bands == 2:
            out[:, :, 3] = pixels[:, :, 1]
    else:
        out[:, :, :3] = pixels[:, :, 2::-1]
        if bands == 4:
            out[:, :, 3] = pixels[:, :, 3]
    return out


def _size(data: bytes, path: str) -> tuple[int, int]:
    """Width and height from the header alone, so that nothing large is ever decoded to find out that it is."""
    found: tuple[int, int] | None = None
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        found = struct.unpack_from(">II", data, 16)
    elif data[:2] == b"\xff\xd8":
        found = _jpeg_size(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30:
        found = _webp_size(data)
    if found is None:
        raise UnfitModel(f"{path} is no PNG, JPEG or WebP picture; export the model with PNG or JPEG textures")
    return found


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2
        if not 0xD0 <= marker <= 0xD9 and marker != 0x01:
            at += struct.unpack_from(">H", data, at)[0]
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
