"""Pictures out of colours and opacities, and colours out of pictures."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from avatar.flesh.shapes import Numbers, Values
from avatar.puppet import Rgba

Kind = TypeVar("Kind", np.uint8, np.float32)


def rgba(colour: Numbers, alpha: Numbers) -> Rgba:
    """Of colours (..., 3) from 0 to 255, or one for all, and opacities (...) from 0 to 1."""
    colours = np.broadcast_to(colour, (*alpha.shape, 3))
    whole = np.concatenate([colours, 255 * alpha[..., None]], axis=-1)
    return np.asarray(np.clip(np.rint(whole), 0, 255), np.uint8)


def taken(image: npt.NDArray[Kind], at: Values) -> npt.NDArray[Kind]:
    """The image at places (rows, columns, 2) between its pixels; beyond its edge the edge goes on."""
    whole = cv2.remap(image, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(whole, image.dtype)


def soft(image: Numbers, reach_px: float) -> Values:
    """Blurred by a Gaussian."""
    return np.asarray(cv2.GaussianBlur(np.asarray(image, np.float32), (0, 0), reach_px), np.float32)


def spread(colour: Numbers, known: Numbers, reach_px: float) -> Values:
    """Colours where they are known (1), and smooth from there over all the rest (0)."""
    here = np.asarray(known, np.float32)[..., None]
    total, weight = np.zeros(colour.shape, np.float32), np.zeros(here.shape, np.float32)
    for reach, share in ((reach_px, 1.0), (3 * reach_px, 1e-3), (9 * reach_px, 1e-6)):
        total += np.float32(share) * soft(colour * here, reach)
        weight += np.float32(share) * soft(here[..., 0], reach)[..., None]
    return np.asarray(colour * here + total / np.maximum(weight, 1e-9) * (1 - here), np.float32)


def smaller(image: Rgba, by: int) -> Rgba:
    """Of a picture that was drawn larger for clean edges: colours are weighed by their opacity."""
    size = (image.shape[1] // by, image.shape[0] // by)
    alpha = image[..., 3:].astype(np.float32) / 255
    whole = np.concatenate([image[..., :3] * alpha, alpha], axis=2)
    small = np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.float32)
    plain = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)[..., :3]
    seen = small[..., 3:] > 0.01
    return rgba(np.where(seen, small[..., :3] / np.maximum(small[..., 3:], 0.01), plain), small[..., 3])
