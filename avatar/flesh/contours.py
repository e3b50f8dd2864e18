"""Where a face's parts lie in its picture, and the picture in pieces: all that baking a puppet needs to know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from avatar.puppet import Rgb, Rgba

Points = npt.NDArray[np.float32]
"""Shape (n, 2): x and y in pixels of the picture."""


@dataclass(frozen=True, slots=True)
class Eye:
    """One eye, open, as it is in the picture."""

    upper: Points
    """The edge of the upper lid: 9 points from the inner corner (at the nose) to the outer one, both included."""
    lower: Points
    """The edge of the lower lid, likewise; the first and last points are those of `upper`."""
    iris: tuple[float, float]
    """Its centre."""
    iris_radius: float
    brow: Points
    """The middle of the brow, 5 points from the inner to the outer end."""

    def __post_init__(self) -> None:
        _check("upper lid", self.upper, 9, 2)
        _check("lower lid", self.lower, 9, 2)
        _check("brow", self.brow, 5, 2)
        if not (np.isfinite(self.iris).all() and 0.5 <= self.iris_radius < 1e4):
            raise ValueError(f"an iris has a place and half a pixel or more of radius, got {self.iris_radius}")
        if not np.allclose(self.upper[[0, -1]], self.lower[[0, -1]], atol=0.5):
            raise ValueError("the lids of an eye meet at its corners")


@dataclass(frozen=True, slots=True)
class Contours:
    """A face at rest: eyes open, mouth closed. `left` and `right` are the person's own."""

    left: Eye
    right: Eye
    lips_outer_upper: Points
    """The upper lip's upper edge: 11 points from the corner at the viewer's left to the one at the right."""
    lips_inner_upper: Points
    """The upper lip's lower edge, likewise."""
    lips_inner_lower: Points
    """The lower lip's upper edge, likewise; with a closed mouth it lies on `lips_inner_upper`."""
    lips_outer_lower: Points
    """The lower lip's lower edge, likewise."""
    oval: Points
    """The outline of the face, 36 points clockwise for the viewer, from the top of the forehead; ears and hair are
    outside of it."""
    nose_tip: tuple[float, float]
    chin: tuple[float, float]
    """Its lowest point."""
    surface: npt.NDArray[np.float32]
    """Shape (n, 3): points of the face with their depth, in pixels towards the viewer from the axis on which the
    head turns; at least those of `oval`, the nose and the eyes."""

    def __post_init__(self) -> None:
        for name in ("lips_outer_upper", "lips_inner_upper", "lips_inner_lower", "lips_outer_lower"):
            _check(name.replace("_", " "), getattr(self, name), 11, 2)
        _check("oval", self.oval, 36, 2)
        _check("surface", self.surface, len(self.oval), 3, or_more=True)
        if not (np.isfinite(self.nose_tip).all() and np.isfinite(self.chin).all()):
            raise ValueError("nose and chin have a place")
        if self.width < 16 or np.ptp(self.lips_inner_upper[:, 0]) < 4:
            raise ValueError(f"a face of {self.width:.0f} pixels is too small to move")

    @property
    def width(self) -> float:
        """The width of the face in pixels, which the controls of the head are measured in."""
        return float(np.ptp(self.oval[:, 0]))


def _check(name: str, points: npt.NDArray[np.float32], count: int, axes: int, *, or_more: bool = False) -> None:
    fits = (
        points.ndim == 2
        and points.shape[1] == axes
        and (len(points) >= count if or_more else len(points) == count)
    )
    if not fits or not np.isfinite(points).all():
        raise ValueError(f"{name}: {count} finite points of {axes} numbers are wanted, got shape {points.shape}")


@dataclass(frozen=True, slots=True)
class EyeArt:
    """What is behind the lids, where it was drawn and need not be cut from the picture. Both in the picture's
    coordinates, as (height, width, 4) of the whole picture."""

    white: Rgba
    iris: Rgba


@dataclass(frozen=True, slots=True)
class Front:
    """Something in front of the face, such as glasses or a lock of hair."""

    image: Rgba
    """Of the whole picture."""
    depth: float
    """In pixels towards the viewer, as in `Contours.surface`."""


@dataclass(frozen=True, slots=True)
class Artwork:
    """A picture of somebody, in pieces. All images have the size of the picture."""

    plate: Rgb
    """The background, also where the person is in front of it."""
    head: Rgba
    """Head, hair and neck, or the whole person where `body` is None; mouth closed, eyes open."""
    contours: Contours
    body: Rgba | None = None
    """Chest and shoulders, behind the head; they breathe."""
    behind: Rgba | None = None
    """Hair behind neck and shoulders."""
    front: tuple[Front, ...] = ()
    left_eye: EyeArt | None = None
    """None: it is cut from `head` and what the lids and the iris hid is made up."""
    right_eye: EyeArt | None = None
    teeth: Rgb | None = None
    """A strip of the person's own upper teeth, as wide as the mouth; None: made up."""

    def __post_init__(self) -> None:
        size = self.plate.shape[:2]
        whole = [self.head, self.body, self.behind, *(front.image for front in self.front)]
        whole += [image for eye in (self.left_eye, self.right_eye) if eye for image in (eye.white, eye.iris)]
        if self.plate.ndim != 3 or self.plate.shape[2] != 3 or self.plate.dtype != np.uint8:
            raise ValueError("the plate is no RGB picture")
        for image in whole:
            if image is not None and (image.shape != (*size, 4) or image.dtype != np.uint8):
                raise ValueError(f"all images are RGBA of the plate's size {size}, got {image.shape}")
