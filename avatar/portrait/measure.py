"""What a face in a picture does, as numbers that do not depend on how large it is there.

The unit is the distance between the middles of the eyes. Gaps between the lips under about 0.045 of it cannot be
told from a closed mouth.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from avatar.portrait.landmarks import FoundFace

CLOSED: Final = 0.045
"""A mouth gap below this is no gap."""
_GAP_PAIRS: Final = ((13, 14), (82, 87), (312, 317))
_RIGHT_LIDS: Final = ((159, 145), (158, 153), (160, 144))
_LEFT_LIDS: Final = ((386, 374), (385, 380), (387, 373))


def eye_distance(face: FoundFace) -> float:
    """Pixels between the middles of the eyes, as far as they are apart in space."""
    right, left = face.points[[33, 133]].mean(0), face.points[[263, 362]].mean(0)
    return float(np.linalg.norm(left - right))


def mouth_gap(face: FoundFace) -> float:
    """How far the lips are apart around the middle, in eye distances."""
    return _apart(face, _GAP_PAIRS)


def mouth_width(face: FoundFace) -> float:
    """From one corner of the mouth to the other, in eye distances."""
    return _apart(face, ((61, 291),))


def eye_openness(face: FoundFace) -> tuple[float, float]:
    """How far the lids of the person's left and right eye are apart, in eye distances."""
    return _apart(face, _LEFT_LIDS), _apart(face, _RIGHT_LIDS)


def brow_height(face: FoundFace) -> tuple[float, float]:
    """How far the left and the right brow are above the middle of their eye, in eye distances."""
    return _apart(face, ((334, 386), (334, 374))), _apart(face, ((105, 159), (105, 145)))


def gaze(face: FoundFace) -> tuple[float, float]:
    """Where the eyes look relative to the face: the irises' place between the corners and above them, in eye
    distances from the middle; to the viewer's right and up."""
    unit = eye_distance(face)
    shift = np.zeros(2)
    for iris, inner, outer in ((468, 133, 33), (473, 362, 263)):
        shift += face.points[iris, :2] - face.points[[inner, outer], :2].mean(0)
    return float(shift[0] / 2 / unit), float(-shift[1] / 2 / unit)


def _apart(face: FoundFace, pairs: tuple[tuple[int, int], ...]) -> float:
    one, two = np.array(pairs).T
    return float(np.linalg.norm((face.points[one] - face.points[two])[:, :2], axis=1).mean() / eye_distance(face))
