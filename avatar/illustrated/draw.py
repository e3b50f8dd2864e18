"""The illustrated face: a look and a size in, the pieces of a picture out."""

from __future__ import annotations

import numpy as np

from avatar.flesh.contours import Artwork, Contours, Eye, EyeArt, Front, Points
from avatar.illustrated import beard, brows, clothes, eyes, glasses, mouth, skin, strands
from avatar.illustrated.backdrop import ROOMS
from avatar.illustrated.canvas import Colour, Field, Frame, Layer, Stencil, filled, mix
from avatar.illustrated.curve import Line, shifted
from avatar.illustrated.hair import STYLES
from avatar.illustrated.look import Look
from avatar.illustrated.palette import CLOTH, EYES, HAIR, LIPSTICK, SKIN
from avatar.illustrated.relief import head_relief
from avatar.illustrated.shape import Shape, shaped
from avatar.illustrated.style import Style
from avatar.puppet import Rgb

FULLNESS = {"thin": 0.1, "natural": 0.45, "full": 0.9}
GLASSES_DEPTH = 1.08
HANGING_DEPTH = 0.5
"""How far in front of the axis of the head they are, in face units."""


def draw(look: Look, width: int, height: int) -> Artwork:
    """A person of this look, head and shoulders, at rest.

    Width and height are even, 64 pixels or more; anything else raises ValueError.
    """
    if min(width, height) < 64 or (width | height) & 1:
        raise ValueError(f"a picture has even sides of 64 pixels or more, got {width}x{height}")
    shape = shaped(look.face, look.strength)
    style = STYLES[look.hair]()
    tops = [float(mass.outline[:, 1].min()) - mass.curl for mass in style.head + style.front]
    frame = Frame.portrait(width, height, min(tops, default=-1.6))
    base, tone = SKIN[look.skin], HAIR[look.hair_colour]
    body = Layer(frame.raised(skin.RAISED))
    clothes.back(body, shape, look.clothes, CLOTH["white" if look.clothes == "suit" else look.cloth_colour])
    # The neck is the head's: the body begins below it.
    skin.throat(body, body.frame, shape, base, of_head=False)
    dressed = clothes.dress(body, shape, look.clothes, CLOTH[look.cloth_colour], CLOTH["white"])
    behind = _masses(frame, style.behind, tone, 31)
    head, balls = _face(frame, shape, look, style, dressed)
    fronts: list[Front] = []
    hanging: list[Front] = []
    front = _masses(frame, style.front, tone, 61)
    if front is not None:
        fall = Stencil(frame, 0, 0, _moved(front.alpha, 0.05 * frame.unit_px, 0.06 * frame.unit_px)).soft(0.06)
        body.shade(fall, (0.55, 0.5, 0.52), 0.6)
        hanging = [Front(front.rgba(), HANGING_DEPTH * frame.unit_px)]
    if look.glasses != "none":
        fronts.append(Front(glasses.worn(frame, shape, look.glasses).rgba(), GLASSES_DEPTH * frame.unit_px))
    plate = ROOMS[look.background](frame, CLOTH[look.background_colour])
    whites = [EyeArt(ball.white.rgba(), ball.iris.rgba()) for ball in balls]
    return Artwork(
        plate=_bytes(plate),
        head=head.rgba(),
        contours=contours(frame, shape),
        body=body.rgba(),
        behind=None if behind is None else behind.rgba(),
        front=(*fronts, *hanging),
        # The person's left eye is at the viewer's right.
        left_eye=whites[1],
        right_eye=whites[0],
    )


