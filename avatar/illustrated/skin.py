"""Head, ears and neck: a relief that is lit from the upper left, and the colours that skin has in that light."""

from __future__ import annotations

import numpy as np

from avatar.illustrated.canvas import Colour, Field, Frame, Layer, Stencil, blurred, ellipse, filled
from avatar.illustrated.curve import Line, line, mirrored, shifted, smooth, stroke
from avatar.illustrated.palette import ramped, skin_ramp
from avatar.illustrated.relief import head_relief
from avatar.illustrated.shape import Shape

RAISED = 0.1
"""The body is drawn in a frame that lies higher than that of the head by this."""


def chest(shape: Shape) -> Line:
    """From the foot of the neck over the shoulders; its upper end always hides behind the neck."""
    w = shape.neck_width
    right = smooth(
        line((w * 0.86, 1.56), (w * 0.97, 1.7), (w + 0.08, 1.83), (w + 0.4, 2.02), (w + 0.9, 2.22), (w + 1.1, 3.6))
    )
    return np.vstack((right, mirrored(right)[::-1]))


def column(shape: Shape) -> Line:
    """The neck without the shoulders: it moves with the head, and nothing of it may stick out at the foot."""
    w = shape.neck_width
    right = smooth(line((w + 0.12, 0.7), (w + 0.02, 1.2), (w, 1.6), (w + 0.03, 1.75), (w + 0.03, 1.9), (w, 2.1)))
    return np.vstack((right, mirrored(right)[::-1]))


def ear(side: int) -> Line:
    outline = smooth(
        line((0.93, -0.1), (1.04, -0.22), (1.13, -0.18), (1.155, 0.0), (1.115, 0.24), (1.07, 0.43), (0.99, 0.5),
             (0.93, 0.4)),
        closed=True,
    )  # fmt: skip
    return outline if side > 0 else mirrored(outline)


def painted(layer: Layer, shape: Shape, base: Colour, age: float) -> Field:
    """Neck, ears and head without its features; returns the stencil of the head's skin (without neck and ears)."""
    frame = layer.frame
    ramp = skin_ramp(base)
    throat(layer, frame.raised(RAISED), shape, base, of_head=True)
    for side in (-1, 1):
        _ear(layer, side, base)
    relief = head_relief(frame, shape)
    light = blurred(relief.lit(0.12, 0.8), 0.012 * frame.unit_px)
    _shadows(light, frame, shape, age)
    skin = ramped(light, ramp)
    _warmth(skin, frame, shape, base)
    head = filled(frame, shape.head)
    layer.paint(head, skin)
    return head.whole()


def throat(layer: Layer, frame: Frame, shape: Shape, base: Colour, *, of_head: bool) -> None:
    """The neck, which moves with the head, or the chest, in the frame of the body; with the shadow of the head."""
    x, y = frame.grid()
    w = shape.neck_width
    u = np.clip(np.abs(x) / (w + 0.04 + np.clip(y - 1.65, 0, 2) * 0.9), 0, 0.97)
    side = np.sign(x) * u**1.6
    light = (0.66 - 0.34 * side - 0.16 * u**4 + 0 * y).astype(np.float32)
    chin = shifted(shape.head * (0.97, 1.0), 0.10, 0.22 + RAISED)
    shadow = filled(frame, chin).soft(0.075)
    light[shadow.at] -= 0.36 * shadow.cover
    for sign in (-1, 1):
        # The muscles to the pit of the neck, and the collar bones.
        cord = smooth(line((sign * w * 0.8, 1.5), (sign * w * 0.5, 1.83), (sign * 0.09, 2.09)))
        soft = filled(frame, stroke(cord, (0.02, 0.09, 0.05))).soft(0.05)
        light[soft.at] += 0.075 * soft.cover
        bone = smooth(line((sign * 0.12, 2.17), (sign * 0.5, 2.11), (sign * 1.1, 2.07)))
        soft = filled(frame, stroke(bone, (0.03, 0.06, 0.03))).soft(0.03)
        light[soft.at] += 0.1 * soft.cover
        soft = filled(frame, stroke(shifted(bone, 0.0, 0.075), (0.03, 0.06, 0.03))).soft(0.035)
        light[soft.at] -= 0.09 * soft.cover
    pit = ellipse(frame, 0.0, 2.1, 0.07, 0.09).soft(0.05)
    light[pit.at] -= 0.12 * pit.cover
    close = filled(frame, shifted(shape.head * (0.985, 1.0), 0.02, 0.045 + RAISED)).soft(0.03)
    light[close.at] -= 0.16 * close.cover
    whole = filled(frame, column(shape) if of_head else chest(shape))
    # The neck fades out over the chest, in the same light.
    fade = np.clip((2.1 - y) / 0.2, 0, 1) if of_head else np.ones_like(y)
    fade = np.broadcast_to(fade.astype(np.float32), light.shape)
    layer.paint(whole.within(fade), ramped(light, skin_ramp(base)))


