"""Pictures of any size and kind as a call's own: I420 in the call's size, the face in the middle."""

from __future__ import annotations

from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from avatar.errors import UnfitPicture
from avatar.picture import Picture

Kind = Literal["i420", "rgb", "rgba", "jpeg"]
KINDS: Final[tuple[Kind, ...]] = ("i420", "rgb", "rgba", "jpeg")
MAX_SIDE_PX: Final = 4_096
MAX_JPEG_BYTES: Final = 8 << 20
_MOST_CUT: Final = 0.5
"""More than this part of a picture is not cut off; bars are shown instead."""
_ABOVE: Final = 1 / 3
"""Of what is cut off above and below, the part above: heads are in the upper half."""

Pixels = npt.NDArray[np.uint8]


def fitted(kind: Kind, data: bytes, source: tuple[int, int], size: tuple[int, int]) -> Picture:
    """A new picture of `size` (width, height) that the source fills: what is too wide is cut at both sides, what
    is too high more below than above, and where more than half would go, it is shown whole between bars.

    `source` is the width and height of raw pixels; a JPEG has its own. Raises `UnfitPicture` for data that is no
    such picture.
    """
    if kind == "jpeg":
        return _placed(_decoded(data), size)
    width, height = source
    _check(width, height)
    if kind == "i420":
        planes = _shaped(data, (height * 3 // 2, width), even=(width | height) & 1 == 0)
        if source == size:
            picture = Picture(*size)
            picture.i420[...] = planes
            return picture
        return _placed(cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420).astype(np.uint8, copy=False), size)
    pixels = _shaped(data, (height, width, 4 if kind == "rgba" else 3))
    return _placed(np.ascontiguousarray(pixels[:, :, :3]), size)


def _shaped(data: bytes, shape: tuple[int, ...], *, even: bool = True) -> Pixels:
    if not even or len(data) != int(np.prod(shape)):
        raise UnfitPicture("the picture has another size than was said")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _decoded(data: bytes) -> Pixels:
    if not 4 <= len(data) <= MAX_JPEG_BYTES:
        raise UnfitPicture(f"a JPEG picture has up to {MAX_JPEG_BYTES >> 20} MiB")
    _check(*_jpeg_size(data))
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise UnfitPicture("the picture is no JPEG that can be read")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height as the file's header says, before anything is decoded (ITU-T T.81, B.2.2)."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    raise UnfitPicture("the picture is no JPEG that can be read")


def _check(width: int, height: int) -> None:
    if not (16 <= width <= MAX_SIDE_PX and 16 <= height <= MAX_SIDE_PX):
        raise UnfitPicture(f"pictures have sides of 16 to {MAX_SIDE_PX} pixels, got {width}x{height}")


def _placed(rgb: Pixels, size: tuple[int, int]) -> Picture:
    picture = Picture(*size)
    width, height = size
    fill = max(width / rgb.shape[1], height / rgb.shape[0])
    kept = width * height / (rgb.shape[0] * rgb.shape[1] * fill * fill)
    if kept >= 1 - _MOST_CUT:
        across, down = width / fill, height / fill
        left, top = round((rgb.shape[1] - across) / 2), round((rgb.shape[0] - down) * _ABOVE)
        canvas = _scaled(rgb[top : top + round(down), left : left + round(across)], width, height)
    else:
        canvas = np.zeros((height, width, 3), np.uint8)
        whole = min(width / rgb.shape[1], height / rgb.shape[0])
        across_px, down_px = max(1, round(rgb.shape[1] * whole)), max(1, round(rgb.shape[0] * whole))
        left, top = (width - across_px) // 2, (height - down_px) // 2
        canvas[top : top + down_px, left : left + across_px] = _scaled(rgb, across_px, down_px)
    cv2.cvtColor(canvas, cv2.COLOR_RGB2YUV_I420, dst=picture.i420)
    return picture


def _scaled(rgb: Pixels, width: int, height: int) -> Pixels:
    if rgb.shape[:2] == (height, width):
        return np.ascontiguousarray(rgb)
    shrinks = width < rgb.shape[1]
    scaled = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return scaled.astype(np.uint8, copy=False)
