"""How much of the sky and of the key light reaches each vertex, measured once with the rasteriser."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar.head.accessors import Floats
from avatar.head.arrays import Mesh, Scratch
from avatar.head.kernels import Kernels

KEY: Final = (-0.46, 0.52, 0.72)
"""Towards the key light: from the viewer's upper left."""

_SIDE: Final = 288
_REACH: Final = 1.1
"""Half of the square that a shadow map covers, in heads, about the middle of the face."""
_BIAS: Final = 0.025


def reached(
    mesh: Mesh, kernels: Kernels, count: int, positions: Floats, directions: Floats
) -> npt.NDArray[np.float32]:
    """Shape (N,): the share of the light from `directions` that reaches each vertex; the first `count` triangles
    cast shadows. Light counts by the cosine of the angle at which it falls."""
    got = np.zeros(len(positions), np.float32)
    most = np.full(len(positions), 1e-6, np.float32)
    scratch = _scratch(mesh, positions)
    for direction in directions:
        across, up = _frame(direction)
        centred = positions - np.array([0, 0.35, 0], np.float32)
        scale = _SIDE / 2 / _REACH
        scratch.screen[:, 0] = centred @ across * scale + _SIDE / 2
        scratch.screen[:, 1] = -(centred @ up) * scale + _SIDE / 2
        scratch.screen[:, 2] = centred @ direction + 10
        scratch.depth.fill(0)
        kernels.covered(mesh._replace(double=np.ones_like(mesh.double)), 0, count, False, scratch)
        columns = np.clip(scratch.screen[:, 0].astype(np.int32), 0, _SIDE - 1)
        rows = np.clip(scratch.screen[:, 1].astype(np.int32), 0, _SIDE - 1)
        lit = np.clip((scratch.screen[:, 2] - scratch.depth[rows, columns] + 2 * _BIAS) / _BIAS, 0, 1)
        cosine = np.maximum(0.02, mesh.normals @ direction)
        got += lit * cosine
        most += cosine
    return (got / most).astype(np.float32)


def sky_directions(count: int) -> Floats:
    """Spread evenly over all of the sphere but the part below."""
    index = np.arange(count) + 0.5
    up = 1 - index / count * 1.6
    angle = index * math.pi * (3 - math.sqrt(5))
    flat = np.sqrt(np.maximum(0, 1 - up * up))
    return np.stack([flat * np.cos(angle), up, flat * np.sin(angle)], axis=1).astype(np.float32)


def key_directions(count: int, spread: float) -> Floats:
    """A key light as large as `spread`, so that shadows have soft edges."""
    key = np.array(KEY) / np.linalg.norm(KEY)
    across, up = _frame(key.astype(np.float32))
    radius = spread * np.sqrt((np.arange(count) + 0.5) / count)
    angle = np.arange(count) * math.pi * (3 - math.sqrt(5))
    found = key + radius[:, None] * (np.cos(angle)[:, None] * across + np.sin(angle)[:, None] * up)
    unit: Floats = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
    return unit


def softened(values: Floats, triangles: npt.NDArray[np.int32], weld: npt.NDArray[np.int32], rounds: int) -> Floats:
    """Each vertex takes the mean of itself and its neighbours, a few times over."""
    count = int(weld.max(initial=0)) + 1
    found = values
    for _ in range(rounds):
        total, number = np.zeros(count), np.full(count, 1e-9)
        mean = found[triangles].mean(axis=1)
        for corner in range(3):
            at = weld[triangles[:, corner]]
            total += np.bincount(at, mean, count)
            number += np.bincount(at, minlength=count)
        smooth = (total / number)[weld]
        found = np.where(number[weld] > 0.5, smooth, found).astype(np.float32)
    return found


def _frame(direction: Floats) -> tuple[Floats, Floats]:
    aside = np.array([1.0, 0, 0]) if abs(float(direction[0])) < 0.9 else np.array([0, 1.0, 0])
    across = np.cross(aside, direction)
    across /= np.linalg.norm(across)
    return across.astype(np.float32), np.cross(direction, across).astype(np.float32)


def _scratch(mesh: Mesh, positions: Floats) -> Scratch:
    return Scratch(
        positions=np.ascontiguousarray(positions),
        normals=np.empty((0, 3), np.float32),
        welded=np.empty((0, 3), np.float32),
        lights=np.empty((0, 4), np.float32),
        screen=np.empty((len(positions), 3), np.float32),
        setup=np.empty((len(mesh.triangles), 6), np.float64),
        depth=np.empty((_SIDE, _SIDE), np.float32),
        ids=np.empty((_SIDE, _SIDE), np.int32),
        rgb=np.empty((0, 0, 3), np.uint8),
    )
