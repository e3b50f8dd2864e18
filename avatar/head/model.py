"""A 3D head read from its file: parts at rest in the world, with the shapes and bones that move them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar.errors import UnfitModel
from avatar.head.accessors import Accessors, Floats
from avatar.head.bones import BONES, Bone, Skeleton, Skin, skeleton, skin_of
from avatar.head.container import opened
from avatar.head.materials import Material, materials
from avatar.head.names import eye_of
from avatar.head.shapes import Shape, Shapes, in_world
from avatar.head.textures import FEW, KEPT_SIDE_PX, MOST_TEXTURES, Texture, texture
from avatar.head.tree import Entry

MOST_VERTICES: Final = 400_000
MOST_TRIANGLES: Final = 600_000
MOST_PARTS: Final = 512
Triangles = npt.NDArray[np.int32]
"""Shape (m, 3)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One surface of one material."""

    name: str
    """Of its node and mesh."""
    positions: Floats
    normals: Floats | None
    uv: Floats
    colours: Floats
    """Shape (n, 4), linear: the vertices' own."""
    triangles: Triangles
    material: Material
    bones: Floats
    """Shape (n, BONES): how much each vertex hangs from each bone; rows sum to 1."""
    shapes: dict[str, Shape]
    """By their canonical names (see names.py)."""


@dataclass(frozen=True, slots=True)
class Model:
    """All that a file says about a head."""

    parts: tuple[Part, ...]
    textures: dict[int, Texture]
    skeleton: Skeleton
    kind: str
    """`VRM 0`, `VRM 1` or `glTF`."""
    unknown: tuple[str, ...]
    """Blend shapes whose names say nothing to us."""

    @property
    def shapes(self) -> frozenset[str]:
        return frozenset(name for part in self.parts for name in part.shapes)

    @property
    def vertices(self) -> int:
        return sum(len(part.positions) for part in self.parts)

    @property
    def triangles(self) -> int:
        return sum(len(part.triangles) for part in self.parts)


def read(data: bytes) -> Model:
    """Raises `UnfitModel` for whatever cannot be read or is larger than a head needs to be."""
    container = opened(data)
    return _Reader(container.root, Accessors(container)).model()


