"""A model made ready: turned to the viewer, one head high, and told for each control what moves and how."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar.controls import CONTROLS, Control
from avatar.errors import UnfitModel
from avatar.head.accessors import Floats
from avatar.head.bones import Bone
from avatar.head.model import Model, Part, unit
from avatar.head.names import LOOKS, RECIPES, Recipe, eye_of
from avatar.head.shapes import Shape
from avatar.head.turns import turn_x, turn_y

CHANNELS: Final = CONTROLS + 2
"""One for each control, and two for looking to the viewer's left and down."""
GAZE_LEFT: Final = CONTROLS
GAZE_DOWN: Final = CONTROLS + 1

_JAW_DEGREES: Final = 20.0
_NECK_SHARE: Final = 0.45
"""Of the head's motion that the neck takes."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Heads are 1 high with the chin at 0; x is the viewer's right, y up, z towards the viewer."""

    parts: tuple[Part, ...]
    starts: tuple[int, ...]
    """The first vertex of each part."""
    positions: Floats
    normals: Floats
    follow: Floats
    """(N,): how much of the head's motion each vertex takes."""
    eyes: Floats
    """(N, 2): how much of the left and right eye's; all 0 where blend shapes move the eyes."""
    pivots: Floats
    """(3, 3): of the left eye, the right eye and the head."""
    channels: tuple[Shape | None, ...]
    """What each channel moves at 1."""
    found: dict[Control, str]
    """How each control is made."""
    missing: tuple[Control, ...]
    has_body: bool


def bind(model: Model) -> Bound:
    """Raises `UnfitModel` where nothing opens the mouth or no face can be found."""
    return _Binder(model).bound()


