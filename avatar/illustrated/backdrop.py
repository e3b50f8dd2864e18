"""What is behind the person: soft, so that the face stays the sharpest thing in the picture."""

from __future__ import annotations

import numpy as np

from avatar.illustrated.canvas import Colour, Field, Frame, Layer, blurred, ellipse, filled, hexa, mix, times
from avatar.illustrated.curve import Line, line

PLAIN: Colour = hexa("#c9d2d6")
WALL: Colour = hexa("#c8c3ba")


def box(left: float, top: float, right: float, bottom: float) -> Line:
    return line((left, top), (right, top), (right, bottom), (left, bottom))


def _lit(frame: Frame, colour: Colour, other: Colour, x: float, y: float, reach: float) -> Field:
    """A wall with a lamp's light on it at x, y of the picture (0 to 1)."""
    across = (np.arange(frame.width, dtype=np.float32) / frame.width - x)[None, :] * (frame.width / frame.height)
    down = (np.arange(frame.height, dtype=np.float32) / frame.height - y)[:, None]
    share = np.clip(np.hypot(across, down) / reach, 0, 1)
    share = (share * share * (3 - 2 * share))[..., None]
    return np.asarray(np.array(colour) * (1 - share) + np.array(other) * share, np.float32)


def plain(frame: Frame, tone: Colour) -> Field:
    return _lit(frame, mix(tone, (1.0, 1.0, 1.0), 0.1), times(tone, 0.94), 0.35, 0.3, 1.1)


def gradient(frame: Frame, tone: Colour) -> Field:
    return _lit(frame, mix(tone, (1.0, 0.98, 0.95), 0.38), times(tone, (0.6, 0.64, 0.68)), 0.34, 0.3, 1.05)


def office(frame: Frame, tone: Colour) -> Field:
    """A window with daylight at the left, a shelf and a plant at the right, out of focus."""
    layer = _sheet(
        frame, _lit(frame, mix(WALL, (1.0, 0.97, 0.92), 0.45), times(WALL, (0.66, 0.67, 0.7)), 0.15, 0.25, 1.3)
    )
    left, right, top, bottom = _sides(frame)
    layer.paint(filled(frame, box(left - 1, -2.6, left + 1.35, 1.5)), hexa("#f2f5f4"))
    for y, colour in ((-2.6, "#dcebf2"), (-0.4, "#cfe0e2"), (0.55, "#a9c2ae")):
        layer.paint(filled(frame, box(left - 1, y, left + 1.27, 1.42)).soft(0.25), hexa(colour), 0.9)
    layer.paint(
        filled(frame, box(left + 0.44, -2.6, left + 0.54, 1.5), box(left - 1, -0.62, left + 1.3, -0.54)),
        hexa("#f4f2ee"),
    )
    layer.shade(filled(frame, box(left + 1.35, -2.6, left + 1.6, 1.55)).soft(0.08), (0.8, 0.79, 0.78), 0.6)
    _shelf(layer, right - 1.15, right + 0.5, top, 1.4, 3, 2)
    _plant(layer, right - 0.35, bottom - 0.4)
    return _out_of_focus(layer, 0.062)


def bookshelf(frame: Frame, tone: Colour) -> Field:
    layer = _sheet(frame, _lit(frame, hexa("#a08a72"), hexa("#5c4a3c"), 0.3, 0.2, 1.2))
    left, right, top, bottom = _sides(frame)
    _shelf(layer, left - 0.1, right + 0.1, top - 0.3, bottom, 5, 5)
    picture = _out_of_focus(layer, 0.05)
    return picture * _lit(frame, (1.12, 1.1, 1.06), (0.68, 0.67, 0.7), 0.25, 0.15, 1.3)


