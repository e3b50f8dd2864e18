"""Photos of people for tests, and what can be done to them."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Rgb = npt.NDArray[np.uint8]

COLLINS = Path(__file__).parent / "photos" / "collins.jpg"
IRISES = ((179.0, 101.5), (222.5, 103.5))
"""Where they are in the picture, by hand; the one at the viewer's left first."""


@cache
def collins() -> Rgb:
    """Her photo, (400, 400, 3)."""
    rgb = np.asarray(Image.open(COLLINS).convert("RGB")).copy()
    rgb.setflags(write=False)
    return rgb


def encoded(rgb: Rgb, kind: str = "PNG", **options: object) -> bytes:
    """The picture as a file."""
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, kind, **options)
    return out.getvalue()


def larger(rgb: Rgb, factor: float) -> Rgb:
    way = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=way), np.uint8)


def turned(rgb: Rgb, degrees: float) -> Rgb:
    """Clockwise around the middle."""
    height, width = rgb.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    return np.asarray(cv2.warpAffine(rgb, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)
