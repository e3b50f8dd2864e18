"""Running a small network on one thread, and taking one apart whose middle the runtime does not know."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from avatar.errors import FaceMissing
from avatar.portrait.arrays import floats, octets

Tensor = npt.NDArray[np.float32]

_GRID: Final = 48
"""The features that the parts look at are a quarter as wide as the picture of 192 pixels."""
_CROP: Final = 16
_ROOM: Final = 1.5
"""A part is cut out with this much room around its points."""


class Network:
    """One network; `run` may be called by one thread at a time. Raises `FaceMissing` without its runtime."""

    def __init__(self, content: bytes) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError:
            raise FaceMissing("finding a face needs ai-edge-litert: pip install 'ai-twin[portrait]'") from None
        self._interpreter: Any = Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        self._inputs = [detail["index"] for detail in self._interpreter.get_input_details()]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def run(self, *inputs: Tensor) -> list[Tensor]:
        """What it makes of its inputs, without their first axis of one."""
        for index, value in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(index, value[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._outputs]


class Mesh:
    """The network that finds 478 points of a face, lips and eyes with care.

    Between its first half, which sees the whole face, and the second, which looks closely at lips and eyes, lie
    operations that only MediaPipe has (`mediapipe/util/tflite/operations`). They are done here; the halves are cut
    out of its file.
    """

    def __init__(self, content: bytes) -> None:
        whole, parts = _halves(content)
        self._whole, self._parts = Network(whole), Network(parts)

    def run(self, image: Tensor) -> tuple[Tensor, float]:
        """Points of a face in an upright picture, (192, 192, 3) with values from 0 to 1.

        Returns (478, 3), in its pixels, and how sure it is that there is a face, 0 to 1. The depth, z, grows away
        from the viewer. The last ten points are the irises: centre, right, top, left and bottom edge of the
        person's right one, then the left one's.
        """
        features, flat, flag = self._whole.run(image)
        points = np.zeros((478, 3), np.float32)
        points[:468] = flat.reshape(468, 3)
        transforms = [_window(points, part) for part in PARTS]
        lips, right, right_iris, left, left_iris = self._parts.run(
            *(_cut_out(features, transform) for transform in transforms)
        )
        for indices, found, transform in (
            (LIPS, lips, transforms[0]),
            (RIGHT_EYE, right, transforms[1]),
            (LEFT_EYE, left, transforms[2]),
            (RIGHT_IRIS, right_iris, transforms[1]),
            (LEFT_IRIS, left_iris, transforms[2]),
        ):
            # They come in the measure of the whole picture, as if the crop were as much larger as it is.
            points[indices, :2] = found @ transform[:, :2].T + transform[:, 2] * (192 / _GRID)
        points[RIGHT_IRIS, 2] = points[RIGHT_EYE[:16], 2].mean()
        points[LEFT_IRIS, 2] = points[LEFT_EYE[:16], 2].mean()
        return points, 1 / (1 + math.exp(-float(flag.reshape(-1)[0])))


def _window(points: Tensor, part: list[int]) -> Tensor:
    """The transform (2, 3) from a crop of 16 to the features: the part's points, level, with room around them."""
    xy = points[part, :2] * (_GRID / 192)
    left, right = _ENDS[part[0]]
    across = points[right, :2] - points[left, :2]
    angle = math.atan2(across[1], across[0])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], np.float32)
    level = xy @ turn
    low, high = level.min(0), level.max(0)
    middle = turn @ ((low + high) / 2)
    scaled = turn * ((high - low) * _ROOM / _CROP)
    offset = middle - scaled @ np.full(2, _CROP / 2, np.float32)
    return np.column_stack((scaled, offset)).astype(np.float32)