def room(frame: Frame, tone: Colour) -> Field:
    """A living room in the evening, far out of focus."""
    layer = _sheet(frame, _lit(frame, hexa("#b9a893"), hexa("#5b5a61"), 0.72, 0.35, 1.0))
    left, right, top, _ = _sides(frame)
    layer.paint(filled(frame, box(left - 0.5, top - 1, left + 0.9, 1.8)), hexa("#6f7d86"))
    layer.paint(filled(frame, box(left + 0.15, -1.35, left + 0.75, -0.35)), hexa("#c2b8a6"))
    layer.paint(filled(frame, box(left - 1, 1.2, left + 1.6, 3.4)), hexa("#5d6a6b"))
    layer.paint(ellipse(frame, right - 0.45, -0.55, 0.75, 0.75).soft(0.3), hexa("#ffd9a0"), 0.65)
    layer.paint(ellipse(frame, right - 0.45, -0.5, 0.3, 0.28), hexa("#ffe9c4"))
    layer.paint(filled(frame, box(right - 0.48, -0.3, right - 0.42, 1.3)), hexa("#4a4039"))
    layer.paint(filled(frame, box(right - 1.3, 1.25, right + 1, 3.4)), hexa("#6b5746"))
    _plant(layer, left + 0.55, 1.35)
    return _out_of_focus(layer, 0.13)


ROOMS = {"plain": plain, "gradient": gradient, "office": office, "bookshelf": bookshelf, "room": room}


def _sheet(frame: Frame, colours: Field) -> Layer:
    layer = Layer(frame)
    layer.rgb[:] = colours
    layer.alpha[:] = 1
    return layer


def _sides(frame: Frame) -> tuple[float, float, float, float]:
    """Left, right, top and bottom of the picture in face units."""
    x, y = frame.grid()
    return float(x[0, 0]), float(x[0, -1]), float(y[0, 0]), float(y[-1, 0])


def _shelf(layer: Layer, left: float, right: float, top: float, bottom: float, rows: int, seed: int) -> None:
    frame = layer.frame
    chance = np.random.default_rng(seed)
    covers = [
        hexa(code)
        for code in (
            "#8c5a4a",
            "#3f5a66",
            "#b79a6c",
            "#6d7a5c",
            "#d6cdbd",
            "#54485a",
            "#a8784f",
            "#2f4a4d",
            "#c9b9a0",
        )
    ]
    high = (bottom - top) / rows
    layer.shade(filled(frame, box(left, top, right, bottom)), (0.62, 0.6, 0.6), 0.7)
    for row in range(rows):
        floor = top + (row + 1) * high
        x = left + 0.06
        while x < right - 0.1:
            if chance.random() < 0.13:
                x += chance.uniform(0.15, 0.5)
                continue
            wide, tall = chance.uniform(0.07, 0.16), high * chance.uniform(0.55, 0.8)
            cover = times(covers[int(chance.integers(len(covers)))], float(chance.uniform(0.8, 1.1)))
            layer.paint(filled(frame, box(x, floor - tall, x + wide, floor)), cover)
            layer.shade(filled(frame, box(x + wide * 0.7, floor - tall, x + wide, floor)), (0.7, 0.7, 0.7), 0.8)
            x += wide + 0.012
        layer.paint(filled(frame, box(left, floor, right, floor + 0.07)), hexa("#a78b6c"))
        layer.shade(filled(frame, box(left, floor + 0.07, right, floor + 0.22)).soft(0.04), (0.5, 0.48, 0.48), 0.7)


def _plant(layer: Layer, x: float, y: float) -> None:
    frame = layer.frame
    chance = np.random.default_rng(4)
    for _ in range(26):
        angle = chance.uniform(-1.25, 1.25)
        reach = chance.uniform(0.35, 0.95)
        leaf = ellipse(frame, x + np.sin(angle) * reach, y - np.cos(angle) * reach, 0.085, 0.24, angle)
        layer.paint(
            leaf, times(mix(hexa("#3f6b4c"), hexa("#8fae6d"), chance.random()), float(chance.uniform(0.75, 1.1)))
        )
    layer.paint(
        filled(frame, line((x - 0.28, y), (x + 0.28, y), (x + 0.2, y + 0.6), (x - 0.2, y + 0.6))), hexa("#b9aa97")
    )


def _out_of_focus(layer: Layer, radius: float) -> Field:
    return blurred(layer.rgb, radius * layer.frame.unit_px)
