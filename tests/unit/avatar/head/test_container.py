from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from avatar.errors import UnfitModel
from avatar.head.container import MOST_BYTES, opened
from tests.unit.avatar.head.files import head, packed, small, unpacked


def refused(data: bytes) -> str:
    with pytest.raises(UnfitModel) as found:
        opened(data)
    return str(found.value)


def changed(**values: Any) -> bytes:
    document, binary = unpacked(small())
    return packed(document | values, binary)


def test_binary_and_text_files_hold_the_same() -> None:
    one, other = opened(head()), opened(head(kind="gltf"))
    assert bytes(one.buffers[0]) == bytes(other.buffers[0])
    assert one.root.entries("meshes")[0].values == other.root.entries("meshes")[0].values


@pytest.mark.parametrize("length", [0, 3, 11, 19, 200, 5_000])
def test_a_file_that_is_cut_off_is_refused(length: int) -> None:
    assert refused(small()[:length])


@pytest.mark.parametrize("data", [b"PK\x03\x04rest", b"\x1f\x8bmore"])
def test_an_archive_is_not_unpacked(data: bytes) -> None:
    assert "unpack" in refused(data)


def test_a_file_of_any_size_is_bounded() -> None:
    assert "MiB" in refused(bytes(MOST_BYTES + 1))


def test_a_deep_document_is_refused() -> None:
    assert refused(b'{"a":' * 200_000)
    assert refused(b"[" * 200_000)


def test_glTF_1_is_refused() -> None:  # noqa: N802 - the name of the format
    data = bytearray(small())
    struct.pack_into("<I", data, 4, 1)
    assert "glTF 2" in refused(bytes(data))
    assert "glTF 2" in refused(changed(asset={"version": "1.0"}))


@pytest.mark.parametrize(
    ("extension", "hint"),
    [
        ("KHR_draco_mesh_compression", "without mesh compression"),
        ("EXT_meshopt_compression", "without compression"),
        ("KHR_texture_basisu", "PNG or JPEG"),
        ("ABC_new", "ABC_new"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_way_out(extension: str, hint: str) -> None:
    assert hint in refused(changed(extensionsRequired=[extension]))


def test_extensions_that_only_refine_are_fine() -> None:
    assert opened(changed(extensionsRequired=["KHR_materials_clearcoat", "KHR_mesh_quantization", "VRMC_vrm"]))


@pytest.mark.parametrize("uri", ["head.bin", "https://example.com/head.bin", "file:///etc/hostname", "data:,abc"])
def test_nothing_outside_the_file_is_opened(uri: str) -> None:
    document = {"asset": {"version": "2.0"}, "buffers": [{"byteLength": 3, "uri": uri}]}
    assert "export" in refused(json.dumps(document).encode())


def test_damaged_base64_is_refused() -> None:
    uri = "data:application/octet-stream;base64," + base64.b64encode(b"abcd").decode()[:-1] + "*"
    document = {"asset": {"version": "2.0"}, "buffers": [{"byteLength": 3, "uri": uri}]}
    assert "base64" in refused(json.dumps(document).encode())


@pytest.mark.parametrize("value", [10**400, -(10**400)])
def test_a_whole_number_beyond_all_floats_is_bounded(value: int) -> None:
    entry = opened(changed(extras={"one": value, "some": [value, 0]})).root.entry("extras")
    assert abs(entry.number("one", 0.0)) == 1e6
    assert abs(entry.numbers("some", (0.0, 0.0))[0]) == 1e6
