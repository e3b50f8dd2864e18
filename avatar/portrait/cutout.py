"""Who is in front and what is behind: the person cut out of the photo, and the background without."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from avatar.flesh.contours import Contours
from avatar.portrait import models
from avatar.portrait.arrays import floats, octets
from avatar.portrait.network import Network
from avatar.puppet import Rgb, Rgba

Matte = npt.NDArray[np.float32]
"""Shape (height, width): how much of a pixel is the person, 0 to 1."""

_SIDE: Final = 256
_FINE: Final = 1e-4
"""How much the matte follows the picture: variance of brightness, from 0 to 1, that counts as an edge."""
_GUIDE_SIDE: Final = 400
"""The filter's slopes are smooth, and are found on a picture of about this side."""


class Cutter:
    """Finds the person in a picture; one thread at a time. Raises `FaceMissing` as `Landmarker` does."""

    def __init__(self, cache: Path) -> None:
        self._network = Network(models.read(cache, models.PERSON))

    def matte(self, rgb: Rgb, contours: Contours) -> Matte:
        """The person's matte, as fine as the picture allows."""
        height, width = rgb.shape[:2]
        small = floats(cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) / 255)
        coarse = cv2.resize(self._network.run(small)[0][..., 0], (width, height), interpolation=cv2.INTER_CUBIC)
        coarse = _connected(np.clip(coarse, 0, 1), contours)
        radius = max(4, round(0.05 * contours.width))
        fine = _guided(rgb, coarse, radius)
        sharp = np.clip((fine - 0.12) / 0.76, 0, 1)
        smooth = sharp * sharp * (3 - 2 * sharp)
        return floats(np.maximum(smooth, _face(contours, width, height)))


def backdrop(width: int, height: int) -> Rgb:
    """A plain, light background for somebody who came without."""
    down = np.linspace(0, 1, height)[:, None, None]
    colours = np.array((222, 225, 229)) * (1 - down) + np.array((184, 190, 199)) * down
    return octets(np.broadcast_to(np.rint(colours), (height, width, 3)).astype(np.uint8))


