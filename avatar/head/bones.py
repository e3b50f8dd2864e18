"""The nodes of a model: where they are in the world, which bones of the head they belong to, and their skins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar.errors import UnfitModel
from avatar.head.accessors import Accessors, Floats
from avatar.head.tree import Entry

Matrix = npt.NDArray[np.float64]
"""Shape (4, 4), for columns."""

MOST_NODES: Final = 8_192


class Bone(IntEnum):
    """What a vertex moves with. One that hangs from another moves with both."""

    BODY = 0
    NECK = 1
    HEAD = 2
    JAW = 3
    EYE_LEFT = 4
    EYE_RIGHT = 5


BONES: Final = len(Bone)

_NAMES: Final = (
    (
        Bone.EYE_LEFT,
        re.compile(r"(^|[^a-z])((left|l)[_.\- ]?eye|eye[_.\- ]?(left|l))([_.\- ]?(bone|joint|ball))?$"),
    ),
    (
        Bone.EYE_RIGHT,
        re.compile(r"(^|[^a-z])((right|r)[_.\- ]?eye|eye[_.\- ]?(right|r))([_.\- ]?(bone|joint|ball))?$"),
    ),
    (Bone.JAW, re.compile(r"(^|[^a-z])jaw([_.\- ]?(bone|joint|root|master))?$")),
    (Bone.HEAD, re.compile(r"(^|[^a-z])head([_.\- ]?(bone|joint))?$")),
    (Bone.NECK, re.compile(r"(^|[^a-z])neck([_.\- ]?0?1)?([_.\- ]?(bone|joint))?$")),
)
_HUMANOID: Final = {
    "neck": Bone.NECK,
    "head": Bone.HEAD,
    "jaw": Bone.JAW,
    "leftEye": Bone.EYE_LEFT,
    "rightEye": Bone.EYE_RIGHT,
}


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The nodes with their places. `parts` are the nodes of the bones that were found, `bone` is what each node
    moves with."""

    world: tuple[Matrix, ...]
    mesh: tuple[int | None, ...]
    skin: tuple[int | None, ...]
    bone: tuple[Bone, ...]
    parts: dict[Bone, int]

    def place(self, bone: Bone) -> npt.NDArray[np.float64] | None:
        """Where a bone turns, in the world."""
        node = self.parts.get(bone)
        return None if node is None else self.world[node][:3, 3].copy()


@dataclass(frozen=True, slots=True)
class Skin:
    """What a skinned mesh hangs from."""

    joints: tuple[int, ...]
    """Nodes."""
    matrices: npt.NDArray[np.float64]
    """Shape (joints, 4, 4): from the mesh to the world at rest."""


def skeleton(root: Entry) -> Skeleton:
    """All nodes of the document. Raises `UnfitModel` for a cycle, a node with two parents or too many of them."""
    nodes = root.entries("nodes")
    if len(nodes) > MOST_NODES:
        raise UnfitModel(f"the model has {len(nodes)} nodes, the most is {MOST_NODES}; export the head alone")
    parent: list[int | None] = [None] * len(nodes)
    for number, node in enumerate(nodes):
        for child in node.indices("children", len(nodes)):
            if parent[child] is not None or child == number:
                raise UnfitModel(
                    f"node {child} of the model hangs from two others or from itself; export it again"
                )
            parent[child] = number
    order = _order(parent)
    parts = _parts(root, nodes)
    named = {node: bone for bone, node in parts.items()}
    world: list[Matrix] = [np.eye(4)] * len(nodes)
    bones = [Bone.BODY] * len(nodes)
    for number in order:
        above = parent[number]
        local = _local(nodes[number])
        world[number] = local if above is None else world[above] @ local
        bones[number] = named.get(number, Bone.BODY if above is None else bones[above])
    if not all(np.isfinite(matrix).all() and np.abs(matrix).max() < 1e9 for matrix in world):
        raise UnfitModel("the model's nodes are scaled beyond measure; apply the transforms and export it again")
    meshes, skins = len(root.entries("meshes")), len(root.entries("skins"))
    return Skeleton(
        tuple(world),
        tuple(node.index("mesh", meshes) for node in nodes),
        tuple(node.index("skin", skins) for node in nodes),
        tuple(bones),
        parts,
    )


def skin_of(entry: Entry, skeleton: Skeleton, accessors: Accessors) -> Skin:
    """A skin in the model's own rest pose."""
    joints = entry.indices("joints", len(skeleton.world))
    inverse: Floats | None = None
    index = entry.index("inverseBindMatrices", len(accessors))
    if index is not None:
        inverse = accessors.floats(index, 16)
        if len(inverse) < len(joints):
            raise UnfitModel(f"{entry.path} has {len(inverse)} matrices for {len(joints)} joints; export it again")
    matrices = np.empty((max(1, len(joints)), 4, 4))
    matrices[:] = np.eye(4)
    for number, joint in enumerate(joints):
        back = np.eye(4) if inverse is None else inverse[number].reshape(4, 4).T.astype(np.float64)
        matrices[number] = skeleton.world[joint] @ back
    return Skin(tuple(joints), np.clip(matrices, -1e9, 1e9))


def _order(parent: list[int | None]) -> list[int]:
    """Parents before their children; a cycle never gets that far and is refused."""
    children: dict[int | None, list[int]] = {}
    for number, above in enumerate(parent):
        children.setdefault(above, []).append(number)
    order = list(children.get(None, ()))
    for number in order:
        order.extend(children.get(number, ()))
    if len(order) != len(parent):
        raise UnfitModel("the model's nodes hang from each other in a circle; export it again")
    return order


def _parts(root: Entry, nodes: list[Entry]) -> dict[Bone, int]:
    """VRM says which bone is which; elsewhere their names do."""
    found: dict[Bone, int] = {}
    extensions = root.entry("extensions")
    human = extensions.entry("VRMC_vrm").entry("humanoid").entry("humanBones")
    for key in human.keys:
        node = human.entry(key).index("node", len(nodes)) if key in _HUMANOID else None
        if node is not None:
            found[_HUMANOID[key]] = node
    for entry in extensions.entry("VRM").entry("humanoid").entries("humanBones"):
        bone = _HUMANOID.get(entry.text("bone"))
        node = entry.index("node", len(nodes))
        if bone is not None and node is not None:
            found[bone] = node
    for number, entry in enumerate(nodes):
        if entry.has("mesh"):
            continue
        # "LeftEye" is two words as "left_eye" is.
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", entry.text("name")[:80]).lower()
        for bone, pattern in _NAMES:
            if bone not in found and pattern.search(name):
                found[bone] = number
                break
    return found


def _local(node: Entry) -> Matrix:
    if node.has("matrix"):
        flat = node.numbers("matrix", tuple(np.eye(4).reshape(-1)))
        return np.array(flat).reshape(4, 4).T
    x, y, z, w = node.numbers("rotation", (0.0, 0.0, 0.0, 1.0))
    length = (x * x + y * y + z * z + w * w) ** 0.5
    x, y, z, w = (x / length, y / length, z / length, w / length) if length > 1e-9 else (0.0, 0.0, 0.0, 1.0)
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.array(node.numbers("scale", (1.0, 1.0, 1.0)))
    matrix[:3, 3] = node.numbers("translation", (0.0, 0.0, 0.0))
    return matrix
