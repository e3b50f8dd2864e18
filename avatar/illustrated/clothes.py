"""What the person wears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from avatar.illustrated.canvas import Colour, Field, Layer, filled, times
from avatar.illustrated.cloth import Cloth, body_light
from avatar.illustrated.curve import line, smooth
from avatar.illustrated.shape import Shape
from avatar.illustrated.tailored import shirt, suit
from avatar.illustrated.tops import blouse, hoodie, sweater, tee, turtleneck

PLAIN: Final[dict[str, Callable[[Cloth], Field]]] = {
    "tee": tee,
    "sweater": sweater,
    "turtleneck": turtleneck,
    "shirt": shirt,
    "hoodie": hoodie,
    "blouse": blouse,
}


def back(layer: Layer, shape: Shape, clothes: str, colour: Colour) -> None:
    """The inside of a collar behind the neck: what is seen there when the head leans away."""
    w = shape.neck_width
    collars = {
        "shirt": (-0.03, 1.52, 2.3),
        "suit": (-0.03, 1.52, 2.3),
        "hoodie": (-0.02, 1.48, 2.3),
        "turtleneck": (0.02, 1.46, 1.75),
    }
    if clothes not in collars:
        return
    end, top, low = collars[clothes]
    inside = smooth(
        line((-w - end, top), (-w * 0.6, top - 0.12), (0.0, top - 0.16), (w * 0.6, top - 0.12), (w + end, top),
            (w * 0.75, (top + low) / 2),
             (0.0, low), (-w * 0.75, (top + low) / 2)),
        closed=True,
    )  # fmt: skip
    layer.paint(filled(layer.frame, inside), times(colour, (0.7, 0.68, 0.68)))


def dress(layer: Layer, shape: Shape, clothes: str, colour: Colour, below: Colour) -> Field:
    """Paint them over the body; returns what they cover."""
    light = body_light(layer, shape)
    cloth = Cloth(layer, shape, colour, light)
    return suit(cloth, below) if clothes == "suit" else PLAIN[clothes](cloth)