def _cut_out(features: Tensor, transform: Tensor) -> Tensor:
    """The features at the centres of the crop's cells, and nothing where it reaches beyond them."""
    cells = np.arange(_CROP, dtype=np.float32) + 0.5
    x, y = np.meshgrid(cells, cells)
    at = np.stack((x, y), -1) @ transform[:, :2].T + transform[:, 2] - 0.5
    inside = np.all((at >= 0) & (at <= _GRID - 1), axis=-1)[..., None]
    corner = np.clip(np.floor(at), 0, _GRID - 2).astype(np.intp)
    rest = (at - corner)[..., None]
    column, row = corner[..., 0], corner[..., 1]
    upper = features[row, column] * (1 - rest[..., 0, :]) + features[row, column + 1] * rest[..., 0, :]
    lower = features[row + 1, column] * (1 - rest[..., 0, :]) + features[row + 1, column + 1] * rest[..., 0, :]
    mixed: Tensor = (upper * (1 - rest[..., 1, :]) + lower * rest[..., 1, :]) * inside
    return mixed.astype(np.float32)


def _halves(content: bytes) -> tuple[bytes, bytes]:
    """The network's file as two: what comes before the operations nobody else has, and what lies between those."""
    try:
        import ai_edge_litert.schema_py_generated as schema
    except ImportError:
        raise FaceMissing("finding a face needs ai-edge-litert: pip install 'ai-twin[portrait]'") from None
    model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    graph = model.subgraphs[0]
    custom: dict[str, list[Any]] = {}
    for operator in graph.operators:
        name = model.operatorCodes[operator.opcodeIndex].customCode
        custom.setdefault(name.decode() if name else "", []).append(operator)
    crops, placed = custom["TransformTensorBilinear"], custom["TransformLandmarks"]
    named = {graph.tensors[index].name.decode(): index for index in graph.outputs}
    features = int(crops[0].inputs[0])
    whole = [features, int(named["output_mesh_identity"]), int(named["conv_faceflag"])]
    return (
        _part(model, [int(index) for index in graph.inputs], whole),
        _part(model, [int(crop.outputs[0]) for crop in crops], [int(each.inputs[0]) for each in placed]),
    )


def _part(model: Any, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
    import ai_edge_litert.schema_py_generated as schema
    import flatbuffers

    graph = copy.copy(model.subgraphs[0])
    wanted, kept = set(outputs), []
    for operator in reversed(graph.operators):
        if wanted.intersection(operator.outputs) and not set(inputs).intersection(operator.outputs):
            kept.append(operator)
            wanted.update(int(index) for index in operator.inputs)
    graph.operators = kept[::-1]
    graph.inputs, graph.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
    used = {graph.tensors[index].buffer for index in wanted if index >= 0}
    part = copy.copy(model)
    part.subgraphs, part.signatureDefs, part.metadata = [graph], None, None
    part.buffers = [buffer if number in used else schema.BufferT() for number, buffer in enumerate(model.buffers)]
    builder = flatbuffers.Builder(1 << 21)
    builder.Finish(part.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def letterbox(rgb: npt.NDArray[np.uint8], side: int) -> tuple[Tensor, float, tuple[float, float]]:
    """The picture in the middle of a black square of `side` pixels, with values from 0 to 1.

    Returns it with the factor it was scaled by and where its corner lies in the square.
    """
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    x, y = (side - width * scale) / 2, (side - height * scale) / 2
    matrix = np.array([[scale, 0, x + scale / 2 - 0.5], [0, scale, y + scale / 2 - 0.5]], np.float32)
    if scale < 0.5:
        rgb = octets(cv2.resize(rgb, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA))
        matrix = np.array([[0.5, 0, x - 0.25], [0, 0.5, y - 0.25]], np.float32)
    square = cv2.warpAffine(rgb, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return floats(square / 255), scale, (x, y)


# The points that each part refines, in the network's order (`tensors_to_face_landmarks_with_attention.pbtxt`).
LIPS: Final = [
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
]  # fmt: skip
RIGHT_EYE: Final = [
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173,
    130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190,
    226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189,
    35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193,
]  # fmt: skip
"""The person's own right one, at the viewer's left; the network's authors call it the left."""
LEFT_EYE: Final = [
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398,
    359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414,
    446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413,
    265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465,
    383, 300, 293, 334, 296, 336, 285, 417,
]  # fmt: skip
RIGHT_IRIS: Final = [468, 469, 470, 471, 472]
LEFT_IRIS: Final = [473, 474, 475, 476, 477]
PARTS: Final = (LIPS, RIGHT_EYE, LEFT_EYE)
_ENDS: Final = {61: (61, 291), 33: (33, 133), 263: (362, 263)}
"""The two points, by the part's first, that are level when the part is."""