def layers(rgb: Rgb, matte: Matte) -> tuple[Rgba, Rgb]:
    """The person, with its own colour up to the edge and beyond, and the background behind.

    The colours are estimated as in Forte, "Approximate Fast Foreground Colour Estimation" (2021).
    """
    height, width = rgb.shape[:2]
    half = (width // 2, height // 2)
    image = cv2.resize(rgb, half, interpolation=cv2.INTER_AREA).astype(np.float32)
    solid = cv2.resize(np.clip((matte - 0.05) / 0.9, 0, 1), half, interpolation=cv2.INTER_AREA)
    front, back = image, image
    for size in (max(9, width // 24 | 1), 5):
        front, back = _estimate(image, front, back, solid, size)
    person = np.empty((height, width, 4), np.uint8)
    person[..., :3] = _sharp(rgb, front, matte)
    person[..., 3] = np.rint(matte * 255)
    return person, _plate(rgb, matte)


def _sharp(rgb: Rgb, front: npt.NDArray[np.float32], matte: Matte) -> Rgb:
    """The picture where the person is solid, and the estimate of the person's colour elsewhere."""
    wide = cv2.resize(front, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_LINEAR)
    share = np.clip((matte - 0.5) / 0.45, 0, 1)[..., None]
    return octets(np.clip(np.rint(wide + (rgb - wide) * share), 0, 255).astype(np.uint8))


def _estimate(
    image: npt.NDArray[np.float32],
    front: npt.NDArray[np.float32],
    back: npt.NDArray[np.float32],
    matte: Matte,
    size: int,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    alpha = matte[..., None]
    weight = cv2.blur(matte, (size, size))[..., None]
    near_front = cv2.blur(front * alpha, (size, size)) / (weight + 1e-5)
    near_back = cv2.blur(back * (1 - alpha), (size, size)) / (1 - weight + 1e-5)
    rest = image - alpha * near_front - (1 - alpha) * near_back
    return (
        np.clip(near_front + alpha * rest, 0, 255).astype(np.float32),
        np.clip(near_back + (1 - alpha) * rest, 0, 255).astype(np.float32),
    )


def _plate(rgb: Rgb, matte: Matte) -> Rgb:
    """The background as it is where it shows, and smoothly made up from around where the person hides it."""
    height, width = matte.shape
    hidden = cv2.dilate((matte > 0.02).astype(np.uint8), np.ones((5, 5), np.uint8))
    if hidden.all():
        return backdrop(width, height)
    half = (width // 2, height // 2)
    known = cv2.resize(1 - hidden.astype(np.float32), half, interpolation=cv2.INTER_AREA)
    small = floats(cv2.resize(rgb, half, interpolation=cv2.INTER_AREA))
    made_up = floats(cv2.resize(_filled(small, floats(known > 0.99)), (width, height)))
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grain = float(np.median(np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.5))[hidden == 0])) * 1.5
    noise = np.random.default_rng(0).standard_normal(matte.shape, np.float32) * min(grain, 4.0)
    made_up += floats(cv2.GaussianBlur(noise, (0, 0), 0.8))[..., None] * 1.6
    share = np.maximum(cv2.GaussianBlur(hidden.astype(np.float32), (0, 0), 2.0), hidden)[..., None]
    return np.clip(np.rint(rgb + (made_up - rgb) * share), 0, 255).astype(np.uint8)


def _filled(image: npt.NDArray[np.float32], weight: Matte) -> npt.NDArray[np.float32]:
    """The picture with what has no weight filled in from around: means over ever larger cells."""
    height, width = weight.shape
    if min(height, width) <= 2:
        total = max(float(weight.sum()), 1e-6)
        return np.broadcast_to((image * weight[..., None]).sum((0, 1)) / total, image.shape).astype(np.float32)
    half = ((width + 1) // 2, (height + 1) // 2)
    small_weight = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    small = cv2.resize(image * weight[..., None], half, interpolation=cv2.INTER_AREA)
    small = small / np.maximum(small_weight, 1e-6)[..., None]
    around = _filled(floats(small), floats(np.minimum(small_weight * 2, 1)))
    wide = floats(cv2.resize(around, (width, height), interpolation=cv2.INTER_LINEAR))
    return wide + (image - wide) * weight[..., None]


def _guided(rgb: Rgb, matte: Matte, radius: int) -> Matte:
    """The matte with its edge moved to the picture's: He et al., "Guided Image Filtering" (2010), in colour."""
    height, width = matte.shape
    step = max(1, round(max(height, width) / _GUIDE_SIDE))
    few = (width // step, height // step)
    whole = rgb.astype(np.float32) / 255
    guide = floats(cv2.resize(whole, few, interpolation=cv2.INTER_AREA))
    matte = floats(cv2.resize(matte, few, interpolation=cv2.INTER_AREA))
    size = (2 * (radius // step) + 1, 2 * (radius // step) + 1)

    def mean(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(cv2.blur(values, size), np.float32)

    means, matte_mean = mean(guide), mean(matte)
    covariance = np.empty((*matte.shape, 3, 3), np.float32)
    for row in range(3):
        for column in range(row, 3):
            product = mean(guide[..., row] * guide[..., column]) - means[..., row] * means[..., column]
            covariance[..., row, column] = covariance[..., column, row] = product
    covariance[..., range(3), range(3)] += _FINE
    with_matte = mean(guide * matte[..., None]) - means * matte_mean[..., None]
    slope = _solve(covariance, with_matte)
    offset = matte_mean - (slope * means).sum(-1)
    slope = floats(cv2.resize(mean(slope), (width, height), interpolation=cv2.INTER_LINEAR))
    offset = cv2.resize(mean(offset), (width, height), interpolation=cv2.INTER_LINEAR)
    return floats(np.clip((slope * whole).sum(-1) + offset, 0, 1))


def _solve(matrix: npt.NDArray[np.float32], right: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Solutions of many symmetric systems of three, by Cramer's rule."""
    a, b, c = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 0, 2]
    d, e, f = matrix[..., 1, 1], matrix[..., 1, 2], matrix[..., 2, 2]
    x, y, z = d * f - e * e, c * e - b * f, b * e - c * d
    determinant = a * x + b * y + c * z
    r0, r1, r2 = right[..., 0], right[..., 1], right[..., 2]
    solution = np.stack(
        (
            x * r0 + y * r1 + z * r2,
            y * r0 + (a * f - c * c) * r1 + (b * c - a * e) * r2,
            z * r0 + (b * c - a * e) * r1 + (a * d - b * b) * r2,
        ),
        -1,
    )
    return np.asarray(solution / np.maximum(determinant, 1e-12)[..., None], np.float32)


def _connected(matte: Matte, contours: Contours) -> Matte:
    """The matte without people and things that do not hang together with the face."""
    _, pieces = cv2.connectedComponents((matte > 0.3).astype(np.uint8))
    height, width = matte.shape
    x = int(np.clip(contours.nose_tip[0], 0, width - 1))
    y = int(np.clip(contours.nose_tip[1], 0, height - 1))
    own = pieces[y, x]
    if own == 0:
        return matte
    reach = cv2.dilate((pieces == own).astype(np.uint8), np.ones((15, 15), np.uint8))
    return np.where(reach > 0, matte, 0).astype(np.float32)


def _face(contours: Contours, width: int, height: int) -> Matte:
    """The inside of the face, which is the person whatever the network thinks."""
    middle = contours.oval.mean(0)
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [np.rint(middle + (contours.oval - middle) * 0.9).astype(np.int32)], 255)
    return floats(cv2.GaussianBlur(inside, (0, 0), 3) / 255)
