"""From a picture in pieces to a puppet.

Back to front: hair behind, body; the inside of the mouth and the jaw before it; eyeballs and the lower lids before
them; the face with holes for mouth and eyes; what only shows at times; what is in front.
"""

from __future__ import annotations

import numpy as np

from avatar.controls import Control
from avatar.flesh import inside
from avatar.flesh.contours import Artwork
from avatar.flesh.covers import fold, lid
from avatar.flesh.eyes import Ball, eyeballs
from avatar.flesh.grids import box_around, grid, pixels
from avatar.flesh.lids import eye_hole, lower_lids
from avatar.flesh.mouth import JAW_DROP, hole, mouth_parts
from avatar.flesh.moves import Moves, add
from avatar.flesh.shapes import Values, fall
from avatar.flesh.sitter import Sitter, whole
from avatar.picture import Box
from avatar.puppet import Layer, Puppet, Rgba


def bake(artwork: Artwork, name: str) -> Puppet:
    """A live face of a still one; 0.1 to 0.3 s on one core. The same artwork gives the same bytes."""
    sitter = Sitter.of(artwork)
    layers = (
        *_behind(sitter),
        *_mouth(sitter),
        _jaw(sitter),
        *_eyes(sitter),
        _face(sitter),
        *_covers(sitter),
        *_fronts(sitter),
    )
    return Puppet(name, artwork.plate, layers, sitter.around_mouth(1.0, 0.7, 1.0))


def _behind(sitter: Sitter) -> list[Layer]:
    layers = []
    if sitter.art.behind is not None:
        image, origin, there = whole(sitter.art.behind, round(0.2 * sitter.face_px))
        # Nearly that of the outline it looks out from under, or it would come out beside it.
        back = 0.5 * float(np.percentile(sitter.art.contours.surface[:, 2], 5))
        layers.append(sitter.layer("behind", sitter.room(there), image, origin, {}, depth=back))
    if sitter.art.body is not None:
        layers.append(sitter.chest("body", sitter.art.body))
    return layers


def _mouth(sitter: Sitter) -> list[Layer]:
    frame, light = sitter.mouth, sitter.light

    drop = JAW_DROP * frame.width

    def layer(name: str, at: Box, image: Rgba, moves: Moves, depth: float, early: Moves | None = None) -> Layer:
        # On a narrow chin it would reach beyond the face.
        image[..., 3] = np.minimum(image[..., 3], _cut(sitter, at)[..., 3])
        origin, over = (float(at.x), float(at.y)), depth * sitter.face_px
        return sitter.layer(name, sitter.room(at, drop), image, origin, moves, early, over=over)

    wide, teeth = sitter.around_mouth(0.68, 0.32, 0.8), sitter.around_mouth(0.42, 0.3, 0.36)
    tongue = sitter.around_mouth(0.38, 0.1, 0.5)
    shape = grid(sitter.room(teeth, drop), sitter.step_px).shape[:2]
    flat = grid(sitter.room(tongue, drop), sitter.step_px).shape[:2]
    hung, jaw = inside.teeth_moves(frame, shape), inside.jaw_moves(frame, shape, 0.86)
    lips = mouth_parts(frame, grid(sitter.room(wide, drop), sitter.step_px))
    return [
        layer("cavity", wide, inside.cavity(frame, wide, light), {}, -0.06),
        layer("tongue", tongue, inside.tongue(frame, tongue, light), inside.tongue_moves(frame, flat), -0.06),
        layer("lower teeth", teeth, inside.lower_teeth(frame, teeth, light), jaw, -0.03),
        layer("upper teeth", teeth, inside.upper_teeth(frame, teeth, light, sitter.art.teeth), hung, -0.03),
        layer("lip shadow", wide, inside.shadow(frame, wide), add(lips.both, lips.above), 0.0, lips.early),
    ]


def _jaw(sitter: Sitter) -> Layer:
    """Lower lip and chin, sharp at the lip line and reaching further than the face's hole."""
    frame = sitter.mouth
    art = sitter.around_mouth(0.9, 0.12, max(1.0, frame.chin + 0.3))
    u, v = frame.place(pixels(art))
    image = _cut(sitter, art)
    below = np.clip(v * frame.width + 1.5, 0, 1) * fall(v, frame.chin + 0.2, frame.chin + 0.28)
    image[..., 3] = np.rint(image[..., 3] * below * fall(np.abs(u), 1.66, 1.76))
    box = sitter.room(art, 0.1 * frame.width)
    lips, left, right = sitter.parts(grid(box, sitter.step_px))
    late = add(lips.lower_side(), left.face(), right.face())
    return sitter.layer("jaw", box, image, (float(art.x), float(art.y)), late, lips.early)


