"""Cutting a photo to the size of the picture: the face in the right place, with room over the head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from avatar.flesh.contours import Contours
from avatar.portrait.arrays import octets

Image = npt.NDArray[np.uint8]

FACE_SHARE: Final = 0.36
"""How wide the face is in the picture, as a share of its shorter side; in between where the photo allows."""
_MOST_SHARE: Final = 0.52
_EYE_LINE: Final = 0.43
"""How far down the picture the middle of the face lies."""
_CHIN_ROOM: Final = 0.14
"""At least this share of the picture is below the chin."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of a photo that becomes a picture."""

    x: float
    y: float
    """Its corner in the photo's pixels; it may lie outside."""
    scale: float
    """Pixels of the picture for each of the photo."""


def cut_for(contours: Contours, photo: tuple[int, int], width: int, height: int) -> Cut:
    """Where to cut a photo of (height, width) for a picture of this size.

    The face comes to lie in the middle, as large as `FACE_SHARE` says, or larger where the photo ends before.
    """
    rows, columns = photo
    low, high = contours.oval.min(0), contours.oval.max(0)
    face = contours.width
    wanted = FACE_SHARE * min(width, height) / face
    most = _MOST_SHARE * min(width, height) / face
    whole = max(width / columns, height / rows)
    scale = min(max(wanted, whole), most)
    middle_x, eyes_y = (low[0] + high[0]) / 2, low[1] + 0.36 * (high[1] - low[1])
    x = middle_x - width / 2 / scale
    y = min(eyes_y - _EYE_LINE * height / scale, low[1] - 0.02 * height / scale)
    y = max(y, high[1] + _CHIN_ROOM * height / scale - height / scale)
    return Cut(_within(x, columns, width / scale), _within(y, rows, height / scale, low=True), scale)


def _within(start: float, length: float, wanted: float, *, low: bool = False) -> float:
    """The start moved so that as little as can be lies outside; what must, lies on both sides, or above."""
    if wanted > length:
        return length - wanted if low else min(0.0, max(start, length - wanted))
    return min(max(start, 0.0), length - wanted)


def cut_out(rgb: Image, cut: Cut, width: int, height: int) -> Image:
    """The part as a picture. Where the photo has nothing its edge goes on, more and more blurred."""
    step = 1 / cut.scale
    source, x, y = np.asarray(rgb), cut.x, cut.y
    if step > 1.5:
        # Shrinking takes the mean of what falls together; the rest of the way is by Lanczos.
        source = octets(cv2.resize(rgb, None, fx=1.25 / step, fy=1.25 / step, interpolation=cv2.INTER_AREA))
        x, y, step = x * source.shape[1] / rgb.shape[1], y * source.shape[0] / rgb.shape[0], 1.25
    offset = (step - 1) / 2
    matrix = np.array([[step, 0, x + offset], [0, step, y + offset]])
    picture = cv2.warpAffine(
        source, matrix, (width, height), flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    if cut.scale > 1.25:
        soft = cv2.GaussianBlur(picture, (0, 0), 0.7 * cut.scale)
        picture = cv2.addWeighted(picture, 1.35, soft, -0.35, 0)
    return _blur_beyond(octets(picture), cut, rgb.shape[:2])


def _blur_beyond(picture: Image, cut: Cut, photo: tuple[int, int]) -> Image:
    height, width = picture.shape[:2]
    left, top = -cut.x * cut.scale, -cut.y * cut.scale
    right, bottom = left + photo[1] * cut.scale, top + photo[0] * cut.scale
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    beyond = np.maximum(np.maximum(left - x, x - right)[None, :], np.maximum(top - y, y - bottom)[:, None])
    if beyond.max() <= 1:
        return picture
    result = picture.astype(np.float32)
    for sigma in (4, 16):
        soft = cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.float32)
        share = np.clip(beyond / (2 * sigma), 0, 1)[..., None]
        result += (soft - result) * share
    return np.clip(result, 0, 255).astype(np.uint8)
