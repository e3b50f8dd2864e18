"""A bound model as the kernels take it: only what can be seen, in one block of each kind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from avatar.errors import UnfitModel
from avatar.head.accessors import Floats
from avatar.head.arrays import Mesh
from avatar.head.bind import CHANNELS, Bound
from avatar.head.camera import Camera
from avatar.head.kernels import Kernels
from avatar.head.light import key_directions, reached, sky_directions, softened
from avatar.head.materials import Alpha, Material, Shading
from avatar.head.model import Part, Triangles
from avatar.head.names import eye_of
from avatar.head.textures import Texture, shrunk
from avatar.picture import Box

MOST_SEEN: Final = 250_000
"""Triangles in the picture: beyond it no frame would be in time."""
_TEXELS_PER_PIXEL: Final = 1.5


class Counts(NamedTuple):
    """How many triangles there are before each border."""

    opaque: int
    masked: int
    """Opaque and masked ones."""
    blended: int
    """All."""


def meshed(
    bound: Bound, textures: Mapping[int, Texture], camera: Camera, region: Box, kernels: Kernels
) -> tuple[Mesh, Counts]:
    """The kernels' mesh, with its shadows measured. Raises `UnfitModel` where too many triangles are in the
    picture."""
    triangles, surface, counts = _sorted(bound, camera)
    used = np.unique(triangles)
    back = np.zeros(len(bound.positions), np.int32)
    back[used] = np.arange(len(used), dtype=np.int32)
    owner = (np.searchsorted(np.array(bound.starts), used, side="right") - 1).astype(np.int64)
    triangles = back[triangles].astype(np.int32)
    starts, moved, moves = _channels(bound, used, back)
    weld = _weld(bound.positions[used], bound.normals[used])
    live = _live(triangles, moved, len(used))
    eyes = np.flatnonzero(bound.eyes[used].any(axis=1)).astype(np.int32)
    texels, where = _packed(bound, textures, camera)
    shading = np.array([_shading(part) for part in bound.parts], np.uint8)
    materials = [part.material for part in bound.parts]
    mesh = Mesh(
        positions=np.ascontiguousarray(bound.positions[used]),
        normals=np.ascontiguousarray(bound.normals[used]),
        uv=np.ascontiguousarray(np.concatenate([part.uv for part in bound.parts])[used]),
        base=_base(bound)[used],
        kind=shading[owner],
        gloss=np.array([_gloss(material) for material in materials], np.float32)[owner],
        shade=np.array([material.shade for material in materials], np.float32)[owner],
        sky=np.ones((len(used), 2), np.float32),
        sun=np.ones(len(used), np.float32),
        follow=bound.follow[used],
        weld=weld,
        triangles=triangles,
        surface=surface,
        double=np.array([material.double for material in materials], np.uint8)[surface],
        live=live,
        live_vertices=np.unique(triangles[live]).astype(np.int32),
        live_rest=_live_rest(bound.positions[used], triangles[live], weld),
        starts=starts,
        moved=moved,
        moves=moves,
        eyes=eyes,
        eye_share=np.ascontiguousarray(bound.eyes[used][eyes]),
        pivots=bound.pivots,
        texels=texels,
        texture=where,
        look=np.array(
            [(kind, material.cutoff) for kind, material in zip(shading, materials, strict=True)], np.float32
        ),
        camera=np.array(
            [
                2 * camera.focal_px,
                camera.distance,
                camera.level,
                camera.width - 2 * region.x,
                camera.height - 2 * region.y,
            ],
            np.float32,
        ),
    )
    return _with_shadows(mesh, counts, kernels), counts


def _with_shadows(mesh: Mesh, counts: Counts, kernels: Kernels) -> Mesh:
    """The sky with the mouth shut and open, and the key."""
    wide = mesh.positions.copy()
    for at in range(mesh.starts[0], mesh.starts[1]):
        wide[mesh.moved[at]] += 0.7 * mesh.moves[at]
    sky = sky_directions(40)
    shut = reached(mesh, kernels, counts.masked, mesh.positions, sky)
    open_ = reached(mesh, kernels, counts.masked, wide, sky)
    # What is inside the mouth or an eye's socket still gets some light through the skin.
    both = np.stack([softened(of, mesh.triangles, mesh.weld, 2) for of in (shut, open_)], axis=1)
    both = np.clip(0.15 + 1.0 * both, 0, 1)
    sun = reached(mesh, kernels, counts.masked, mesh.positions, key_directions(24, 0.28))
    sun = softened(sun, mesh.triangles, mesh.weld, 2)
    shining = mesh.kind == Shading.GLOSSY
    # Eyes and teeth are wet and small: a map this coarse would only dirty them.
    sun[shining] = 0.35 + 0.65 * sun[shining]
    both[shining] = np.maximum(both[shining], 0.30)
    return mesh._replace(sky=np.ascontiguousarray(both, np.float32), sun=np.clip(sun, 0, 1).astype(np.float32))


def _sorted(bound: Bound, camera: Camera) -> tuple[Triangles, npt.NDArray[np.int32], Counts]:
    """Those that can be seen: opaque, masked, then blended from back to front."""
    seen = camera.seen(bound.positions)
    room = 0.15 * camera.height
    groups: list[list[tuple[Triangles, npt.NDArray[np.int32]]]] = [[], [], []]
    for number, (part, start) in enumerate(zip(bound.parts, bound.starts, strict=True)):
        triangles = part.triangles + np.int32(start)
        corners = seen[triangles]
        low, high = corners.min(axis=1), corners.max(axis=1)
        inside = (
            (high > -room).all(axis=1) & (low[:, 0] < camera.width + room) & (low[:, 1] < camera.height + room)
        )
        triangles = triangles[inside]
        alpha = part.material.alpha
        if alpha == Alpha.MASK and part.material.image is None:
            alpha = Alpha.OPAQUE
        groups[alpha].append((triangles, np.full(len(triangles), number, np.int32)))
    sorted_: list[tuple[Triangles, npt.NDArray[np.int32]]] = []
    for group in groups:
        sorted_.append(
            (
                np.concatenate([item[0] for item in group] or [np.zeros((0, 3), np.int32)]),
                np.concatenate([item[1] for item in group] or [np.zeros(0, np.int32)]),
            )
        )
    far = np.argsort(bound.positions[sorted_[2][0]][:, :, 2].mean(axis=1), kind="stable")
    sorted_[2] = (sorted_[2][0][far], sorted_[2][1][far])
    triangles = np.concatenate([item[0] for item in sorted_])
    if not len(sorted_[0][0]) + len(sorted_[1][0]):
        raise UnfitModel("nothing solid of the model is in the picture; export it upright, y up")
    if len(triangles) > MOST_SEEN:
        raise UnfitModel(
            f"{len(triangles)} triangles are in the picture, the most is {MOST_SEEN}; decimate the model"
        )
    opaque, masked = len(sorted_[0][0]), len(sorted_[0][0]) + len(sorted_[1][0])
    return triangles, np.concatenate([item[1] for item in sorted_]), Counts(opaque, masked, len(triangles))


def _channels(
    bound: Bound, used: npt.NDArray[np.int32], back: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Floats]:
    kept = np.zeros(len(bound.positions), bool)
    kept[used] = True
    starts = np.zeros(CHANNELS + 1, np.int32)
    moved, moves = [np.zeros(0, np.int32)], [np.zeros((0, 3), np.float32)]
    for number, shape in enumerate(bound.channels):
        count = 0
        if shape is not None:
            keep = kept[shape.vertices]
            moved.append(back[shape.vertices[keep]])
            moves.append(shape.moves[keep])
            count = int(keep.sum())
        starts[number + 1] = starts[number] + count
    return starts, np.concatenate(moved), np.ascontiguousarray(np.concatenate(moves), np.float32)


def _weld(positions: Floats, normals: Floats) -> npt.NDArray[np.int32]:
    key = np.concatenate([np.round(positions * 2e4), np.round(normals * 8)], axis=1).astype(np.int64)
    # One column sorts several times faster than six do; odd multipliers of 64 bits keep different rows apart.
    mixed = (key * np.random.default_rng(11).integers(-(2**62), 2**62, 6)).sum(axis=1)
    _, weld = np.unique(mixed, return_inverse=True)
    return weld.reshape(-1).astype(np.int32)


def _live(triangles: Triangles, moved: npt.NDArray[np.int32], vertices: int) -> npt.NDArray[np.int32]:
    touched = np.zeros(vertices, bool)
    touched[moved] = True
    return np.flatnonzero(touched[triangles].any(axis=1)).astype(np.int32)


def _live_rest(positions: Floats, triangles: Triangles, weld: npt.NDArray[np.int32]) -> Floats:
    corners = positions[triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros((int(weld.max(initial=0)) + 1, 3))
    for corner in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(weld[triangles[:, corner]], faces[:, axis], len(total))
    length = np.linalg.norm(total, axis=1, keepdims=True)
    rest: Floats = np.ascontiguousarray((total / np.maximum(length, 1e-20))[weld], np.float32)
    return rest


def _base(bound: Bound) -> Floats:
    return np.concatenate([part.colours * np.array(part.material.base, np.float32) for part in bound.parts])


def _shading(part: Part) -> Shading:
    name = f"{part.name} {part.material.name}".lower()
    if part.material.shading == Shading.LIT and (
        eye_of(part.name) or eye_of(part.material.name) or "teeth" in name
    ):
        return Shading.GLOSSY
    return part.material.shading


def _gloss(material: Material) -> float:
    """How smooth it is; what says nothing is as skin is."""
    return 0.35 if material.roughness >= 1.0 else max(0.0, 1.0 - material.roughness)


def _packed(
    bound: Bound, textures: Mapping[int, Texture], camera: Camera
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Every texture once, as fine as the picture can show it: the camera never comes nearer, so that one size is
    right for all frames and nothing shimmers."""
    scales: dict[int, float] = {}
    for part, start in zip(bound.parts, bound.starts, strict=True):
        image = part.material.image
        if image is not None:
            scales[image] = max(scales.get(image, 0.0), _fineness(part, start, bound, textures[image], camera))
    where = np.zeros((len(bound.parts), 3), np.int32)
    blocks, offsets, at = [np.zeros(4, np.uint8)], {}, 4
    for image, scale in scales.items():
        block = textures[image] if scale >= 1 else shrunk(textures[image], scale)
        offsets[image] = (at, block.shape[1], block.shape[0])
        blocks.append(block.reshape(-1))
        at += block.size
    for number, part in enumerate(bound.parts):
        if part.material.image is not None:
            where[number] = offsets[part.material.image]
    return np.concatenate(blocks), where


def _fineness(part: Part, start: int, bound: Bound, texture: Texture, camera: Camera) -> float:
    """How much smaller the texture can be for this part."""
    corners = camera.seen(bound.positions[start : start + len(part.positions)])[part.triangles]
    pixels = _areas(corners)
    texels = _areas(part.uv[part.triangles] * np.array([texture.shape[1], texture.shape[0]], np.float32))
    # Those that face away say nothing.
    large = pixels > np.percentile(pixels, 60)
    density = float(np.median(texels[large] / np.maximum(pixels[large], 1e-6))) if large.any() else 1.0
    return min(1.0, _TEXELS_PER_PIXEL / math.sqrt(max(1e-3, density)))


def _areas(corners: Floats) -> Floats:
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    found: Floats = np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]).astype(np.float32)
    return found
