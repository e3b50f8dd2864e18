"""Paper and brush: smooth-edged stencils in face units, and layers of colour that they are painted on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from avatar.illustrated.curve import Line, shifted
from avatar.puppet import Rgba

Field: TypeAlias = npt.NDArray[np.float32]
Colour: TypeAlias = tuple[float, float, float]
"""Red, green, blue from 0 to 1, as displays take them."""


class Colours(Protocol):
    """A picture of the whole frame, or something that makes a part of it."""

    def __getitem__(self, at: tuple[slice, slice], /) -> Field: ...


FINE = 4
"""Each pixel of an edge is sampled FINE x FINE times."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the face lies in the picture. A face unit is half the width of a face; (0, 0) is between the eyes."""

    width: int
    height: int
    unit_px: float
    x_px: float
    y_px: float

    @staticmethod
    def portrait(width: int, height: int, top: float = -1.9) -> Frame:
        """Head and shoulders in the middle, with some room above the hair, which ends at `top`."""
        unit_px = min(height / 5.3, width / 4.3)
        return Frame(width, height, unit_px, width / 2, max(height * 0.4, (0.13 - top) * unit_px))

    def raised(self, by: float) -> Frame:
        """The same, with all that is drawn higher by some face units."""
        return replace(self, y_px=self.y_px - by * self.unit_px)

    def pixels(self, points: Line) -> npt.NDArray[np.float32]:
        return (shifted(points * self.unit_px, self.x_px, self.y_px)).astype(np.float32)

    def grid(self) -> tuple[Field, Field]:
        """x of shape (1, width) and y of shape (height, 1): the face units of the middle of each pixel."""
        x = (np.arange(self.width, dtype=np.float32) + 0.5 - self.x_px) / self.unit_px
        y = (np.arange(self.height, dtype=np.float32) + 0.5 - self.y_px) / self.unit_px
        return x[None, :].astype(np.float32), y[:, None].astype(np.float32)


@dataclass(frozen=True, slots=True)
class Stencil:
    """How much of each pixel of a part of the picture is covered, 0 to 1. None outside of that part."""

    frame: Frame
    left: int
    top: int
    cover: Field

    @property
    def at(self) -> tuple[slice, slice]:
        rows, columns = self.cover.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)

    def whole(self) -> Field:
        """As large as the picture."""
        field = np.zeros((self.frame.height, self.frame.width), np.float32)
        field[self.at] = self.cover
        return field

    def within(self, field: Field) -> Stencil:
        """Only where `field`, as large as the picture, is."""
        return Stencil(self.frame, self.left, self.top, self.cover * field[self.at])

    def outside(self, field: Field) -> Stencil:
        return Stencil(self.frame, self.left, self.top, self.cover * (1 - field[self.at]))

    def soft(self, radius: float) -> Stencil:
        """Blurred; the radius is in face units."""
        sigma = max(radius * self.frame.unit_px, 0.05)
        room = int(np.ceil(2.6 * sigma))
        top, left = max(self.top - room, 0), max(self.left - room, 0)
        rows, columns = self.cover.shape
        bottom = min(self.top + rows + room, self.frame.height)
        right = min(self.left + columns + room, self.frame.width)
        # Where the shape touches the picture's edge it goes on beyond it.
        pads = (self.top - top, bottom - self.top - rows, self.left - left, right - self.left - columns)
        wide = np.pad(self.cover, (pads[:2], pads[2:]))
        return Stencil(self.frame, left, top, blurred(wide, sigma))


