from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from avatar.errors import UnfitModel
from avatar.head.bones import Bone
from avatar.head.model import MOST_VERTICES, read
from avatar.head.names import eye_of
from tests.unit.avatar.head.files import Document, head, packed, small, unpacked


def refused(document: Document, binary: bytes) -> str:
    with pytest.raises(UnfitModel) as found:
        read(packed(document, binary))
    return str(found.value)


def test_a_head_is_read_with_its_shapes_bones_and_textures() -> None:
    model = read(head(bones=True))
    assert model.kind == "glTF"
    assert {"mouthSmileLeft", "eyeBlinkRight", "browInnerUp"} <= model.shapes
    assert set(model.skeleton.parts) == {Bone.NECK, Bone.HEAD, Bone.JAW, Bone.EYE_LEFT, Bone.EYE_RIGHT}
    assert len(model.textures) == 5
    assert all(np.allclose(part.bones.sum(axis=1), 1, atol=1e-4) for part in model.parts)


@pytest.mark.parametrize(("naming", "kind"), [("vrm0", "VRM 0"), ("vrm1", "VRM 1")])
def test_expressions_of_vrm_are_shapes(naming: str, kind: str) -> None:
    model = read(head(naming))
    assert model.kind == kind
    assert {"vrm:a", "vrm:blink_l", "vrm:happy", "vrm:sad"} <= model.shapes


def test_a_sparse_shape_is_the_dense_one() -> None:
    part = read(small()).parts[0]
    jaw = part.shapes["jawOpen"]
    assert np.allclose(jaw.moves, [0, -0.1, 0])
    assert (part.positions[jaw.vertices][:, 1] < 0.3).all()


def test_bones_at_rest_leave_the_skin_where_it_was() -> None:
    one = np.concatenate([part.positions for part in read(head()).parts])
    other = np.concatenate([part.positions for part in read(head(bones=True)).parts])
    assert np.allclose(one, other, atol=1e-4)


def test_nodes_in_a_circle_are_refused() -> None:
    document, binary = unpacked(small())
    document["nodes"][1]["children"] = [0]
    assert "circle" in refused(document, binary)
    document["nodes"][1]["children"] = [1]
    assert "itself" in refused(document, binary)


def test_a_million_vertices_are_refused_with_their_number() -> None:
    document, binary = unpacked(small())
    document["accessors"][0] = {"count": 1_000_000, "type": "VEC3", "componentType": 5126}
    message = refused(document, binary)
    assert "1000000 vertices" in message
    assert str(MOST_VERTICES) in message


def test_the_same_numbers_used_again_and_again_are_bounded() -> None:
    document, binary = unpacked(small())
    document["nodes"] = [{"mesh": 0}] * 600
    document["scenes"] = [{"nodes": list(range(600))}]
    assert "512 parts" in refused(document, binary)


@pytest.mark.parametrize(
    ("accessor", "values"),
    [
        (0, {"count": 10**9}),
        (0, {"byteOffset": 2**30}),
        (0, {"bufferView": 99}),
        (0, {"componentType": 1}),
        (0, {"type": "VEC4"}),
        (0, {"count": -1}),
        (3, {"componentType": 5126}),
    ],
)
def test_an_accessor_out_of_bounds_is_refused(accessor: int, values: dict[str, Any]) -> None:
    document, binary = unpacked(small())
    document["accessors"][accessor] |= values
    assert refused(document, binary)


def test_numbers_that_are_not_finite_are_refused() -> None:
    document, binary = unpacked(small())
    at = document["bufferViews"][document["accessors"][0]["bufferView"]]["byteOffset"]
    broken = binary[:at] + np.array([np.nan], "<f4").tobytes() + binary[at + 4 :]
    assert "finite" in refused(document, broken)


def test_indices_and_joints_beyond_the_end_are_refused() -> None:
    document, binary = unpacked(small())
    document["meshes"][0]["primitives"][0]["indices"] = document["meshes"][0]["primitives"][0]["attributes"][
        "JOINTS_0"
    ]
    assert refused(document, binary)
    document, binary = unpacked(small())
    document["skins"][0]["joints"] = []
    assert len(read(packed(document, binary)).parts) == 1


@pytest.mark.parametrize(
    "image", [{}, {"uri": "skin.png"}, {"bufferView": 77}, {"uri": "data:image/png;base64,AAAA"}]
)
def test_a_missing_texture_is_refused(image: dict[str, Any]) -> None:
    document, binary = unpacked(small())
    document["images"] = [image]
    assert "export" in refused(document, binary)


@pytest.mark.parametrize(
    ("name", "eye"),
    [
        ("EyeLeft", "left"),
        ("Eye_R", "right"),
        ("eyes", "both"),
        ("EyeLash_L", None),
        ("eyebrow", None),
        ("Head", None),
    ],
)
def test_eyes_are_known_by_their_names(name: str, eye: str | None) -> None:
    assert eye_of(name) == eye
