"""Finding faces in a picture, to the point.

    landmarker = Landmarker(cache)
    for face in landmarker.find(rgb): ...

The networks are MediaPipe's (`models.py`), run on one thread; some 6 ms a face. Points are numbered as in its face
mesh of 478. Pictures of a video are looked at like photos: nothing is carried over from one to the next.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from avatar.flesh.contours import Contours, Eye
from avatar.portrait import models
from avatar.portrait.arrays import floats, octets
from avatar.portrait.detector import Detector, Found
from avatar.portrait.network import Mesh

Points = npt.NDArray[np.float32]

_SIDE: Final = 192
_ROOM: Final = 1.5
"""The face is looked at with this much room around it."""
_LOOKS: Final = 3
"""The first look is at what the detector found, each next one at what the last look did."""
_PRESENT: Final = 0.5

OVAL: Final = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
]  # fmt: skip
LIPS_OUTER_UPPER: Final = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291]
LIPS_INNER_UPPER: Final = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
LIPS_INNER_LOWER: Final = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
LIPS_OUTER_LOWER: Final = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291]
RIGHT_UPPER: Final = [133, 173, 157, 158, 159, 160, 161, 246, 33]
RIGHT_LOWER: Final = [133, 155, 154, 153, 145, 144, 163, 7, 33]
LEFT_UPPER: Final = [362, 398, 384, 385, 386, 387, 388, 466, 263]
LEFT_LOWER: Final = [362, 382, 381, 380, 374, 373, 390, 249, 263]
_RIGHT_BROW: Final = ([107, 66, 105, 63, 70], [55, 65, 52, 53, 46])
_LEFT_BROW: Final = ([336, 296, 334, 293, 300], [285, 295, 282, 283, 276])
NOSE_TIP: Final = 1
CHIN: Final = 152
_EARS: Final = (234, 454)
_HEAD: Final = {
    10: (0.0, 8.262, 4.482), 152: (0.0, -9.403, 4.264), 1: (0.0, -1.127, 7.476),
    234: (-7.664, 0.673, -2.436), 454: (7.664, 0.673, -2.436),
    33: (-4.446, 2.664, 3.173), 263: (4.446, 2.664, 3.173),
    133: (-1.856, 2.585, 3.758), 362: (1.856, 2.585, 3.758),
}  # fmt: skip
"""Points of a mean head in centimetres: right, up and towards the viewer (MediaPipe's canonical face model)."""
_NODS: Final = 6.0
"""The network sees a level head leaning forward by so many degrees."""
_BEHIND_EARS: Final = 0.1
"""The axis on which a head turns lies this share of the face's width behind the points before the ears."""


@dataclass(frozen=True, slots=True)
class Pose:
    """How a head is held, in degrees; all zero when it looks straight into the camera."""

    yaw: float
    """Towards the viewer's right."""
    pitch: float
    """Up."""
    roll: float
    """Clockwise for the viewer."""


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face in a picture."""

    points: Points
    """Shape (478, 3): x, y in pixels, and the depth in the same measure, away from the viewer."""
    score: float
    """How sure the network is that this is a face, 0 to 1."""
    detected: Found

    @property
    def pose(self) -> Pose:
        """By points that hardly move with an expression; within some 3 degrees."""
        seen = self.points[list(_HEAD)] * np.array((1, -1, -1), np.float32)
        mean = np.array(list(_HEAD.values()), np.float32)
        u, _, v = np.linalg.svd((mean - mean.mean(0)).T @ (seen - seen.mean(0)))
        turn = (u @ np.diag((1, 1, np.sign(np.linalg.det(u @ v)))) @ v).T
        return Pose(
            yaw=math.degrees(math.atan2(turn[0, 2], turn[2, 2])),
            pitch=math.degrees(math.asin(np.clip(turn[1, 2], -1, 1))) + _NODS,
            roll=-math.degrees(math.atan2(turn[1, 0], turn[0, 0])),
        )

    @property
    def contours(self) -> Contours:
        """The face as baking wants it, as it is in the picture: what is open there is open here."""
        xy = np.ascontiguousarray(self.points[:, :2])
        return Contours(
            left=_eye(xy, LEFT_UPPER, LEFT_LOWER, _LEFT_BROW, 473),
            right=_eye(xy, RIGHT_UPPER, RIGHT_LOWER, _RIGHT_BROW, 468),
            lips_outer_upper=xy[LIPS_OUTER_UPPER],
            lips_inner_upper=xy[LIPS_INNER_UPPER],
            lips_inner_lower=xy[LIPS_INNER_LOWER],
            lips_outer_lower=xy[LIPS_OUTER_LOWER],
            oval=xy[OVAL],
            nose_tip=(float(xy[NOSE_TIP, 0]), float(xy[NOSE_TIP, 1])),
            chin=(float(xy[CHIN, 0]), float(xy[CHIN, 1])),
            surface=_surface(self.points),
        )


class Landmarker:
    """Finds faces. Loading takes a quarter of a second; one thread at a time may use it.

    Raises `FaceMissing` when the networks are not in `cache` or their runtime is not installed.
    """

    def __init__(self, cache: Path) -> None:
        self._detector = Detector(cache)
        self._mesh = Mesh(models.read(cache, models.MESH))

    def find(self, rgb: npt.NDArray[np.uint8], *, everyone: bool = False) -> list[FoundFace]:
        """The faces in a picture of (height, width, 3), the surest first.

        With `everyone` small ones in the background are looked for even where there is a large one.
        """
        faces = (self._look(rgb, found) for found in self._detector.find(rgb, everyone=everyone))
        return [face for face in faces if face is not None]

    def follow(self, rgb: npt.NDArray[np.uint8], before: FoundFace) -> FoundFace | None:
        """The face of a clip's picture before in the next one; a third of the work. None where it is gone."""
        eyes = before.points[263, :2] - before.points[33, :2]
        tilt = math.atan2(eyes[1], eyes[0])
        points, score = self._see(rgb, *_square(before.points[:468, :2], tilt), tilt)
        return FoundFace(points, score, before.detected) if score > _PRESENT else None

    def _look(self, rgb: npt.NDArray[np.uint8], found: Found) -> FoundFace | None:
        x, y, width, height = found.box
        tilt = math.atan2(found.left_eye[1] - found.right_eye[1], found.left_eye[0] - found.right_eye[0])
        middle, side = np.array((x + width / 2, y + height / 2)), max(width, height) * _ROOM
        points, score = np.zeros((478, 3), np.float32), 0.0
        for _ in range(_LOOKS):
            points, score = self._see(rgb, middle, side, tilt)
            if score < _PRESENT:
                return None
            eyes = points[263, :2] - points[33, :2]
            tilt = math.atan2(eyes[1], eyes[0])
            middle, side = _square(points[:468, :2], tilt)
        return FoundFace(points, score, found)

    def _see(
        self, rgb: npt.NDArray[np.uint8], middle: npt.NDArray[np.float64], side: float, tilt: float
    ) -> tuple[Points, float]:
        """The points of the face in a square of the picture that is turned by `tilt`, in the picture's pixels."""
        scale = side / _SIDE
        turn = np.array([[math.cos(tilt), -math.sin(tilt)], [math.sin(tilt), math.cos(tilt)]])
        centre = np.full(2, (_SIDE - 1) / 2)
        back = np.column_stack((turn * scale, middle - 0.5 - turn @ centre * scale))
        source, shrink = np.asarray(rgb), 1.0
        if scale > 2:
            shrink = 2 / scale
            reach = np.clip(np.stack((middle - 0.75 * side, middle + 0.75 * side)), 0, rgb.shape[1::-1])
            (left, top), (right, bottom) = reach.astype(int)
            if right - left < 4 or bottom - top < 4:
                return np.zeros((478, 3), np.float32), 0.0
            back[:, 2] -= (left, top)
            source = octets(
                cv2.resize(rgb[top:bottom, left:right], None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
            )
        matrix = back * shrink
        matrix[:, 2] += (shrink - 1) / 2
        crop = cv2.warpAffine(source, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        points, score = self._mesh.run(floats(crop / 255))
        points[:, :2] = (points[:, :2] - _SIDE / 2) @ turn.T * scale + middle
        points[:, 2] *= scale
        return points, score


def _square(xy: Points, tilt: float) -> tuple[npt.NDArray[np.float64], float]:
    """The middle and the side of the square around points that stands as they do, with room."""
    turn = np.array([[math.cos(tilt), -math.sin(tilt)], [math.sin(tilt), math.cos(tilt)]])
    level = xy @ turn
    low, high = level.min(0), level.max(0)
    return turn @ ((low + high) / 2), float((high - low).max()) * _ROOM


def _eye(xy: Points, upper: list[int], lower: list[int], brow: tuple[list[int], list[int]], iris: int) -> Eye:
    edge = xy[iris + 1 : iris + 5]
    radius = max(float(np.hypot(*(edge[0] - edge[2]))), float(np.hypot(*(edge[1] - edge[3])))) / 2
    return Eye(
        upper=xy[upper],
        lower=xy[lower],
        iris=(float(xy[iris, 0]), float(xy[iris, 1])),
        iris_radius=radius,
        brow=floats((xy[brow[0]] + xy[brow[1]]) / 2),
    )


def _surface(points: Points) -> Points:
    """The points with their depth towards the viewer, from the axis on which the head turns."""
    surface = points[:468].copy()
    width = float(np.ptp(points[OVAL, 0]))
    surface[:, 2] = points[list(_EARS), 2].mean() + _BEHIND_EARS * width - surface[:, 2]
    return surface
