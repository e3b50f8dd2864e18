"""Where in a picture the faces are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar.portrait import models
from avatar.portrait.network import Network, letterbox

Points = npt.NDArray[np.float32]

_SURE: Final = 0.5
"""How sure the network must be of a face, 0 to 1."""
_SAME: Final = 0.4
"""Two finds of which the smaller lies in the other by this share are one."""


@dataclass(frozen=True, slots=True)
class Found:
    """A face, roughly."""

    score: float
    """0 to 1."""
    box: tuple[float, float, float, float]
    """x, y, width and height in pixels, from the brows to the chin."""
    right_eye: tuple[float, float]
    left_eye: tuple[float, float]
    """The person's own, in pixels."""


class Detector:
    """Two networks: one for faces near the camera, and one that also sees small ones."""

    def __init__(self, cache: Path) -> None:
        self._near = Network(models.read(cache, models.NEAR))
        self._far = Network(models.read(cache, models.FAR))
        self._near_anchors = np.concatenate((_anchors(16, 2), _anchors(8, 6)))
        self._far_anchors = _anchors(48, 1)

    def find(self, rgb: npt.NDArray[np.uint8], *, everyone: bool = False) -> list[Found]:
        """The faces in a picture, the surest first; `everyone` also looks for small ones beside a large one."""
        found = self._with(self._near, self._near_anchors, 128, rgb)
        if everyone or not found:
            found = _distinct(found + self._with(self._far, self._far_anchors, 192, rgb))
        return found

    def _with(self, network: Network, anchors: Points, side: int, rgb: npt.NDArray[np.uint8]) -> list[Found]:
        square, scale, (x, y) = letterbox(rgb, side)
        boxes, logits = network.run(square * 2 - 1)
        scores = 1 / (1 + np.exp(-np.clip(logits[:, 0], -80, 80)))
        found = []
        for index in np.flatnonzero(scores > _SURE):
            raw = boxes[index].reshape(8, 2).copy()
            raw[[0, *range(2, 8)]] += anchors[index] * side
            raw[[0, *range(2, 8)]] -= (x, y)
            raw /= scale
            (cx, cy), (width, height), right, left = ((float(pair[0]), float(pair[1])) for pair in raw[:4])
            box = (cx - width / 2, cy - height / 2, width, height)
            found.append(Found(float(scores[index]), box, right, left))
        return _distinct(found)


def _anchors(cells: int, each: int) -> Points:
    """The centres of a square's cells, row by row, each so many times, as shares of its side."""
    at = (np.arange(cells, dtype=np.float32) + 0.5) / cells
    x, y = np.meshgrid(at, at)
    return np.repeat(np.stack((x, y), -1).reshape(-1, 2), each, axis=0)


def _distinct(found: list[Found]) -> list[Found]:
    """Each face once, by its surest find."""
    kept: list[Found] = []
    for each in sorted(found, key=lambda one: -one.score):
        if all(_overlap(each.box, other.box) < _SAME for other in kept):
            kept.append(each)
    return kept


def _overlap(one: tuple[float, float, float, float], two: tuple[float, float, float, float]) -> float:
    """What both cover, as a share of the smaller one."""
    width = min(one[0] + one[2], two[0] + two[2]) - max(one[0], two[0])
    height = min(one[1] + one[3], two[1] + two[3]) - max(one[1], two[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(one[2] * one[3], two[2] * two[3])