def _ear(layer: Layer, side: int, base: Colour) -> None:
    """A rim around a hollow; its top lies under the hair."""
    frame = layer.frame
    whole = filled(frame, ear(side))
    inside = whole.whole()
    _, y = frame.grid()
    light = (np.full_like(inside, 0.6 if side < 0 else 0.43) - 0.1 * y).astype(np.float32)

    def change(points: Line, widths: tuple[float, ...], soft: float, amount: float) -> None:
        stencil = filled(frame, stroke(smooth(points * (side, 1.0)), widths)).soft(soft).within(inside)
        light[stencil.at] += np.float32(amount) * stencil.cover

    change(
        line((0.95, -0.06), (1.04, -0.13), (1.085, -0.04), (1.075, 0.1), (1.03, 0.24)),
        (0.03, 0.05, 0.05, 0.02),
        0.02,
        -0.22,
    )
    change(line((0.97, 0.0), (1.03, 0.04), (1.03, 0.16), (0.98, 0.25)), (0.05, 0.09, 0.09, 0.05), 0.025, -0.2)
    change(line((1.0, -0.19), (1.1, -0.16), (1.125, 0.0), (1.09, 0.22)), (0.02, 0.03, 0.03, 0.02), 0.014, 0.16)
    change(line((1.01, 0.36), (1.04, 0.4)), (0.06, 0.06), 0.03, 0.12)
    skin = ramped(light, skin_ramp(base))
    skin *= np.array((1.0, 0.93, 0.92), np.float32)
    layer.paint(whole, skin)


def _shadows(light: Field, frame: Frame, shape: Shape, age: float) -> None:
    """What the relief does not throw by itself."""

    def darker(stencil: Stencil, amount: float) -> None:
        light[stencil.at] -= np.float32(amount) * stencil.cover

    mouth, nose = shape.mouth_y, shape.nose_y
    under_nose = smooth(
        line((-0.1, nose + 0.01), (0.0, nose + 0.025), (0.17, nose), (0.15, nose + 0.07), (0.03, nose + 0.1)),
        closed=True,
    )
    darker(filled(frame, under_nose).soft(0.04), 0.09)
    darker(ellipse(frame, 0.02, mouth + shape.lip_lower + 0.05, 0.17, 0.035).soft(0.035), 0.13)
    # Under the chin's edge nothing shines.
    head = filled(frame, shape.head)
    jaw = head.outside(filled(frame, shifted(shape.head, -0.02, -0.05)).whole()).soft(0.025)
    darker(jaw, 0.2)
    for side in (-1, 1):
        darker(ellipse(frame, side * (shape.eye_x - 0.2), -0.05, 0.08, 0.13, side * 0.35).soft(0.05), 0.1)
        darker(ellipse(frame, side * (shape.mouth_width + 0.04), mouth - 0.055, 0.024, 0.03).soft(0.03), 0.13)
        fold = smooth(
            line(
                (side * (shape.nose_width + 0.02), nose - 0.1),
                (side * 0.3, nose + 0.07),
                (side * (shape.mouth_width + 0.06), mouth - 0.12),
            )
        )
        darker(filled(frame, stroke(fold, (0.03, 0.035, 0.0))).soft(0.028), 0.05 + 0.16 * age)
        bag = smooth(
            line(
                (side * (shape.eye_x - 0.2), 0.13),
                (side * shape.eye_x, 0.185),
                (side * (shape.eye_x + 0.16), 0.15),
            )
        )
        darker(filled(frame, stroke(bag, (0.0, 0.035, 0.0))).soft(0.02), 0.045 + 0.12 * age)
        for i in range(3):
            foot = line(
                (side * (shape.eye_x + 0.29), -0.01 + 0.045 * i), (side * (shape.eye_x + 0.4), -0.05 + 0.075 * i)
            )
            darker(filled(frame, stroke(smooth(foot), (0.008, 0.014, 0.0))).soft(0.008), 0.16 * age)
    for i in range(3):
        crease = smooth(line((-0.42, -0.6 - 0.13 * i), (0.0, -0.63 - 0.13 * i), (0.42, -0.6 - 0.13 * i)))
        darker(filled(frame, stroke(crease, (0.0, 0.016, 0.0))).soft(0.014), 0.13 * age)


def _warmth(skin: Field, frame: Frame, shape: Shape, base: Colour) -> None:
    """Blood under the skin: cheeks, the tip of the nose, around the eyes."""

    def warmer(stencil: Stencil, amount: float) -> None:
        skin[stencil.at] *= 1 - (stencil.cover * np.float32(amount))[..., None] * (1 - flush)

    flush = np.array((1.0, 0.78, 0.75), np.float32)
    for side in (-1, 1):
        warmer(ellipse(frame, side * 0.58, 0.46, 0.17, 0.13, side * -0.3).soft(0.13), 0.55)
        warmer(ellipse(frame, side * shape.eye_x, 0.0, 0.25, 0.15).soft(0.06), 0.28)
    warmer(ellipse(frame, 0.0, shape.nose_y - 0.1, 0.14, 0.09).soft(0.06), 0.45)
    warmer(ellipse(frame, 0.0, shape.chin_y - 0.14, 0.12, 0.07).soft(0.08), 0.2)
