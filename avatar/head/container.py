"""GLB, glTF and VRM files taken apart: the document and its buffers, bounded and checked, nothing fetched."""

from __future__ import annotations

import base64
import binascii
import json
import struct
from dataclasses import dataclass
from typing import Final

from avatar.errors import UnfitModel
from avatar.head.tree import Entry

MOST_BYTES: Final = 256 * 1024 * 1024
MOST_JSON_BYTES: Final = 24 * 1024 * 1024

_JSON: Final = 0x4E4F534A
_BIN: Final = 0x004E4942
_UNDERSTOOD: Final = frozenset(
    {"KHR_mesh_quantization", "KHR_texture_transform", "EXT_texture_webp", "VRM", "VRMC_vrm", "VRMC_springBone"}
)
_PACKED: Final = {
    "KHR_draco_mesh_compression": "is packed with Draco; export it without mesh compression",
    "EXT_meshopt_compression": "is packed with meshopt; export it without compression (gltfpack without -c)",
    "KHR_texture_basisu": "has KTX2 textures; export it with PNG or JPEG ones",
}


@dataclass(frozen=True, slots=True)
class Container:
    """A document with its bytes."""

    root: Entry
    buffers: tuple[memoryview, ...]


def opened(data: bytes) -> Container:
    """The document in a .glb, .vrm or .gltf file. Raises `UnfitModel` for anything that is not one, is cut off,
    too large, refers to other files or needs an extension that this reader does not have."""
    if len(data) > MOST_BYTES:
        raise UnfitModel(f"the model has {len(data) >> 20} MiB, the most is {MOST_BYTES >> 20}; make it smaller")
    if data[:4] == b"glTF":
        text, binary = _chunks(data)
    elif data[:2] in (b"PK", b"\x1f\x8b"):
        raise UnfitModel("this is an archive; unpack it and give the .glb or .vrm file in it")
    else:
        text, binary = data, None
    root = _document(text)
    _check(root)
    return Container(root, _buffers(root, binary))


def _chunks(data: bytes) -> tuple[bytes, memoryview | None]:
    if len(data) < 20:
        raise UnfitModel("the model is cut off; copy the file again")
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2:
        raise UnfitModel(f"the model is glTF {version}, want glTF 2; export it again as glTF 2.0")
    if length > len(data):
        raise UnfitModel(f"the model is cut off: {len(data)} of {length} bytes are there; copy the file again")
    text: bytes | None = None
    binary: memoryview | None = None
    at = 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<II", data, at)
        at += 8
        if at + size > length:
            raise UnfitModel("the model is cut off within a chunk; copy the file again")
        if kind == _JSON and text is None:
            text = data[at : at + size]
        elif kind == _BIN and binary is None:
            binary = memoryview(data)[at : at + size]
        at += size + (-size % 4)
    if text is None:
        raise UnfitModel("the model has no document in it; export it again as .glb")
    return text, binary


def _document(text: bytes) -> Entry:
    if len(text) > MOST_JSON_BYTES:
        raise UnfitModel(f"the model's document has {len(text) >> 20} MiB; export it as .glb, without data URIs")
    try:
        document = json.loads(text.decode("utf-8-sig").rstrip("\0 \r\n\t"))
    except (ValueError, RecursionError):
        raise UnfitModel("this is no glTF, GLB or VRM file, or it is damaged; export the model as .glb") from None
    if not isinstance(document, dict):
        raise UnfitModel("the model's document is not an object; export the model as .glb")
    return Entry(document, "model")


def _check(root: Entry) -> None:
    version = root.entry("asset").text("version", "2.0")
    if not version.startswith("2"):
        raise UnfitModel("the model is not glTF 2; export it again as glTF 2.0")
    for extension in root.texts("extensionsRequired"):
        if extension in _PACKED:
            raise UnfitModel(f"the model {_PACKED[extension]}")
        if extension not in _UNDERSTOOD and not extension.startswith(("KHR_materials_", "VRMC_")):
            raise UnfitModel(f"the model needs the extension {extension[:60]!r}; export it without it")


def _buffers(root: Entry, binary: memoryview | None) -> tuple[memoryview, ...]:
    found = []
    for number, entry in enumerate(root.entries("buffers")):
        wanted = entry.integer("byteLength", low=0, high=MOST_BYTES)
        if entry.has("uri"):
            have = memoryview(embedded(entry.text("uri"), entry.path))
        elif number == 0 and binary is not None:
            have = binary
        else:
            raise UnfitModel(f"{entry.path} has no bytes; export the model as one .glb file")
        if len(have) < wanted:
            raise UnfitModel(f"{entry.path} has {len(have)} of {wanted} bytes; the file is cut off, copy it again")
        found.append(have[:wanted])
    return tuple(found)


def embedded(uri: str, path: str) -> bytes:
    """What a data URI holds. Raises `UnfitModel` for an address of anything else: nothing is fetched or opened."""
    head, comma, body = uri.partition(",")
    if not (comma and head.startswith("data:")):
        raise UnfitModel(f"{path} refers to another file; export the model as one .glb file with all in it")
    if not head.endswith(";base64"):
        raise UnfitModel(f"{path} is a data URI without base64; export the model as .glb")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise UnfitModel(f"{path} is damaged base64; export the model as .glb") from None
