"""Who is being baked: one artwork measured, and how a layer of it comes about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from avatar.controls import RIGID, Control
from avatar.flesh.contours import Artwork
from avatar.flesh.frames import EyeFrame, MouthFrame
from avatar.flesh.grids import box_around, grid
from avatar.flesh.lids import eye_parts
from avatar.flesh.mouth import JAW_DROP, mouth_parts
from avatar.flesh.moves import Moves, Parts, add
from avatar.flesh.shapes import Values
from avatar.flesh.turns import Turns
from avatar.picture import Box
from avatar.puppet import Layer, Rgba

_STEP: Final = 0.02
"""The side of a grid cell, in widths of the face."""
_SEEN_PX: Final = 0.12
"""A field that moves nothing of a layer by as much as this is left out."""
_SWAY: Final = 0.27
"""How far turns and shifts move any point of a face, in widths of it."""


@dataclass(frozen=True, slots=True)
class Sitter:
    """One artwork with all that its layers share."""

    art: Artwork
    size: tuple[int, int]
    """Width and height of the picture."""
    mouth: MouthFrame
    left: EyeFrame
    right: EyeFrame
    turns: Turns
    step_px: int
    light: float
    """How bright the picture is, 1 for full light: what is made up must not glow."""

    @classmethod
    def of(cls, art: Artwork) -> Sitter:
        size = (art.plate.shape[1], art.plate.shape[0])
        mouth = MouthFrame.of(art.contours)
        return cls(
            art=art,
            size=size,
            mouth=mouth,
            left=EyeFrame.of(art.contours.left, mouth),
            right=EyeFrame.of(art.contours.right, mouth),
            turns=Turns.of(art.contours, size, _collar(art)),
            step_px=max(4, 2 * round(art.contours.width * _STEP / 2)),
            light=_light(art),
        )

    @property
    def face_px(self) -> float:
        return self.art.contours.width

    def parts(self, points: Values) -> tuple[Parts, Parts, Parts]:
        """What mouth, left and right eye do at points of the picture."""
        return (
            mouth_parts(self.mouth, points),
            eye_parts(self.left, points, left=True),
            eye_parts(self.right, points, left=False),
        )

    def room(self, box: Box, more_px: float = 0.0) -> Box:
        """Where a box of the face may come to lie."""
        return self.grown(box, _SWAY * self.face_px + more_px)

    def grown(self, box: Box, by_px: float) -> Box:
        return box_around([(box.x, box.y), (box.right, box.bottom)], by_px, self.size)

    def around_mouth(self, across: float, above: float, below: float) -> Box:
        """In mouth widths from the middle of the lip line."""
        frame = self.mouth
        return self._box(frame.middle, frame.along * frame.width, frame.down * frame.width, across, above, below)

    def around_eyes(self, frames: Iterable[EyeFrame], across: float, above: float, below: float) -> Box:
        """In eye widths sideways and in openings up and down from the line between the corners."""
        boxes = [
            self._box(each.middle, each.along * each.width, each.down * each.opening, across, above, below)
            for each in frames
        ]
        whole = boxes[0]
        for box in boxes[1:]:
            whole = whole.around(box)
        return whole

    def _box(self, at: Values, along: Values, down: Values, across: float, above: float, below: float) -> Box:
        corners = [at + along * x + down * y for x in (-across, across) for y in (-above, below)]
        return box_around([(float(x), float(y)) for x, y in corners], 2, self.size)

    def layer(
        self,
        name: str,
        box: Box,
        image: Rgba,
        origin: tuple[float, float],
        late: Moves,
        early: Moves | None = None,
        *,
        depth: float | None = None,
        over: float = 0.0,
        opacity: Control | None = None,
    ) -> Layer:
        """With the fields that are worth their while. `depth` and `over` as in `Turns.rigid`."""
        points = grid(box, self.step_px)
        seen = self._seen(points, image, origin)
        first, rest = _worth(early or {}, seen), _worth(late, seen)
        moved = [field for _, field in (*first, *rest)]
        return Layer(
            name=name,
            box=box,
            image=np.ascontiguousarray(image),
            origin=origin,
            grid_px=self.step_px,
            fields=np.stack(moved) if moved else np.zeros((0, *points.shape), np.float32),
            controls=tuple(control for control, _ in (*first, *rest)),
            rigid=self.turns.rigid(points, depth, over),
            opacity=opacity,
            early=len(first),
        )

    def _seen(self, points: Values, image: Rgba, origin: tuple[float, float]) -> npt.NDArray[np.bool_]:
        """Where flesh may carry the image, the head held still: beyond it no field is ever asked for."""
        reach = 0.1 * self.face_px
        x, y = points[..., 0] - origin[0], points[..., 1] - origin[1]
        height, width = image.shape[:2]
        # Only the jaw carries anything further, and only what is below the lips.
        below = JAW_DROP * self.mouth.width if origin[1] + height > self.mouth.middle[1] else 0.0
        return np.asarray((abs(x - width / 2) < width / 2 + reach) & (y > -reach) & (y < height + reach + below))

    def chest(self, name: str, image: Rgba) -> Layer:
        """A layer of the whole picture that breathes and else stays where it is."""
        cut, origin, there = whole(image, round(0.1 * self.face_px))
        box = self.grown(there, 0.06 * self.face_px)
        step = 16
        points = grid(box, step)
        rigid = self.turns.rigid(points)
        rigid[[i for i, control in enumerate(RIGID) if control is not Control.BREATH]] = 0
        return Layer(name, box, cut, origin, step, np.zeros((0, *points.shape), np.float32), (), rigid)

    def skin(
        self, name: str, box: Box, image: Rgba, origin: tuple[float, float], opacity: Control | None = None
    ) -> Layer:
        """A layer that goes with the face."""
        lips, left, right = self.parts(grid(box, self.step_px))
        late = add(lips.face(), left.face(), right.face())
        return self.layer(name, box, image, origin, late, lips.early, opacity=opacity)


def whole(image: Rgba, pad: int) -> tuple[Rgba, tuple[float, float], Box]:
    """The part of a picture that is not empty, where it begins, and its box; at the edge of the picture it
    goes on for `pad` pixels, so that no gap opens when it moves away."""
    height, width = image.shape[:2]
    rows, columns = np.flatnonzero(image[..., 3].any(axis=1)), np.flatnonzero(image[..., 3].any(axis=0))
    if not len(rows):
        return image[:2, :2], (0.0, 0.0), Box(0, 0, 2, 2)
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    up, down, before, after = (pad if at else 0 for at in (top == 0, bottom == height, left == 0, right == width))
    cut = cv2.copyMakeBorder(image[top:bottom, left:right], up, down, before, after, cv2.BORDER_REPLICATE)
    box = box_around([(left, top), (right, bottom)], 0, (width, height))
    return np.asarray(cut, np.uint8), (float(left - before), float(top - up)), box


def _worth(moves: Moves, seen: npt.NDArray[np.bool_]) -> list[tuple[Control, Values]]:
    return [(control, field) for control, field in moves.items() if np.abs(field[seen]).max(initial=0) > _SEEN_PX]


def _light(art: Artwork) -> float:
    """From the whites of the eyes, which are the same in everybody."""
    grey = art.head[..., :3] @ np.array([0.3, 0.59, 0.11], np.float32)
    mask = np.zeros(grey.shape, np.uint8)
    for eye in (art.contours.left, art.contours.right):
        cv2.fillPoly(mask, [np.rint(np.concatenate([eye.upper, eye.lower[::-1]])).astype(np.int32)], 255)
    seen = grey[mask > 0]
    return float(np.clip(np.percentile(seen, 90) / 215, 0.5, 1.0)) if seen.size else 1.0


def _collar(art: Artwork) -> float | None:
    """The row where the clothes first touch the neck; None without clothes of their own."""
    if art.body is None:
        return None
    top, middle = max(round(art.contours.chin[1]), 0), round(art.contours.chin[0])
    half = round(0.3 * art.contours.width)
    columns = slice(max(middle - half, 0), max(middle + half, 1))
    clothed = (art.body[top:, columns, 3] > 128) & (art.head[top:, columns, 3] < 128)
    rows = np.flatnonzero(clothed.any(axis=1))
    return float(top + rows[0]) if len(rows) else None
