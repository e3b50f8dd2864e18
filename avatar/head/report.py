"""What a 3D head has and lacks, for who enrols it."""

from __future__ import annotations

from dataclasses import dataclass

from avatar.controls import Control
from avatar.head.bind import bind
from avatar.head.bones import Bone
from avatar.head.model import read
from avatar.head.names import RECIPES


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found in a file."""

    kind: str
    """`glTF`, `VRM 0` or `VRM 1`."""
    vertices: int
    triangles: int
    textures: int
    bones: tuple[str, ...]
    found: dict[Control, str]
    """What makes each control; the first choice of names.py or something composed of others."""
    composed: tuple[Control, ...]
    """Those of `found` that are made of what was meant for something else."""
    missing: tuple[Control, ...]
    """They will not move; the face goes without."""
    unknown: tuple[str, ...]
    """Blend shapes that nothing here makes use of."""
    has_body: bool

    @property
    def lines(self) -> tuple[str, ...]:
        """For people, one fact a line."""
        shapes = f"{len(self.found)} of {len(self.found) + len(self.missing)} controls move"
        told = [
            f"{self.kind} with {self.vertices} vertices, {self.triangles} triangles and {self.textures} textures",
            f"{shapes}, {len(self.composed)} of them composed of other shapes",
        ]
        if self.bones:
            told.append(f"bones: {', '.join(self.bones)}")
        if self.missing:
            told.append(f"missing: {', '.join(control.name.lower() for control in self.missing)}")
        if self.unknown:
            told.append(f"not used: {len(self.unknown)} blend shapes, such as {', '.join(self.unknown[:3])}")
        if not self.has_body:
            told.append("no shoulders: the picture ends at the neck")
        return tuple(told)


def describe(data: bytes) -> Report:
    """Raises `UnfitModel` where the file cannot be a face at all."""
    model = read(data)
    bound = bind(model)
    return Report(
        kind=model.kind,
        vertices=model.vertices,
        triangles=model.triangles,
        textures=len(model.textures),
        bones=tuple(bone.name.lower().replace("_", " ") for bone in Bone if bone in model.skeleton.parts),
        found=dict(bound.found),
        composed=tuple(control for control, how in bound.found.items() if _composed(control, how)),
        missing=bound.missing,
        unknown=model.unknown,
        has_body=bound.has_body,
    )


def _composed(control: Control, how: str) -> bool:
    if control not in RECIPES:
        return False
    first = {pinch.shape for pinch in RECIPES[control][0]}
    return set(how.split(" + ")) != first
