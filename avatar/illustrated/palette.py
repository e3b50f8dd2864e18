"""The colours that a look may name."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np

from avatar.illustrated.canvas import Colour, Field, hexa, mix, times

SKIN: Final[dict[str, Colour]] = {
    "porcelain": hexa("#f6d9c8"),
    "fair": hexa("#f0c8ac"),
    "light": hexa("#e8b997"),
    "beige": hexa("#dca982"),
    "olive": hexa("#cb9a6c"),
    "tan": hexa("#bb8257"),
    "brown": hexa("#9a6542"),
    "deep": hexa("#7a4c33"),
    "ebony": hexa("#5a3728"),
}

HAIR: Final[dict[str, Colour]] = {
    "black": hexa("#241f20"),
    "espresso": hexa("#3a2820"),
    "brown": hexa("#543828"),
    "chestnut": hexa("#6f4228"),
    "auburn": hexa("#85402a"),
    "copper": hexa("#b0632f"),
    "blond": hexa("#bf945a"),
    "platinum": hexa("#d9c49a"),
    "grey": hexa("#85817d"),
    "silver": hexa("#c3c3c4"),
}

EYES: Final[dict[str, Colour]] = {
    "brown": hexa("#6b4226"),
    "dark": hexa("#40281a"),
    "hazel": hexa("#83683a"),
    "green": hexa("#5f7c52"),
    "blue": hexa("#4f7ea6"),
    "grey": hexa("#768590"),
}

CLOTH: Final[dict[str, Colour]] = {
    "navy": hexa("#2b3a57"),
    "charcoal": hexa("#3d4148"),
    "black": hexa("#26272b"),
    "white": hexa("#eceae6"),
    "cream": hexa("#e4d8c3"),
    "sand": hexa("#bda587"),
    "sage": hexa("#7f967f"),
    "teal": hexa("#2f6f74"),
    "sky": hexa("#8fb2d0"),
    "burgundy": hexa("#71303e"),
    "rust": hexa("#a65a3a"),
    "lavender": hexa("#9a8fb8"),
}

LIPSTICK: Final[dict[str, Colour]] = {
    "rose": hexa("#bf5f68"),
    "berry": hexa("#8e3148"),
    "red": hexa("#b5313a"),
    "nude": hexa("#b97a68"),
}


Ramp: TypeAlias = tuple[list[float], list[Colour]]
"""Values of light, rising, and the colour at each."""

_DARKEST, _BRIGHTEST, _STEPS = -0.2, 1.2, 512


def darkness(colour: Colour) -> float:
    """0 for white, 1 for black."""
    return 1 - (0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2])


def skin_ramp(base: Colour) -> Ramp:
    """What colour skin has at which value of light; shadows are warmer, not greyer."""
    dark = darkness(base)
    deep = times(base, (0.50 - 0.06 * dark, 0.345, 0.315))
    shadow = times(base, (0.76 - 0.06 * dark, 0.615, 0.575))
    half = times(base, (0.915, 0.835, 0.805))
    light = mix(base, (1.0, 0.93, 0.84), 0.34 - 0.22 * dark)
    high = mix(base, (1.0, 0.97, 0.92), 0.66 - 0.42 * dark)
    return [0.0, 0.28, 0.5, 0.68, 0.86, 1.05], [deep, shadow, half, base, light, high]


class Tones:
    """A picture of colours for values of light, made only where it is asked for: `tones[rows, columns]`."""

    def __init__(self, light: Field, ramp: Ramp, change: float = 0.0) -> None:
        stops, colours = ramp
        steps = np.linspace(_DARKEST, _BRIGHTEST, _STEPS)
        table = [np.interp(steps, stops, [colour[i] for colour in colours]) for i in range(3)]
        self._table = np.stack(table, axis=1).astype(np.float32)
        self._light = light
        self._change = np.float32(change - _DARKEST)

    def __getitem__(self, at: tuple[slice, slice]) -> Field:
        scale = np.float32((_STEPS - 1) / (_BRIGHTEST - _DARKEST))
        index = np.clip((self._light[at] + self._change) * scale, 0, _STEPS - 1).astype(np.int32)
        return np.asarray(np.take(self._table, index, axis=0), np.float32)


def ramped(light: Field, ramp: Ramp) -> Field:
    """The colour for each value of light; shape (height, width, 3)."""
    return Tones(light, ramp)[:, :]
