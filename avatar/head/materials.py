"""What a model's surfaces are made of, as far as a talking head needs it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from avatar.head.tree import Entry


class Shading(IntEnum):
    LIT = 0
    """Skin, cloth, hair: soft light with shadows."""
    GLOSSY = 1
    """Eyes and teeth: likewise, with a highlight of its own in every pixel."""
    TOON = 2
    """MToon: two tones with a soft step between."""
    FLAT = 3
    """Unlit: the texture as it is."""


class Alpha(IntEnum):
    OPAQUE = 0
    MASK = 1
    BLEND = 2


@dataclass(frozen=True, slots=True)
class Material:
    """One surface. Colours are linear."""

    name: str = ""
    shading: Shading = Shading.LIT
    base: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    shade: tuple[float, float, float] = (0.6, 0.5, 0.5)
    """A toon's colour in the dark, relative to `base`."""
    roughness: float = 0.6
    alpha: Alpha = Alpha.OPAQUE
    cutoff: float = 0.5
    double: bool = False
    image: int | None = None
    """The number of its base colour's image."""
    uv_set: int = 0
    uv_matrix: tuple[float, float, float, float, float, float] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    """Rows of what takes a vertex's (u, v, 1) to the image's."""


_ALPHAS: Final = {"OPAQUE": Alpha.OPAQUE, "MASK": Alpha.MASK, "BLEND": Alpha.BLEND}


def materials(root: Entry) -> list[Material]:
    """All of the document's, in order; VRM's toon shading and unlit ones are recognised."""
    old = root.entry("extensions").entry("VRM").entries("materialProperties")
    found = []
    images = _images(root)
    for number, entry in enumerate(root.entries("materials")):
        material = _material(entry, images)
        if number < len(old):
            material = _old_toon(material, old[number])
        found.append(material)
    return found


def _images(root: Entry) -> list[int | None]:
    """Which image each texture shows."""
    count = len(root.entries("images"))
    found = []
    for entry in root.entries("textures"):
        webp = entry.entry("extensions").entry("EXT_texture_webp")
        found.append(webp.index("source", count) if webp.has("source") else entry.index("source", count))
    return found


def _material(entry: Entry, images: list[int | None]) -> Material:
    rough = entry.entry("pbrMetallicRoughness")
    reference = rough.entry("baseColorTexture")
    texture = reference.index("index", len(images))
    red, green, blue, alpha = (min(1.0, max(0.0, n)) for n in rough.numbers("baseColorFactor", (1.0,) * 4))
    extensions = entry.entry("extensions")
    material = Material(
        name=entry.text("name")[:80],
        base=(red, green, blue, alpha),
        roughness=min(1.0, max(0.0, rough.number("roughnessFactor", 1.0))),
        alpha=_ALPHAS.get(entry.text("alphaMode", "OPAQUE"), Alpha.OPAQUE),
        cutoff=min(1.0, max(0.0, entry.number("alphaCutoff", 0.5))),
        double=entry.flag("doubleSided"),
        image=None if texture is None else images[texture],
        uv_set=_uv_set(reference),
        uv_matrix=_uv_matrix(reference.entry("extensions").entry("KHR_texture_transform")),
    )
    if extensions.has("VRMC_materials_mtoon"):
        toon = extensions.entry("VRMC_materials_mtoon")
        return _toon(material, toon.numbers("shadeColorFactor", (1.0, 1.0, 1.0)))
    if extensions.has("KHR_materials_unlit"):
        return replace(material, shading=Shading.FLAT)
    return material


def _old_toon(material: Material, entry: Entry) -> Material:
    if "mtoon" not in entry.text("shader").lower():
        return material
    vectors = entry.entry("vectorProperties")
    shade = vectors.numbers("_ShadeColor", (0.97, 0.81, 0.86, 1.0))
    red, green, blue, alpha = (min(1.0, max(0.0, n)) for n in vectors.numbers("_Color", (1.0,) * 4))
    material = replace(material, base=(red**2.2, green**2.2, blue**2.2, alpha))
    return _toon(material, tuple(max(0.0, n) ** 2.2 for n in shade[:3]))


def _toon(material: Material, shade: tuple[float, ...]) -> Material:
    relative = [min(1.0, max(0.3, of / max(0.05, base))) for of, base in zip(shade, material.base, strict=False)]
    return replace(material, shading=Shading.TOON, shade=(relative[0], relative[1], relative[2]))


def _uv_set(reference: Entry) -> int:
    moved = reference.entry("extensions").entry("KHR_texture_transform")
    return moved.integer("texCoord", reference.integer("texCoord", 0, high=3), high=3)


def _uv_matrix(entry: Entry) -> tuple[float, float, float, float, float, float]:
    x, y = entry.numbers("offset", (0.0, 0.0))
    across, down = entry.numbers("scale", (1.0, 1.0))
    turn = entry.number("rotation", 0.0)
    cos, sin = math.cos(turn), math.sin(turn)
    return (cos * across, sin * down, x, -sin * across, cos * down, y)