def _face(frame: Frame, shape: Shape, look: Look, style: Style, dressed: Field) -> tuple[Layer, list[eyes.Ball]]:
    """The head with its eyes open, and the balls of the eyes: the viewer's left one first."""
    layer = Layer(frame)
    base, tone = SKIN[look.skin], HAIR[look.hair_colour]
    skull = skin.painted(layer, shape, base, look.age)
    # Clothes lie in front of the neck, but never of the face.
    layer.alpha *= 1 - dressed * (1 - skull)
    mouth.nose(layer, shape, base)
    lips = mouth.lip_colour(base, shape.strength)
    if look.lipstick != "none":
        lips = mix(lips, LIPSTICK[look.lipstick], 0.78)
    mouth.lips(layer, shape, lips, 0.3 if look.lipstick == "none" else 0.8)
    balls = []
    for side in (-1, 1):
        ball = eyes.ball(frame, shape, side, EYES[look.eyes], base)
        open_lids = eyes.opening(frame, shape, side)
        for part in (ball.white, ball.iris):
            layer.paint(Stencil(frame, 0, 0, part.alpha * open_lids), part.rgb)
        eyes.lid_shadow(layer, shape, side, open_lids)
        eyes.lids(layer, shape, side, base, 1 - shape.strength)
        brows.brow(
            layer, shape, side, mix(tone, (0.16, 0.11, 0.09), 0.3), FULLNESS[look.brows] + 0.3 * shape.strength
        )
        balls.append(ball)
    if look.beard != "none":
        beard.grown(layer, shape, look.beard, tone, base)
    if style.shorn is not None:
        strands.shorn(layer, style.shorn, tone, base)
    _shadow_of_hair(layer, style, skull)
    if look.glasses != "none":
        glasses.shadow(layer, shape, look.glasses)
    for i, mass in enumerate(style.head):
        strands.paint(layer, mass, tone, 41 + i)
    return layer, balls


def _masses(frame: Frame, masses: tuple[strands.Mass, ...], tone: Colour, seed: int) -> Layer | None:
    if not masses:
        return None
    layer = Layer(frame)
    for i, mass in enumerate(masses):
        strands.paint(layer, mass, tone, seed + i)
    return layer


def _shadow_of_hair(layer: Layer, style: Style, skull: Field) -> None:
    masses = style.head + style.front
    if not masses:
        return
    frame = layer.frame
    outlines: list[Line] = [shifted(mass.outline, 0.05, 0.075) for mass in masses]
    cast = filled(frame, *outlines).soft(0.05).within(skull)
    layer.shade(cast, (0.66, 0.5, 0.47), 0.62)


def contours(frame: Frame, shape: Shape) -> Contours:
    """Exact: the same lines that were drawn."""

    def px(points: Line) -> Points:
        return frame.pixels(points)

    def eye(side: int) -> Eye:
        upper, lower = shape.eye(side)
        x, y = px(np.array([eyes.iris_middle(shape, side)]))[0]
        return Eye(
            px(upper), px(lower), (float(x), float(y)), shape.iris_radius * frame.unit_px, px(shape.brow(side))
        )

    above, between, below = (px(edge) for edge in shape.lips())
    tip, chin = px(np.array([(0.0, shape.nose_y - 0.1), (0.0, shape.chin_y)]))
    return Contours(
        left=eye(1),
        right=eye(-1),
        lips_outer_upper=above,
        lips_inner_upper=between,
        lips_inner_lower=between.copy(),
        lips_outer_lower=below,
        oval=px(shape.oval()),
        nose_tip=(float(tip[0]), float(tip[1])),
        chin=(float(chin[0]), float(chin[1])),
        surface=_surface(frame, shape),
    )


def _surface(frame: Frame, shape: Shape) -> Points:
    """Depths of the relief that the light is computed on, over a grid of the face and at its contours."""
    relief = head_relief(frame, shape)
    x, y = np.meshgrid(np.linspace(-0.95, 0.95, 13), np.linspace(-1.3, shape.chin_y, 15))
    inside = np.abs(x) < shape.half_width(y.astype(np.float32)) * 0.97
    inner = np.stack((x[inside], y[inside]), axis=1)
    marks = [inner, shape.oval() * (0.985, 0.985), np.array([(0.0, shape.nose_y - 0.1)])]
    for side in (-1, 1):
        marks += [*shape.eye(side), shape.brow(side)]
    pixels = frame.pixels(np.vstack((*marks, *shape.lips())))
    columns = np.clip(pixels[:, 0].astype(int), 0, frame.width - 1)
    rows = np.clip(pixels[:, 1].astype(int), 0, frame.height - 1)
    depth = np.maximum(relief.z[rows, columns], 0) * frame.unit_px
    return np.column_stack((pixels, depth)).astype(np.float32)


def _moved(field: Field, x_px: float, y_px: float) -> Field:
    dx, dy = round(x_px), round(y_px)
    moved = np.zeros_like(field)
    moved[dy:, dx:] = field[: field.shape[0] - dy, : field.shape[1] - dx]
    return moved


def _bytes(colours: Field) -> Rgb:
    """With a grain of one step, or wide gradients would show bands."""
    grain = np.random.default_rng(3).random(colours.shape[:2], np.float32)[..., None]
    return np.asarray(np.clip(colours * 255 + grain, 0, 255), np.uint8)
