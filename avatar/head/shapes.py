"""Blend shapes: what they move, by the names that faces are told by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar.errors import UnfitModel
from avatar.head.accessors import Accessors, Floats
from avatar.head.bones import Skeleton
from avatar.head.names import canonical, expression
from avatar.head.tree import Entry

MOST_SHAPES: Final = 1_024
"""In one mesh."""
MOST_SHAPE_VERTICES: Final = 40_000_000
"""In all shapes together."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What one blend shape moves."""

    vertices: npt.NDArray[np.int32]
    moves: Floats
    """Shape (len(vertices), 3), in the world."""


class Shapes:
    """The blend shapes of a whole document, which together are bounded."""

    def __init__(self, root: Entry, skeleton: Skeleton, accessors: Accessors) -> None:
        self.unknown: set[str] = set()
        """Those whose names say nothing to us."""
        self._meshes = len(root.entries("meshes"))
        self._skeleton = skeleton
        self._accessors = accessors
        self._vertices = 0
        self._amounts = self._bound(root)

    def of(
        self, mesh: int, targets: list[Entry], names: list[str], count: int, place: npt.NDArray[np.float64]
    ) -> dict[str, Shape]:
        """Of a surface of `count` vertices which `place` takes to the world; by their canonical names."""
        if len(targets) > MOST_SHAPES:
            raise UnfitModel(f"a mesh of the model has {len(targets)} blend shapes, the most is {MOST_SHAPES}")
        dense: dict[str, Floats] = {}
        for number, target in enumerate(targets):
            name = names[number] if number < len(names) else ""
            known = canonical(name)
            amounts = dict(self._amounts.get((mesh, number), {}))
            if known is not None:
                amounts.setdefault(known, 1.0)
            elif not amounts and name:
                self.unknown.add(name[:60])
            at = target.index("POSITION", len(self._accessors))
            if at is None or not amounts:
                continue
            self._vertices += self._accessors.count(at)
            if self._vertices > MOST_SHAPE_VERTICES:
                raise UnfitModel("the model's blend shapes are too many for its vertices; export the head alone")
            moves = self._accessors.floats(at, 3)
            if len(moves) != count:
                raise UnfitModel(f"{target.path} moves {len(moves)} of {count} vertices; export the model again")
            moves = in_world(place, moves)
            for shape, amount in amounts.items():
                moved = moves * np.float32(amount)
                dense[shape] = dense[shape] + moved if shape in dense else moved
        return {name: found for name, moves in dense.items() if (found := _sparse(moves)) is not None}

    def _bound(self, root: Entry) -> dict[tuple[int, int], dict[str, float]]:
        """How much each of VRM's expressions takes, by mesh and number of the blend shape."""
        found: dict[tuple[int, int], dict[str, float]] = {}

        def take(mesh: int, bind: Entry, name: str, amount: float) -> None:
            amounts = found.setdefault((mesh, bind.integer("index")), {})
            amounts[name] = amounts.get(name, 0.0) + amount

        extensions = root.entry("extensions")
        for group in extensions.entry("VRM").entry("blendShapeMaster").entries("blendShapeGroups"):
            preset = group.text("presetName")
            name = expression(preset if preset and preset != "unknown" else group.text("name"))
            for bind in group.entries("binds") if name else ():
                mesh = bind.index("mesh", self._meshes)
                if name is not None and mesh is not None:
                    take(mesh, bind, name, bind.number("weight", 100.0) / 100)
        expressions = extensions.entry("VRMC_vrm").entry("expressions")
        for kind in ("preset", "custom"):
            group = expressions.entry(kind)
            for key in group.keys:
                name = expression(key)
                for bind in group.entry(key).entries("morphTargetBinds") if name else ():
                    node = bind.index("node", len(self._skeleton.mesh))
                    mesh = None if node is None else self._skeleton.mesh[node]
                    if name is not None and mesh is not None:
                        take(mesh, bind, name, bind.number("weight", 1.0))
        return found


def in_world(place: npt.NDArray[np.float64], vectors: Floats) -> Floats:
    """Directions as they are in the world."""
    if len(place) == 1:
        return (vectors @ place[0, :3, :3].T).astype(np.float32)
    found: Floats = np.einsum("nij,nj->ni", place[:, :3, :3], vectors).astype(np.float32)
    return found


def _sparse(moves: Floats) -> Shape | None:
    reach = np.abs(moves).max(axis=1, initial=0.0)
    most = float(reach.max(initial=0.0))
    if not most > 0.0:
        return None
    vertices = np.flatnonzero(reach > most * 1e-4).astype(np.int32)
    return Shape(vertices, np.ascontiguousarray(moves[vertices]))
