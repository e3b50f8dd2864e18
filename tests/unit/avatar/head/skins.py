"""The pictures on the head of heads.py, painted with numpy."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from tests.unit.avatar.head.heads import (
    EYE_X,
    EYE_Y,
    MOUTH_HALF,
    MOUTH_Y,
    Array,
    bump,
    outline,
    smooth,
)

Image = npt.NDArray[np.uint8]


def _noise(height: int, width: int, size: float, seed: int) -> Array:
    rough = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    soft = cv2.GaussianBlur(rough, (0, 0), size)
    return np.asarray(soft / soft.std(), float)


def _mix(image: Array, colour: tuple[int, int, int], share: Array) -> None:
    image += share[..., None] * (np.array(colour, float) - image)


@cache
def skin() -> Image:
    size = 1024
    v, u = np.mgrid[0:size, 0:size] / size
    angle, y = (u - 0.5) * 2 * np.pi, 1.02 - v * 1.95
    x = outline(y.ravel(), 1).reshape(y.shape) * np.sin(angle)
    front = smooth(np.cos(angle), 0.1, 0.4)
    ax = np.abs(x)
    image = np.empty((size, size, 3))
    image[:] = (226, 178, 150)
    image += (_noise(size, size, 2.0, 1) * 1.6 + _noise(size, size, 24, 2) * 2.0)[..., None]
    _mix(image, (214, 128, 110), 0.34 * bump(ax, 0.19, 0.085) * bump(y, 0.36, 0.075) * front)
    _mix(image, (208, 120, 104), 0.30 * bump(x, 0, 0.05) * bump(y, 0.355, 0.035) * front)
    _mix(image, (196, 140, 120), 0.25 * bump(ax, EYE_X, 0.075) * bump(y, EYE_Y - 0.035, 0.03) * front)
    _mix(image, (150, 106, 92), 0.30 * bump(ax, EYE_X, 0.08) * bump(y, EYE_Y + 0.032, 0.02) * front)
    _mix(image, (120, 60, 50), 0.75 * bump(ax, 0.026, 0.013) * bump(y, 0.327, 0.0075) * front)
    share = np.clip(1 - (x / (MOUTH_HALF * 1.03)) ** 2, 0, 1)
    bow = 0.036 * share**0.5 * (1 - 0.22 * bump(x, 0, 0.014)) * (1 - 0.25 * smooth(ax, 0.02, 0.1))
    upper = smooth(MOUTH_Y + bow - y, -0.003, 0.004) * (y >= MOUTH_Y)
    lower = smooth(y - (MOUTH_Y - 0.046 * share**0.6), -0.004, 0.006) * (y < MOUTH_Y)
    lips = (upper + lower) * smooth(share, 0, 0.12) * front
    _mix(image, (186, 98, 92), 0.78 * lips)
    _mix(image, (120, 48, 48), 0.55 * bump(y, MOUTH_Y, 0.0045) * smooth(share, 0, 0.1) * front)
    arch = 0.592 + 0.020 * bump(ax, 0.165, 0.07) - 0.016 * smooth(ax, 0.17, 0.24)
    thick = 0.0145 * smooth(ax, 0.055, 0.085) * (1 - 0.75 * smooth(ax, 0.14, 0.235))
    brow = smooth(thick - np.abs(y - arch), -0.004, 0.006) * (ax < 0.24) * (ax > 0.05) * front
    strands = 0.78 + 0.22 * np.sin(900 * x + 420 * y * np.sign(x)) + 0.06 * _noise(size, size, 0.8, 5)
    _mix(image, (70, 46, 34), 0.86 * brow * np.clip(strands, 0, 1))
    line = bump(y, EYE_Y, 0.0045) * smooth(0.072 - np.abs(ax - EYE_X), 0, 0.012) * front
    _mix(image, (72, 40, 34), 0.85 * line)
    stubble = smooth(0.27 - y, 0, 0.08) * smooth(y, 0.0, 0.06) * smooth(np.cos(angle), -0.1, 0.3) * (1 - lips)
    _mix(image, (150, 124, 112), 0.14 * stubble)
    return np.clip(image, 0, 255).astype(np.uint8)


@cache
def eye() -> Image:
    size = 256
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    image = np.empty((size, size, 3))
    image[:] = (238, 234, 230)
    _mix(image, (214, 180, 170), 0.7 * smooth(radius, 0.55, 1.0))
    rays = 0.5 + 0.5 * np.sin(26 * angle + 3 * np.sin(9 * angle))
    iris = smooth(0.37 - radius, -0.02, 0.02)
    _mix(image, (84, 118, 134), iris)
    _mix(image, (140, 150, 128), iris * 0.55 * rays * smooth(radius, 0.12, 0.19) * smooth(0.32 - radius, 0, 0.10))
    _mix(image, (30, 44, 56), iris * 0.9 * smooth(radius, 0.30, 0.37))
    _mix(image, (28, 40, 48), iris * 0.45 * smooth(-y, -0.1, 0.4))
    _mix(image, (10, 10, 12), smooth(0.165 - radius, -0.02, 0.02))
    return np.clip(image, 0, 255).astype(np.uint8)


@cache
def teeth() -> Image:
    u = np.linspace(0, 1, 512)[None]
    v = np.linspace(0, 1, 96)[:, None]
    image = np.empty((96, 512, 3))
    image[:] = (234, 226, 212)
    edges = np.array([0.0, 0.07, 0.15, 0.24, 0.34, 0.42, 0.5, 0.58, 0.66, 0.76, 0.85, 0.93, 1.0])
    gap = np.max([bump(u, edge, 0.0035) for edge in edges], axis=0) * smooth(v, 0.1, 0.3)
    _mix(image, (150, 120, 104), 0.7 * gap)
    _mix(image, (190, 100, 96), smooth(0.30 + 0.05 * np.cos(u * 75) - v, -0.02, 0.04))
    _mix(image, (120, 84, 76), 0.55 * smooth(np.abs(u - 0.5) + 0 * v, 0.22, 0.5))
    return np.clip(image, 0, 255).astype(np.uint8)


@cache
def hair() -> Image:
    size = 512
    image = np.empty((size, size, 3))
    image[:] = (78, 54, 40)
    rough = np.random.default_rng(3).normal(size=(size, size)).astype(np.float32)
    strands = cv2.GaussianBlur(rough, (0, 0), sigmaX=1.1, sigmaY=40)
    broad = cv2.GaussianBlur(rough, (0, 0), sigmaX=6, sigmaY=60)
    tone = strands / strands.std() * 0.5 + broad / broad.std() * 0.6
    image *= np.asarray(1 + 0.11 * tone)[..., None]
    return np.clip(image, 0, 255).astype(np.uint8)


@cache
def lash() -> Image:
    """RGBA: single hairs that thin out."""
    u = np.linspace(0, 1, 256)[None]
    v = np.linspace(0, 1, 32)[:, None]
    hairs = 0.5 + 0.5 * np.sin(u * 150 + 3 * v)
    alpha = smooth(v * 1.15 + 0.35 * hairs - 0.5, 0, 0.35) * smooth(u * (1 - u), 0.0, 0.06)
    image = np.zeros((32, 256, 4), np.uint8)
    image[..., :3] = (38, 24, 20)
    image[..., 3] = (235 * alpha).astype(np.uint8)
    return image


def encoded(image: Image, kind: str) -> bytes:
    """As a file, `png` or `jpeg`."""
    order = [2, 1, 0, 3][: image.shape[2]]
    done, data = cv2.imencode(f".{kind}", np.ascontiguousarray(image[..., order]))
    assert done
    return bytes(data)
