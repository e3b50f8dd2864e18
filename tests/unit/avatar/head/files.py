"""The head of heads.py as files: GLB with ARKit or Oculus names, VRM 0 and 1, with and without bones."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from avatar.head.names import ARKIT
from tests.unit.avatar.head import skins
from tests.unit.avatar.head.heads import EYE_X, EYE_Y, EYE_Z, Array, Piece, pieces, sphere

Document = dict[str, Any]

_OCULUS: Mapping[str, Mapping[str, float]] = {
    "viseme_sil": {},
    "viseme_PP": {"mouthPressLeft": 0.8, "mouthPressRight": 0.8, "mouthRollLower": 0.3, "mouthRollUpper": 0.3},
    "viseme_FF": {"mouthRollLower": 0.9, "mouthUpperUpLeft": 0.3, "mouthUpperUpRight": 0.3},
    "viseme_TH": {"jawOpen": 0.15, "tongueOut": 0.2},
    "viseme_SS": {
        "mouthLowerDownLeft": 0.5,
        "mouthLowerDownRight": 0.5,
        "mouthStretchLeft": 0.4,
        "mouthStretchRight": 0.4,
    },
    "viseme_aa": {"jawOpen": 0.7},
    "viseme_E": {"jawOpen": 0.3, "mouthStretchLeft": 0.6, "mouthStretchRight": 0.6},
    "viseme_I": {"jawOpen": 0.15, "mouthSmileLeft": 0.4, "mouthSmileRight": 0.4},
    "viseme_O": {"jawOpen": 0.3, "mouthFunnel": 1.0},
    "viseme_U": {"jawOpen": 0.1, "mouthPucker": 1.0},
    "eyeBlink_L": {"eyeBlinkLeft": 1.0},
    "eyeBlink_R": {"eyeBlinkRight": 1.0},
    "mouthSmile": {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0},
    "browInnerUp": {"browInnerUp": 1.0},
}
_VRM: Mapping[str, Mapping[str, float]] = {
    "Fcl_MTH_A": {"jawOpen": 0.7},
    "Fcl_MTH_I": {"jawOpen": 0.15, "mouthSmileLeft": 0.4, "mouthSmileRight": 0.4},
    "Fcl_MTH_U": {"mouthPucker": 1.0, "jawOpen": 0.1},
    "Fcl_MTH_E": {"jawOpen": 0.3, "mouthStretchLeft": 0.6, "mouthStretchRight": 0.6},
    "Fcl_MTH_O": {"mouthFunnel": 1.0, "jawOpen": 0.3},
    "Close": {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
    "CloseL": {"eyeBlinkLeft": 1.0},
    "CloseR": {"eyeBlinkRight": 1.0},
    "Joy": {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0, "eyeBlinkLeft": 0.6, "eyeBlinkRight": 0.6},
    "Angry": {"browDownLeft": 1.0, "browDownRight": 1.0, "mouthFrownLeft": 0.6, "mouthFrownRight": 0.6},
    "Sorrow": {"browInnerUp": 1.0, "mouthFrownLeft": 1.0, "mouthFrownRight": 1.0},
    "Surprised": {"browOuterUpLeft": 1.0, "browOuterUpRight": 1.0, "browInnerUp": 1.0, "jawOpen": 0.3},
}
_VRM0 = {
    "A": "Fcl_MTH_A",
    "I": "Fcl_MTH_I",
    "U": "Fcl_MTH_U",
    "E": "Fcl_MTH_E",
    "O": "Fcl_MTH_O",
    "Blink": "Close",
    "Blink_L": "CloseL",
    "Blink_R": "CloseR",
    "Joy": "Joy",
    "Angry": "Angry",
    "Sorrow": "Sorrow",
}
_VRM1 = {"aa": "Fcl_MTH_A", "ih": "Fcl_MTH_I", "ou": "Fcl_MTH_U", "ee": "Fcl_MTH_E", "oh": "Fcl_MTH_O",
         "blink": "Close", "blinkLeft": "CloseL", "blinkRight": "CloseR", "happy": "Joy", "angry": "Angry",
         "sad": "Sorrow", "surprised": "Surprised"}  # fmt: skip

_JOINTS = ("Neck", "Head", "Jaw", "LeftEye", "RightEye", "Hips")
_PLACES = {
    "Hips": (0, -2.0, 0),
    "Neck": (0, -0.25, -0.08),
    "Head": (0, 0.08, -0.06),
    "Jaw": (0, 0.42, -0.06),
    "LeftEye": (EYE_X, EYE_Y, EYE_Z),
    "RightEye": (-EYE_X, EYE_Y, EYE_Z),
}


@cache
def head(naming: str = "arkit", *, bones: bool = False, kind: str = "glb") -> bytes:
    """The file of a head. `naming` is `arkit`, `oculus`, `vrm0`, `vrm1` or `none`; with `bones` it is skinned and
    has no blend shape for what they do; `kind` is `glb` or `gltf`."""
    writer = Writer()
    _materials(writer, toon=naming.startswith("vrm"))
    for piece in pieces():
        _mesh(writer, piece, naming, bones)
    nodes: list[Document] = [
        {"name": piece.name, "mesh": number, **({"skin": 0} if bones else {})}
        for number, piece in enumerate(pieces())
    ]
    if bones:
        nodes += _skeleton(writer, len(nodes))
    roots = list(range(len(pieces()))) + ([len(nodes) - 1] if bones else [])
    if naming == "vrm0":
        # VRM 0 looks the other way.
        nodes.append({"rotation": [0, 1, 0, 0], "children": roots})
        roots = [len(nodes) - 1]
    writer.document |= {"nodes": nodes, "scenes": [{"nodes": roots}], "scene": 0}
    _vrm(writer.document, naming)
    return writer.glb() if kind == "glb" else writer.gltf()


def small() -> bytes:
    """A ball with a jaw, two lids and a texture: all kinds of contents, a thousandth of the size."""
    points, triangles = sphere((0, 0.5, 0), (0.35, 0.5, 0.4), 16, 20)
    writer = Writer()
    picture = np.full((8, 8, 4), 200, np.uint8)
    texture = writer.image(skins.encoded(picture, "png"), "png")
    surface = {"baseColorTexture": {"index": texture}, "baseColorFactor": [1, 0.8, 0.7, 1]}
    writer.document["materials"] = [{"pbrMetallicRoughness": surface, "alphaMode": "MASK"}]
    moves = np.zeros_like(points)
    moves[:, 1] = -0.1 * (points[:, 1] < 0.3) * (points[:, 2] > 0)
    blink = np.zeros_like(points)
    blink[:, 1] = -0.05 * (points[:, 1] > 0.6) * (points[:, 2] > 0.1)
    attributes = {
        "POSITION": writer.floats(points),
        "NORMAL": writer.floats(points - [0, 0.5, 0]),
        "TEXCOORD_0": writer.floats(points[:, :2]),
        "JOINTS_0": writer.shorts(np.zeros((len(points), 4)), "VEC4"),
        "WEIGHTS_0": writer.floats(np.tile([1.0, 0, 0, 0], (len(points), 1))),
    }
    primitive = {
        "attributes": attributes,
        "indices": writer.integers(triangles.reshape(-1, 1), "SCALAR"),
        "material": 0,
        "targets": [{"POSITION": writer.sparse(moves)}, {"POSITION": writer.floats(blink)}],
    }
    writer.document["meshes"] = [{"primitives": [primitive], "extras": {"targetNames": ["jawOpen", "eyeBlink_L"]}}]
    inverse = writer.floats(np.eye(4).reshape(1, 16))
    writer.document |= {
        "skins": [{"joints": [1], "inverseBindMatrices": inverse}],
        "nodes": [{"mesh": 0, "skin": 0, "children": [1]}, {"name": "Head", "rotation": [0, 0, 0, 1]}],
        "scenes": [{"nodes": [0]}],
        "scene": 0,
    }
    return writer.glb()


class Writer:
    """A document and its bytes, put together."""

    def __init__(self) -> None:
        self.document: Document = {
            "asset": {"version": "2.0"},
            "meshes": [],
            "materials": [],
            "textures": [],
            "images": [],
            "accessors": [],
            "bufferViews": [],
        }
        self.bytes = bytearray()

    def view(self, data: bytes) -> int:
        self.bytes += bytes(-len(self.bytes) % 4)
        self.document["bufferViews"].append({"buffer": 0, "byteOffset": len(self.bytes), "byteLength": len(data)})
        self.bytes += data
        return len(self.document["bufferViews"]) - 1

    def floats(self, values: npt.NDArray[Any]) -> int:
        kind = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}[values.shape[1]]
        return self._accessor(values.astype("<f4"), 5126, kind)

    def integers(self, values: npt.NDArray[Any], kind: str) -> int:
        return self._accessor(values.astype("<u4"), 5125, kind)

    def shorts(self, values: npt.NDArray[Any], kind: str) -> int:
        return self._accessor(values.astype("<u2"), 5123, kind)

    def sparse(self, values: Array) -> int:
        """Only those that are not zero."""
        where = np.flatnonzero(np.abs(values).max(axis=1) > 1e-6)
        if not len(where):
            return self._bare(len(values), "VEC3")
        number = self._bare(len(values), "VEC3")
        self.document["accessors"][number]["sparse"] = {
            "count": len(where),
            "indices": {"bufferView": self.view(where.astype("<u2").tobytes()), "componentType": 5123},
            "values": {"bufferView": self.view(values[where].astype("<f4").tobytes())},
        }
        return number

    def image(self, data: bytes, kind: str) -> int:
        self.document["images"].append({"bufferView": self.view(data), "mimeType": f"image/{kind}"})
        self.document["textures"].append({"source": len(self.document["images"]) - 1})
        return len(self.document["textures"]) - 1

    def glb(self) -> bytes:
        self.document["buffers"] = [{"byteLength": len(self.bytes)}]
        return packed(self.document, bytes(self.bytes))

    def gltf(self) -> bytes:
        uri = "data:application/octet-stream;base64," + base64.b64encode(self.bytes).decode()
        self.document["buffers"] = [{"byteLength": len(self.bytes), "uri": uri}]
        return json.dumps(self.document).encode()

    def _accessor(self, values: npt.NDArray[Any], component: int, kind: str) -> int:
        number = self._bare(len(values), kind, component)
        self.document["accessors"][number]["bufferView"] = self.view(values.tobytes())
        return number

    def _bare(self, count: int, kind: str, component: int = 5126) -> int:
        self.document["accessors"].append({"count": count, "type": kind, "componentType": component})
        return len(self.document["accessors"]) - 1


def packed(document: Document, binary: bytes) -> bytes:
    """A GLB file."""
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    binary += bytes(-len(binary) % 4)
    total = 12 + 8 + len(text) + 8 + len(binary)
    return (
        struct.pack("<4sIIII", b"glTF", 2, total, len(text), 0x4E4F534A)
        + text
        + struct.pack("<II", len(binary), 0x004E4942)
        + binary
    )


def unpacked(data: bytes) -> tuple[Document, bytes]:
    """The document and the bytes of a GLB file, to be changed and packed again."""
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length]), data[28 + length :]


_NAMES = ("skin", "cloth", "lips", "eye", "teeth", "tongue", "mouth", "hair", "lash")


def _materials(writer: Writer, *, toon: bool) -> None:
    pictures = {
        "skin": (skins.skin(), "jpeg"),
        "eye": (skins.eye(), "png"),
        "teeth": (skins.teeth(), "png"),
        "hair": (skins.hair(), "jpeg"),
        "lash": (skins.lash(), "png"),
    }
    colours = {"cloth": (0.030, 0.052, 0.095), "lips": (0.40, 0.10, 0.10), "tongue": (0.72, 0.26, 0.24),
               "mouth": (0.20, 0.04, 0.04)}  # fmt: skip
    rough = {"skin": 0.62, "cloth": 0.95, "hair": 0.55, "lips": 0.45, "tongue": 0.4, "mouth": 0.9}
    for name in _NAMES:
        surface: Document = {"roughnessFactor": rough.get(name, 0.5), "metallicFactor": 0}
        if name in pictures:
            image, kind = pictures[name]
            surface["baseColorTexture"] = {"index": writer.image(skins.encoded(image, kind), kind)}
        if name in colours:
            surface["baseColorFactor"] = [*colours[name], 1]
        material: Document = {"name": name, "pbrMetallicRoughness": surface}
        if name == "lash":
            material |= {"alphaMode": "BLEND", "doubleSided": True}
        if toon and name != "eye":
            material["extensions"] = {"VRMC_materials_mtoon": {"shadeColorFactor": [0.75, 0.55, 0.55]}}
        writer.document["materials"].append(material)


def _named(piece: Piece, naming: str, bones: bool) -> dict[str, Array]:
    if naming == "none":
        return {}
    if naming == "arkit":
        skipped = ("jawOpen", "eyeLook") if bones else ()
        return {
            name: piece.shapes[name] for name in ARKIT if name in piece.shapes and not name.startswith(skipped)
        }
    found = {}
    for name, mix in (_OCULUS if naming == "oculus" else _VRM).items():
        total = np.zeros_like(piece.points)
        for shape, amount in mix.items():
            if shape in piece.shapes:
                total += amount * piece.shapes[shape]
        found[name] = total
    return found if any(np.abs(moves).max() > 1e-6 for moves in found.values()) else {}


def _mesh(writer: Writer, piece: Piece, naming: str, bones: bool) -> None:
    attributes: Document = {
        "POSITION": writer.floats(piece.points),
        "NORMAL": writer.floats(_normals(piece)),
        "TEXCOORD_0": writer.floats(piece.uv),
    }
    if bones:
        share = (
            np.tile([0.0, 1, 0, 0, 0], (len(piece.points), 1)) if piece.bone is None else piece.bone(piece.points)
        )
        share = np.concatenate([share, 1 - share.sum(axis=1, keepdims=True)], axis=1)
        best = np.argsort(-share, axis=1)[:, :4]
        attributes["JOINTS_0"] = writer.shorts(best, "VEC4")
        attributes["WEIGHTS_0"] = writer.floats(np.take_along_axis(share, best, axis=1))
    shapes = _named(piece, naming, bones)
    primitive: Document = {
        "attributes": attributes,
        "indices": writer.integers(piece.triangles.reshape(-1, 1), "SCALAR"),
        "material": _NAMES.index(piece.material),
    }
    mesh: Document = {"name": piece.name, "primitives": [primitive]}
    if shapes:
        primitive["targets"] = [{"POSITION": writer.sparse(moves)} for moves in shapes.values()]
        mesh["extras"] = {"targetNames": list(shapes)}
    writer.document["meshes"].append(mesh)


def _normals(piece: Piece) -> Array:
    """Smooth over all points in one place, but not from one lip to the other."""
    corners = piece.points[piece.triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    key = np.round(piece.points * 1e5)
    lips = [
        piece.shapes[name][:, 1] for name in ("mouthLowerDownLeft", "mouthLowerDownRight") if name in piece.shapes
    ]
    key = np.concatenate([key, np.sign(np.round(sum(lips, np.zeros(len(key))), 4))[:, None]], axis=1)
    _, weld = np.unique(key, axis=0, return_inverse=True)
    weld = weld.ravel()
    total = np.zeros((len(piece.points), 3))
    for corner in range(3):
        np.add.at(total, weld[piece.triangles[:, corner]], faces)
    total = total[weld]
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12))


def _skeleton(writer: Writer, first: int) -> list[Document]:
    above = {"Neck": "Hips", "Head": "Neck", "Jaw": "Head", "LeftEye": "Head", "RightEye": "Head"}
    nodes = []
    for name in _JOINTS:
        base = _PLACES[above[name]] if name in above else (0, 0, 0)
        node: Document = {
            "name": name,
            "translation": [float(a - b) for a, b in zip(_PLACES[name], base, strict=True)],
        }
        children = [first + _JOINTS.index(child) for child, parent in above.items() if parent == name]
        if children:
            node["children"] = children
        nodes.append(node)
    inverse = np.tile(np.eye(4), (len(_JOINTS), 1, 1))
    inverse[:, 3, :3] = [[-n for n in _PLACES[name]] for name in _JOINTS]
    writer.document["skins"] = [
        {
            "joints": [first + number for number in range(len(_JOINTS))],
            "inverseBindMatrices": writer.floats(inverse.reshape(-1, 16)),
        }
    ]
    return nodes


def _vrm(document: Document, naming: str) -> None:
    with_shapes = [
        (number, mesh["extras"]["targetNames"])
        for number, mesh in enumerate(document["meshes"])
        if "extras" in mesh
    ]
    if naming == "vrm0":
        groups = []
        for preset, shape in _VRM0.items():
            binds = [{"mesh": mesh, "index": names.index(shape), "weight": 100} for mesh, names in with_shapes]
            groups.append({"name": preset, "presetName": preset.lower(), "binds": binds})
        document["extensions"] = {"VRM": {"blendShapeMaster": {"blendShapeGroups": groups}}}
        document["extensionsUsed"] = ["VRM"]
    if naming == "vrm1":
        preset_of = {}
        for preset, shape in _VRM1.items():
            binds = [{"node": mesh, "index": names.index(shape), "weight": 1.0} for mesh, names in with_shapes]
            preset_of[preset] = {"morphTargetBinds": binds}
        document["extensions"] = {"VRMC_vrm": {"specVersion": "1.0", "expressions": {"preset": preset_of}}}
        document["extensionsUsed"] = ["VRMC_vrm"]