def _eyes(sitter: Sitter) -> list[Layer]:
    """Both at once: one wide layer is cheaper to draw than two."""
    told, frames = sitter.art.contours, (sitter.left, sitter.right)
    art = sitter.around_eyes(frames, 0.66, 1.2, 1.6)
    box = sitter.room(art)
    at = (float(art.x), float(art.y))
    balls = [
        Ball(told.left, sitter.left, sitter.art.left_eye),
        Ball(told.right, sitter.right, sitter.art.right_eye),
    ]
    white, iris, shade = eyeballs(balls, sitter.art.head, art)
    points = grid(box, sitter.step_px)
    lips, left, right = sitter.parts(points)
    gaze = _gaze(points.shape[:2], (told.left.iris_radius + told.right.iris_radius) / 2)
    with_lids = add(left.both, left.above, right.both, right.above)
    below = add(lips.face(), left.lower_side(), right.lower_side())
    return [
        sitter.layer("eye whites", box, white, at, {}),
        sitter.layer("irises", box, iris, at, gaze),
        sitter.layer("lid shadow", box, shade, at, with_lids),
        sitter.layer("lower lids", box, lower_lids(frames, sitter.art.head, art), at, below, lips.early),
    ]


def _gaze(shape: tuple[int, ...], radius_px: float) -> Moves:
    """An eyeball has about twice the radius of its iris; its limits are 25 degrees sideways and 20 up and down."""
    x = np.zeros((*shape, 2), np.float32)
    y = x.copy()
    x[..., 0], y[..., 1] = 0.80 * radius_px, -0.62 * radius_px
    return {Control.GAZE_X: x, Control.GAZE_Y: y}


def _face(sitter: Sitter) -> Layer:
    head = sitter.art.head.copy()

    def cut_out(box: Box, missing: Values) -> None:
        alpha = head[box.y : box.bottom, box.x : box.right, 3]
        alpha[...] = np.rint(alpha * (1 - missing))

    lips = sitter.around_mouth(0.95, 0.1, 1.6)
    cut_out(lips, hole(sitter.mouth, pixels(lips)))
    for frame in (sitter.left, sitter.right):
        eye = sitter.around_eyes([frame], 0.7, 1.5, 2.2)
        cut_out(eye, eye_hole(frame, pixels(eye)))
    image, origin, there = whole(head, round(0.2 * sitter.face_px))
    return sitter.skin("face", sitter.room(there), image, origin)


def _covers(sitter: Sitter) -> list[Layer]:
    head, layers = sitter.art.head, []
    for frame, control in ((sitter.left, Control.BLINK_LEFT), (sitter.right, Control.BLINK_RIGHT)):
        box = sitter.around_eyes([frame], 0.7, 1.5, 2.2)
        layers.append(_cover(sitter, f"lid {control.name.lower()}", box, lid(frame, head, box), control))
    box = sitter.around_mouth(0.95, 0.75, 0.4)
    for side, control in ((1, Control.SMILE_LEFT), (-1, Control.SMILE_RIGHT)):
        image = fold(sitter.mouth, head, box, side)
        layers.append(_cover(sitter, f"fold {control.name.lower()}", box, image, control))
    return layers


def _cover(sitter: Sitter, name: str, box: Box, image: Rgba, control: Control) -> Layer:
    """Cut down to what there is of it."""
    image[..., 3] = np.minimum(image[..., 3], _cut(sitter, box)[..., 3])
    small, (x, y), _ = whole(image, 0)
    at = (box.x + x, box.y + y)
    lies = box_around([at, (at[0] + small.shape[1], at[1] + small.shape[0])], 1, sitter.size)
    return sitter.skin(name, sitter.room(lies, 0.1 * sitter.mouth.width), small, at, control)


def _fronts(sitter: Sitter) -> list[Layer]:
    layers = []
    for i, front in enumerate(sitter.art.front):
        image, origin, there = whole(front.image, round(0.2 * sitter.face_px))
        seen = front.image[there.y : there.bottom, there.x : there.right, 3] > 40
        under = sitter.turns.depth_at(pixels(there))
        mean = float(under[seen].mean()) if seen.any() else front.depth
        layers.append(sitter.layer(f"front {i}", sitter.room(there), image, origin, {}, over=front.depth - mean))
    return layers


def _cut(sitter: Sitter, box: Box) -> Rgba:
    return sitter.art.head[box.y : box.bottom, box.x : box.right].copy()