class _Reader:
    def __init__(self, root: Entry, accessors: Accessors) -> None:
        self.root = root
        self.accessors = accessors
        self.meshes = root.entries("meshes")
        self.skeleton = skeleton(root)
        self.shapes = Shapes(root, self.skeleton, accessors)
        self.materials = materials(root)
        self.vertices = 0
        self.triangles = 0

    def model(self) -> Model:
        skins: dict[int, Skin] = {}
        parts: list[Part] = []
        for node in self._visible():
            mesh = self.skeleton.mesh[node]
            if mesh is None:
                continue
            number = self.skeleton.skin[node]
            if number is not None and number not in skins:
                skins[number] = skin_of(self.root.entries("skins")[number], self.skeleton, self.accessors)
            skin = None if number is None else skins[number]
            parts.extend(self._parts(node, mesh, skin))
            if len(parts) > MOST_PARTS:
                raise UnfitModel(
                    f"the model has more than {MOST_PARTS} parts; join its meshes and export it again"
                )
        if not parts:
            raise UnfitModel("the model has no surface in it; export it with its meshes")
        return Model(
            tuple(parts), self._textures(parts), self.skeleton, self._kind(), tuple(sorted(self.shapes.unknown))
        )

    def _kind(self) -> str:
        extensions = self.root.entry("extensions")
        return "VRM 1" if extensions.has("VRMC_vrm") else "VRM 0" if extensions.has("VRM") else "glTF"

    def _visible(self) -> list[int]:
        """The nodes of the scene that is shown, or all where there is none."""
        nodes = self.root.entries("nodes")
        scenes = self.root.entries("scenes")
        if not scenes:
            return list(range(len(nodes)))
        scene = self.root.index("scene", len(scenes)) or 0
        found = scenes[scene].indices("nodes", len(nodes))
        seen = set(found)
        for node in found:
            for child in nodes[node].indices("children", len(nodes)):
                if child not in seen:
                    seen.add(child)
                    found.append(child)
        return sorted(seen)

    def _textures(self, parts: list[Part]) -> dict[int, Texture]:
        images = self.root.entries("images")
        wanted = {part.material.image for part in parts if part.material.image is not None}
        if len(wanted) > MOST_TEXTURES:
            raise UnfitModel(
                f"the model has {len(wanted)} textures, the most is {MOST_TEXTURES}; bake them into fewer"
            )
        side = KEPT_SIDE_PX if len(wanted) <= FEW else KEPT_SIDE_PX // 2
        return {number: texture(images[number], self.accessors, side) for number in sorted(wanted)}

    def _parts(self, node: int, mesh: int, skin: Skin | None) -> Iterator[Part]:
        entry = self.meshes[mesh]
        named = entry.entry("extras").texts("targetNames")
        name = f"{self.root.entries('nodes')[node].text('name')[:80]} {entry.text('name')[:80]}".strip()
        for primitive in entry.entries("primitives"):
            if primitive.integer("mode", 4) not in (4, 5, 6):
                continue
            attributes = primitive.entry("attributes")
            at = attributes.index("POSITION", len(self.accessors))
            if at is None:
                continue
            self._count(self.accessors.count(at))
            local = self.accessors.floats(at, 3)
            triangles = self._triangles(primitive, len(local))
            if not len(triangles):
                continue
            place, bones = self._places(attributes, node, skin, len(local))
            if len(place) == 1 and np.linalg.det(place[0, :3, :3]) < 0:
                # A mirrored node turns its triangles inside out.
                triangles = np.ascontiguousarray(triangles[:, ::-1])
            material = self._material(primitive)
            names = named or primitive.entry("extras").texts("targetNames")
            yield Part(
                name,
                _moved(place, local),
                self._normals(attributes, place, len(local)),
                self._uv(attributes, material, len(local)),
                self._colours(attributes, len(local)),
                triangles,
                material,
                self._eyes(name, material.name, bones),
                self.shapes.of(mesh, primitive.entries("targets"), names, len(local), place),
            )

    def _count(self, vertices: int) -> None:
        self.vertices += vertices
        if self.vertices > MOST_VERTICES:
            raise UnfitModel(
                f"the model has {self.vertices} vertices or more, the most is {MOST_VERTICES}; decimate it or "
                "export the head alone"
            )

    def _triangles(self, primitive: Entry, count: int) -> Triangles:
        at = primitive.index("indices", len(self.accessors))
        flat = np.arange(count, dtype=np.int64) if at is None else self.accessors.integers(at, 1)[:, 0]
        if len(flat) and (flat.min() < 0 or flat.max() >= count):
            raise UnfitModel(f"{primitive.path} refers beyond its {count} vertices; export the model again")
        mode = primitive.integer("mode", 4)
        if mode == 4:
            found = flat[: len(flat) // 3 * 3].reshape(-1, 3)
        elif len(flat) < 3:
            found = flat[:0].reshape(-1, 3)
        elif mode == 5:
            found = np.stack([flat[:-2], flat[1:-1], flat[2:]], axis=1)
            found[1::2] = found[1::2, ::-1]
        else:
            found = np.stack([np.full(len(flat) - 2, flat[0]), flat[1:-1], flat[2:]], axis=1)
        self.triangles += len(found)
        if self.triangles > MOST_TRIANGLES:
            raise UnfitModel(
                f"the model has {self.triangles} triangles or more, the most is {MOST_TRIANGLES}; decimate it"
            )
        return found.astype(np.int32)

    def _places(
        self, attributes: Entry, node: int, skin: Skin | None, count: int
    ) -> tuple[npt.NDArray[np.float64], Floats]:
        """What takes each vertex to the world, as (count or 1, 4, 4), and what it hangs from."""
        bones = np.zeros((count, BONES), np.float32)
        joints = attributes.index("JOINTS_0", len(self.accessors))
        weights = attributes.index("WEIGHTS_0", len(self.accessors))
        if skin is None or joints is None or weights is None or not skin.joints:
            bones[:, self.skeleton.bone[node]] = 1.0
            return self.skeleton.world[node][None], bones
        which = self.accessors.integers(joints, 4)
        share = np.maximum(self.accessors.floats(weights, 4), 0.0)
        if which.shape != (count, 4) or share.shape != (count, 4):
            raise UnfitModel(
                f"{attributes.path} has bones for other vertices than its own; export the model again"
            )
        if count and (which.min() < 0 or which.max() >= len(skin.joints)):
            raise UnfitModel(
                f"{attributes.path} refers beyond its {len(skin.joints)} bones; export the model again"
            )
        total = share.sum(axis=1, keepdims=True)
        share = np.where(total > 1e-6, share / np.maximum(total, 1e-6), np.array([1, 0, 0, 0], np.float32)).astype(
            np.float32
        )
        place = np.zeros((count, 4, 4))
        labels = np.array([self.skeleton.bone[joint] for joint in skin.joints])
        rows = np.arange(count)
        for slot in range(4):
            place += share[:, slot, None, None] * skin.matrices[which[:, slot]]
            bones[rows, labels[which[:, slot]]] += share[:, slot]
        return place, bones

    def _material(self, primitive: Entry) -> Material:
        number = primitive.index("material", len(self.materials))
        return Material() if number is None else self.materials[number]

    def _normals(self, attributes: Entry, place: npt.NDArray[np.float64], count: int) -> Floats | None:
        at = attributes.index("NORMAL", len(self.accessors))
        if at is None:
            return None
        normals = self.accessors.floats(at, 3)
        if len(normals) != count:
            raise UnfitModel(
                f"{attributes.path}.NORMAL has {len(normals)} rows for {count} vertices; export it again"
            )
        return unit(in_world(place, normals))

    def _uv(self, attributes: Entry, material: Material, count: int) -> Floats:
        at = attributes.index(f"TEXCOORD_{material.uv_set}", len(self.accessors))
        if at is None:
            return np.zeros((count, 2), np.float32)
        uv = self.accessors.floats(at, 2)
        if len(uv) != count:
            raise UnfitModel(
                f"{attributes.path}.TEXCOORD has {len(uv)} rows for {count} vertices; export it again"
            )
        a, b, c, d, e, f = material.uv_matrix
        moved = np.stack([a * uv[:, 0] + b * uv[:, 1] + c, d * uv[:, 0] + e * uv[:, 1] + f], axis=1)
        # Far out, a float has no fraction left to find a pixel by.
        return np.clip(moved, -1e3, 1e3).astype(np.float32)

    def _colours(self, attributes: Entry, count: int) -> Floats:
        at = attributes.index("COLOR_0", len(self.accessors))
        if at is None:
            return np.ones((count, 4), np.float32)
        colours = self.accessors.colours(at)
        if len(colours) != count:
            raise UnfitModel(
                f"{attributes.path}.COLOR_0 has {len(colours)} rows for {count} vertices; export it again"
            )
        return colours

    def _eyes(self, name: str, material: str, bones: Floats) -> Floats:
        """A mesh of its own for an eye turns as one, also without a bone."""
        side = eye_of(name) or eye_of(material)
        bone = {"left": Bone.EYE_LEFT, "right": Bone.EYE_RIGHT}.get(side or "")
        if bone is None or bones[:, Bone.EYE_LEFT :].any():
            return bones
        bones = np.zeros_like(bones)
        bones[:, bone] = 1.0
        return bones


def unit(vectors: Floats) -> Floats:
    """The same directions, each 1 long; nothing in particular stays nothing."""
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    found: Floats = (vectors / np.maximum(length, 1e-12)).astype(np.float32)
    return found


def _moved(place: npt.NDArray[np.float64], points: Floats) -> Floats:
    found = in_world(place, points) + place[:, :3, 3].astype(np.float32)
    if not np.isfinite(found).all():
        raise UnfitModel("the model reaches beyond all measure; apply the transforms and export it again")
    return found