def blurred(field: Field, sigma_px: float) -> Field:
    """A Gaussian blur; a wide one is done on a smaller copy."""
    step = int(sigma_px // 4)
    if step < 2:
        return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE), np.float32)
    rows, columns = field.shape[:2]
    small = cv2.resize(field, (-(-columns // step), -(-rows // step)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_px / step, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def filled(frame: Frame, *shapes: Line) -> Stencil:
    """What closed outlines cover, all of them together."""
    pixels = [frame.pixels(shape) for shape in shapes]
    every = np.concatenate(pixels)
    left, top = (max(int(np.floor(low)) - 1, 0) for low in every.min(axis=0))
    right = min(int(np.ceil(every[:, 0].max())) + 1, frame.width)
    bottom = min(int(np.ceil(every[:, 1].max())) + 1, frame.height)
    if right <= left or bottom <= top:
        return Stencil(frame, 0, 0, np.zeros((1, 1), np.float32))
    fine = np.zeros(((bottom - top) * FINE, (right - left) * FINE), np.uint8)
    for shape in pixels:
        # cv2 puts whole numbers in the middle of pixels.
        corners = np.round(((shape - (left, top)) * FINE - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(fine, [corners], 255, cv2.LINE_8, 4)
    cover = cv2.resize(fine, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    return Stencil(frame, left, top, np.asarray(cover, np.float32) / np.float32(255))


def ellipse(frame: Frame, x: float, y: float, width: float, height: float, tilt: float = 0.0) -> Stencil:
    """Half axes `width` and `height`, turned clockwise by `tilt` radians."""
    return filled(frame, oval(x, y, width, height, tilt))


def oval(x: float, y: float, width: float, height: float, tilt: float = 0.0) -> Line:
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    across, down = np.cos(angle) * width, np.sin(angle) * height
    return np.stack(
        (
            x + across * np.cos(tilt) - down * np.sin(tilt),
            y + across * np.sin(tilt) + down * np.cos(tilt),
        ),
        axis=1,
    )


class Layer:
    """A transparent sheet of the picture's size that is painted on."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.rgb: Field = np.zeros((frame.height, frame.width, 3), np.float32)
        self.alpha: Field = np.zeros((frame.height, frame.width), np.float32)

    def paint(self, stencil: Stencil, colour: Colour | Colours, opacity: float = 1.0) -> None:
        """Over what is there. A colour may be a picture of the whole frame."""
        at = stencil.at
        cover = stencil.cover * np.float32(opacity)
        alpha = self.alpha[at]
        both = cover + alpha * (1 - cover)
        share = np.divide(cover, both, out=np.zeros_like(cover), where=both > 1e-6)
        self._towards(at, share, colour)
        self.alpha[at] = both

    def tint(self, stencil: Stencil, colour: Colour | Colours, opacity: float = 1.0) -> None:
        """Only on what is there: it grows nowhere."""
        self._towards(stencil.at, stencil.cover * np.float32(opacity), colour)

    def shade(self, stencil: Stencil, colour: Colour, opacity: float = 1.0) -> None:
        """Multiply what is there by a colour."""
        at = stencil.at
        cover = (stencil.cover * np.float32(opacity))[..., None]
        self.rgb[at] *= 1 - cover * (1 - np.array(colour, np.float32))

    def glow(self, stencil: Stencil, colour: Colour, opacity: float = 1.0) -> None:
        """Add light to what is there: white stays white."""
        at = stencil.at
        cover = (stencil.cover * np.float32(opacity))[..., None]
        self.rgb[at] += (1 - self.rgb[at]) * cover * np.array(colour, np.float32)

    def cut(self, stencil: Stencil, share: float = 1.0) -> None:
        """Make it transparent there."""
        self.alpha[stencil.at] *= 1 - stencil.cover * np.float32(share)

    def rgba(self) -> Rgba:
        """As bytes, with colour under the transparent part next to every edge."""
        known = (self.alpha > 0.02).astype(np.float32)
        rgb = self.rgb.copy()
        bare = (known < 0.5) & ((rgb[..., 0] + rgb[..., 1] + rgb[..., 2]) <= 0)
        for sigma in (2.0, 8.0, 24.0):
            weight = blurred(known, sigma)
            spread = blurred(self.rgb * known[..., None], sigma) / np.maximum(weight, 1e-4)[..., None]
            new = bare & (weight > 0.002)
            rgb[new] = spread[new]
            bare &= ~new
        picture = np.empty((*self.alpha.shape, 4), np.uint8)
        picture[..., :3] = np.clip(rgb * 255 + 0.5, 0, 255)
        picture[..., 3] = np.clip(self.alpha * 255 + 0.5, 0, 255)
        return picture

    def _towards(self, at: tuple[slice, slice], share: Field, colour: Colour | Colours) -> None:
        target = np.array(colour, np.float32) if isinstance(colour, tuple) else colour[at]
        here = self.rgb[at]
        here += (target - here) * share[..., None]


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """The colour at `share` of the way from one to the other."""
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def times(colour: Colour, by: Colour | float) -> Colour:
    factors = (by, by, by) if isinstance(by, float) else by
    red, green, blue = (min(1.0, a * b) for a, b in zip(colour, factors, strict=True))
    return red, green, blue


def hexa(code: str) -> Colour:
    """From "#rrggbb"."""
    red, green, blue = (int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
