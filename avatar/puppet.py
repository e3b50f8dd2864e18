"""A face that was taken apart: flat layers with the fields that move them.

A puppet is baked once, from a drawing or a photo (`avatar/flesh`), and drawn by `avatar/render`: a frame is its
plate and then its layers over it, back to front, each one warped by a few fields and nothing else. That is what
makes a frame cost a millisecond on one core, and the same on a GPU.

How a layer is warped. Let c be the controls of the frame and x a pixel of the picture. The rigid fields say
where the head or the body as a whole has moved, the others how the flesh has:

    p = x - sum_r c_r * rigid_r(x)
    s = p - sum_k c_k * fields_k(p)

and the layer shows at x what its image shows at s. All fields are backward and in pixels of the picture: a part
that moves 10 pixels down has a field of (0, 10) wherever it may come to lie, which is smooth where the image has
an edge. A layer may have early fields, which move the flesh before the others do, as the corners of the mouth
move and the gap of the lips with them. Then

    q = p - sum_early c_k * fields_k(p)
    s = q - sum_late c_k * fields_k(q)

What opens is made of two layers with an edge between: the lips are the lower edge of the face layer and the upper
edge of the jaw layer, the lids are likewise, and what lies behind shows where they part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from avatar.controls import RIGID, Control
from avatar.picture import Box

Rgb = npt.NDArray[np.uint8]
"""Shape (height, width, 3)."""
Rgba = npt.NDArray[np.uint8]
"""Shape (height, width, 4), red, green, blue and alpha, not premultiplied. Colour goes on under the transparent
part next to an edge, or the edge will have a fringe."""
Fields = npt.NDArray[np.float32]
"""Shape (n, rows, columns, 2): x and y displacements in pixels for n controls at 1, on a grid."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One flat piece of a face. See the module's docstring for what its fields mean."""

    name: str
    box: Box
    """Where in the picture it can come to show at all; it is drawn nowhere else."""
    image: Rgba
    """It may be larger or smaller than the box."""
    origin: tuple[float, float]
    """Where in the picture the image's top left pixel lies at rest. Beyond the image the layer is transparent."""
    grid_px: int
    """Pixels from one grid point of the fields to the next. Grid point (i, j) lies at
    (box.x + j * grid_px, box.y + i * grid_px); the grid reaches at least to the box's far edges."""
    fields: Fields
    controls: tuple[Control, ...]
    """Which control moves which of `fields`; one may stand twice, early and late."""
    rigid: Fields
    """One for each of `RIGID`, on the same grid."""
    opacity: Control | None = None
    """A control that fades the layer in, from 0 to 1: a shadow, a fold, a blush."""
    early: int = 0
    """How many of `fields`, from the first, are early."""

    def __post_init__(self) -> None:
        rows = -(-self.box.height // self.grid_px) + 1
        columns = -(-self.box.width // self.grid_px) + 1
        wanted = (len(self.controls), rows, columns, 2)
        if self.fields.shape != wanted:
            raise ValueError(f"layer {self.name}: fields are {self.fields.shape}, want {wanted}")
        if self.rigid.shape != (len(RIGID), rows, columns, 2):
            raise ValueError(f"layer {self.name}: rigid is {self.rigid.shape}, want {(len(RIGID), *wanted[1:])}")
        if not 0 <= self.early <= len(self.controls):
            raise ValueError(f"layer {self.name}: {self.early} of {len(self.controls)} fields cannot be early")
        if self.image.ndim != 3 or self.image.shape[2] != 4 or self.image.dtype != np.uint8:
            raise ValueError(f"layer {self.name}: its image is not RGBA of bytes")


@dataclass(frozen=True, slots=True)
class Puppet:
    """A whole face at one size."""

    name: str
    plate: Rgb
    """What lies behind everything and never moves; its shape is the size of the picture."""
    layers: tuple[Layer, ...]
    """Back to front."""
    mouth: Box
    """Where the mouth is at rest, with room for it to open: for who measures or covers it."""

    @property
    def width(self) -> int:
        return int(self.plate.shape[1])

    @property
    def height(self) -> int:
        return int(self.plate.shape[0])