class _Binder:
    def __init__(self, model: Model) -> None:
        self.model = model
        counts = [len(part.positions) for part in model.parts]
        self.starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.positions = np.concatenate([part.positions for part in model.parts])
        self.bones = np.concatenate([part.bones for part in model.parts])
        self.normals = np.concatenate(
            [part.normals if part.normals is not None else _smooth(part) for part in model.parts]
        )
        self.shapes = {name: self._whole(name) for name in sorted(model.shapes)}
        self.found: dict[Control, str] = {}
        self.channels: list[Shape | None] = [None] * CHANNELS
        self.place = {bone: where for bone in Bone if (where := model.skeleton.place(bone)) is not None}

    def bound(self) -> Bound:
        jaw = self._jaw()
        self._face_viewer(jaw)
        jaw = self._measure(jaw)
        self.channels[Control.JAW_OPEN] = jaw
        self._controls()
        follow = self._follow()
        eyes, pivots = self._eyes(follow)
        self._gaze(eyes)
        self._tongue()
        has_body = float(self.positions[:, 1].min()) < -0.35
        if has_body:
            self._breath(follow)
        wanted = [
            control for control in Control if control in RECIPES or control in (Control.GAZE_X, Control.GAZE_Y)
        ]
        return Bound(
            self.model.parts,
            tuple(int(start) for start in self.starts[:-1]),
            self.positions.astype(np.float32),
            self.normals.astype(np.float32),
            follow,
            eyes,
            pivots,
            tuple(self.channels),
            self.found,
            tuple(control for control in wanted if control not in self.found),
            has_body,
        )

    def _whole(self, name: str) -> Shape:
        """A shape of all parts that have it."""
        vertices, moves = [], []
        for part, start in zip(self.model.parts, self.starts, strict=False):
            shape = part.shapes.get(name)
            if shape is not None:
                vertices.append(shape.vertices + np.int32(start))
                moves.append(shape.moves)
        return Shape(np.concatenate(vertices).astype(np.int32), np.concatenate(moves))

    def _jaw(self) -> Shape:
        """What opens the mouth: blend shapes, or else the jaw's bone."""
        shape = self._made(Control.JAW_OPEN, RECIPES[Control.JAW_OPEN])
        if shape is not None:
            return shape
        share = self.bones[:, Bone.JAW]
        if Bone.JAW not in self.place or not share.any():
            raise UnfitModel(
                "nothing opens the model's mouth: it needs a blend shape jawOpen, viseme_aa or A, or a jaw bone"
            )
        self.found[Control.JAW_OPEN] = "jaw bone"
        vertices = np.flatnonzero(share > 0.001).astype(np.int32)
        # Turned once the model faces the viewer; until then what hangs from it says where the face is.
        return Shape(vertices, np.repeat(share[vertices, None], 3, axis=1).astype(np.float32))

    def _face_viewer(self, jaw: Shape) -> None:
        """Turn the model by quarters so that its face looks along z."""
        weight = np.linalg.norm(jaw.moves, axis=1)
        x, _, z = (self.normals[jaw.vertices] * weight[:, None]).sum(axis=0)
        quarters = 2 if self.model.kind == "VRM 0" else round(math.atan2(x, z) / (math.pi / 2))
        turn = np.round(turn_y(-quarters * math.pi / 2))
        self.positions = self.positions @ turn.T
        self.normals = self.normals @ turn.T
        for shape in (*self.shapes.values(), jaw):
            shape.moves[:] = shape.moves @ turn.T
        self.place = {bone: turn @ where for bone, where in self.place.items()}

    def _measure(self, jaw: Shape) -> Shape:
        """Find the head and make it 1 high, chin at 0."""
        weight = np.linalg.norm(jaw.moves, axis=1)
        moved = self.positions[jaw.vertices[weight > 0.35 * weight.max()]]
        head = self.bones[:, Bone.HEAD] > 0.5
        crown = self.positions[head] if head.any() else self.positions
        chin, top = float(moved[:, 1].min()), float(crown[:, 1].max())
        near = crown[crown[:, 1] > chin + 0.2 * (top - chin)]
        if not (top > chin and len(near)):
            raise UnfitModel("no head can be found above the model's mouth; export it upright, y up")
        middle = (float(moved[:, 0].min()) + float(moved[:, 0].max())) / 2
        origin = np.array([middle, chin, (float(near[:, 2].min()) + float(near[:, 2].max())) / 2])
        scale = 1 / (top - chin)
        self.positions = (self.positions - origin) * scale
        for shape in self.shapes.values():
            shape.moves[:] *= np.float32(scale)
        self.place = {bone: (where - origin) * scale for bone, where in self.place.items()}
        if self.found.get(Control.JAW_OPEN) != "jaw bone":
            return Shape(jaw.vertices, (jaw.moves * np.float32(scale)).astype(np.float32))
        return self._swung(jaw.vertices)

    def _swung(self, vertices: npt.NDArray[np.int32]) -> Shape:
        """The jaw bone's way down, as a straight line: it errs by a hundredth of the jaw's length."""
        arm = self.positions[vertices] - self.place[Bone.JAW]
        turned = arm @ turn_x(math.radians(_JAW_DEGREES)).T
        return Shape(vertices, ((turned - arm) * self.bones[vertices, Bone.JAW, None]).astype(np.float32))

    def _made(self, control: Control, recipes: tuple[Recipe, ...]) -> Shape | None:
        """The first recipe whose shapes are all there."""
        for recipe in recipes:
            if not all(pinch.shape in self.shapes for pinch in recipe):
                continue
            vertices, moves = [], []
            for pinch in recipe:
                shape = self.shapes[pinch.shape]
                share = self._mask(pinch.where, shape.vertices) * np.float32(pinch.amount)
                vertices.append(shape.vertices)
                moves.append((shape.moves * share[:, None]).astype(np.float32))
            self.found[control] = " + ".join(
                pinch.shape + (f" ({pinch.where})" if pinch.where != "all" else "") for pinch in recipe
            )
            return Shape(np.concatenate(vertices), np.concatenate(moves))
        return None

    def _mask(self, where: str, vertices: npt.NDArray[np.int32]) -> Floats:
        """How much of each vertex lies in that part of the face."""
        share = np.ones(len(vertices), np.float32)
        x, y = self.positions[vertices, 0], self.positions[vertices, 1]
        if "left" in where:
            share *= _ramp(x, -0.03, 0.03)
        elif "right" in where:
            share *= _ramp(-x, -0.03, 0.03)
        if "upper" in where:
            share *= _ramp(y, 0.30, 0.38)
        elif "lower" in where:
            share *= _ramp(-y, -0.38, -0.30)
        return share

    def _controls(self) -> None:
        for control, recipes in RECIPES.items():
            if control != Control.JAW_OPEN:
                self.channels[control] = self._made(control, recipes)

    def _follow(self) -> Floats:
        """By the skin where it has a head; otherwise by height, so that a neck bends and nothing tears."""
        head = self.bones[:, Bone.HEAD :].sum(axis=1)
        if Bone.HEAD in self.place and head.any() and (self.bones[:, Bone.BODY] > 0.5).any():
            follow: Floats = np.clip(head + _NECK_SHARE * self.bones[:, Bone.NECK], 0, 1).astype(np.float32)
            return follow
        return _ramp(self.positions[:, 1].astype(np.float32), -0.34, -0.02)

    def _eyes(self, follow: Floats) -> tuple[Floats, Floats]:
        eyes = self.bones[:, [Bone.EYE_LEFT, Bone.EYE_RIGHT]].astype(np.float32)
        for part, start in zip(self.model.parts, self.starts, strict=False):
            rows = slice(int(start), int(start) + len(part.positions))
            if "both" in (eye_of(part.name), eye_of(part.material.name)) and not eyes[rows].any():
                left = self.positions[rows, 0] > 0
                eyes[rows, 0], eyes[rows, 1] = left, ~left
        pivots = np.zeros((3, 3), np.float32)
        for side, bone in enumerate((Bone.EYE_LEFT, Bone.EYE_RIGHT)):
            own = self.positions[eyes[:, side] > 0.5]
            if bone in self.place:
                pivots[side] = self.place[bone]
            elif len(own):
                pivots[side] = (own.min(axis=0) + own.max(axis=0)) / 2
        head = self.positions[(follow > 0.9) & (self.positions[:, 1] < 0.9)]
        back = float(np.median(head[:, 2])) if len(head) else 0.0
        pivots[2] = self.place.get(Bone.HEAD, np.array([0.0, 0.08, back - 0.08]))
        return eyes, pivots

    def _gaze(self, eyes: Floats) -> None:
        """Blend shapes where they move the eyes, or else the eyes turn; `eyes` is cleared for the former."""
        turning = np.flatnonzero(eyes.any(axis=1)).astype(np.int32)
        made = {(control, sign): self._made(control, recipes) for (control, sign), recipes in LOOKS.items()}
        complete = all(shape is not None for shape in made.values())
        moved = np.concatenate([shape.vertices for shape in made.values() if shape is not None] or [turning[:0]])
        if complete and (not len(turning) or len(np.intersect1d(turning, moved)) > 0.1 * len(turning)):
            eyes[:] = 0.0
        elif len(turning):
            # The lids' own part of the shapes stays.
            self.found[Control.GAZE_X] = self.found[Control.GAZE_Y] = "eyes that turn"
        else:
            for control in (Control.GAZE_X, Control.GAZE_Y):
                self.found.pop(control, None)
        channel = {
            (Control.GAZE_X, 1): int(Control.GAZE_X),
            (Control.GAZE_X, -1): GAZE_LEFT,
            (Control.GAZE_Y, 1): int(Control.GAZE_Y),
            (Control.GAZE_Y, -1): GAZE_DOWN,
        }
        for key, shape in made.items():
            self.channels[channel[key]] = shape

    def _tongue(self) -> None:
        """A tongue of its own lifts its tip and comes out without any blend shape."""
        for part, start in zip(self.model.parts, self.starts, strict=False):
            if "tongue" not in f"{part.name} {part.material.name}".lower():
                continue
            vertices = np.arange(start, start + len(part.positions), dtype=np.int32)
            depth = self.positions[vertices, 2]
            tip = ((depth - depth.min()) / max(1e-6, float(np.ptp(depth)))) ** 2
            for control, way in (
                (Control.TONGUE_UP, (0.0, 0.035, 0.01)),
                (Control.TONGUE_OUT, (0.0, 0.015, 0.05)),
            ):
                if self.channels[control] is None:
                    self.channels[control] = Shape(vertices, (tip[:, None] * np.array(way)).astype(np.float32))
                    self.found[control] = "the tongue's tip"

    def _breath(self, follow: Floats) -> None:
        y = self.positions[:, 1].astype(np.float32)
        share = (1 - follow) * _ramp(-y, 0.02, 0.34)
        vertices = np.flatnonzero(share > 0.01).astype(np.int32)
        if len(vertices):
            way = np.array([0.0, 0.014, 0.020], np.float32)
            self.channels[Control.BREATH] = Shape(vertices, (share[vertices, None] * way).astype(np.float32))


def _smooth(part: Part) -> Floats:
    """Normals of a part that has none: of the triangles around each point in space, by their size."""
    corners = part.positions[part.triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    _, weld = np.unique(
        np.round(part.positions / max(1e-9, float(np.ptp(part.positions))) * 1e5), axis=0, return_inverse=True
    )
    weld = weld.reshape(-1)
    total = np.zeros((int(weld.max(initial=0)) + 1, 3))
    for corner in range(3):
        np.add.at(total, weld[part.triangles[:, corner]], faces)
    return unit(total[weld].astype(np.float32))


def _ramp(values: npt.NDArray[np.floating], low: float, high: float) -> Floats:
    """From 0 at `low` to 1 at `high`, smoothly."""
    share = np.clip((values - low) / (high - low), 0, 1)
    ramp: Floats = (share * share * (3 - 2 * share)).astype(np.float32)
    return ramp
