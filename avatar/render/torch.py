"""Puppets drawn by torch, many at once: a batch of frames of any of several faces, on any device.

Every layer of all faces is one stack: their images lie below each other in one tall image, their fields on grids
of one shape, and a batch samples them all in one call. Images and fields stay on the device, and so do the
frames until they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from avatar.controls import CONTROLS, Controls
from avatar.picture import Box, Picture
from avatar.puppet import Layer, Puppet
from avatar.render.prepare import STEADY, Places, coarsest_px, piece, plate, told

Tensor = Any
"""Of torch, which has no place among what a face needs to be drawn."""

_OPAQUE: Final = 0
_AT_ONCE: Final = 64
"""Frames of one pass; more go in several, which bounds the memory: some 15 MB each at 512x512."""


class TorchPuppets:
    """Several faces of one size on one device. Not for two threads at once.

    Raises ImportError without torch, and what torch raises where the device is not there.
    """

    def __init__(self, puppets: Sequence[Puppet], device: str = "cpu") -> None:
        import torch

        sizes = {(puppet.width, puppet.height) for puppet in puppets}
        if len(sizes) != 1:
            raise ValueError(f"the faces of a batch have one size, got {sorted(sizes)}")
        ((self.width, self.height),) = sizes
        self.names = tuple(puppet.name for puppet in puppets)
        self.device = torch.device(device)
        pictures = [plate(puppet.plate) for puppet in puppets]
        self._luma = self._kept(np.stack([picture.y for picture in pictures])[:, None])
        self._chroma = self._kept(np.stack([np.stack([picture.u, picture.v]) for picture in pictures]))
        faces = [_keyed(puppet) for puppet in puppets]
        self._stacks = [_stack([face.get(key) for face in faces], self._kept) for key in _order(faces)]

    def draw(self, controls: Controls, faces: Sequence[int] | None = None) -> Tensor:
        """Frames for controls of shape (n, CONTROLS), of the face with that number each, by default the first:
        bytes of shape (n, height * 3 / 2, width), I420, on the device."""
        import torch

        values = told(np.asarray(controls, np.float32))
        which = np.zeros(len(values), np.intp) if faces is None else np.asarray(faces, np.intp)
        if len(which) != len(values) or (len(which) and not 0 <= which.min() <= which.max() < len(self.names)):
            raise ValueError(f"want one of {len(self.names)} faces for each of {len(values)} frames")
        frames = torch.empty(
            (len(values), self.height * 3 // 2, self.width), dtype=torch.uint8, device=self.device
        )
        with torch.inference_mode():
            for first in range(0, len(values), _AT_ONCE):
                part = slice(first, first + _AT_ONCE)
                self._draw(values[part], which[part], frames[part])
        return frames

    def _draw(self, values: npt.NDArray[np.float32], which: Places, frames: Tensor) -> None:
        face = self._kept(which)
        luma, chroma = self._luma[face], self._chroma[face]
        for stack in self._stacks:
            opacity = values[np.arange(len(which)), stack.opacity[which]]
            if not (opacity > 0).any():
                continue
            fading = self._kept(opacity) if (opacity < 1).any() else None
            _lay(stack, self._kept(values), face, fading, luma, chroma)
        rows, n = self.height, len(frames)
        frames[:, :rows] = luma[:, 0].add_(0.5).to(frames.dtype)
        frames[:, rows:] = chroma.add_(0.5).to(frames.dtype).reshape(n, rows // 2, self.width)

    def _kept(self, array: npt.NDArray[Any]) -> Tensor:
        """An array on the device; bytes become floats."""
        import torch

        kept = torch.from_numpy(np.ascontiguousarray(array)).to(self.device)
        return kept.float() if kept.dtype == torch.uint8 else kept


class TorchPuppet:
    """A `Rig` for one puppet on a device, a frame at a time."""

    def __init__(self, puppet: Puppet, device: str) -> None:
        self._puppets = TorchPuppets([puppet], device)
        self._plate = plate(puppet.plate)

    @property
    def name(self) -> str:
        return self._puppets.names[0]

    @property
    def width(self) -> int:
        return self._puppets.width

    @property
    def height(self) -> int:
        return self._puppets.height

    def blank(self) -> Picture:
        return self._plate.copy()

    def draw(self, controls: Controls, picture: Picture) -> None:
        picture.i420[...] = self._puppets.draw(controls[None])[0].cpu().numpy()


@dataclass(frozen=True, slots=True)
class _Stack:
    """One layer of all faces, F of them."""

    area: Box
    step_px: int
    corner: tuple[int, int]
    """Where the area begins in the enlarged grid."""
    image: Tensor
    """(1, 4, F * height, width)."""
    size: tuple[int, int]
    """Height and width of one face's part of it."""
    steady: Tensor
    """(F, 1 + RIGID, rows, columns, 2), in cells."""
    early: Tensor
    """(F, 1 + CONTROLS, rows, columns, 2), as in `Piece`, but with a row for everything that can be told; None
    where no face has any. Likewise `flesh`."""
    flesh: Tensor
    boxes: Tensor
    """(F, 4): x, y, right and bottom of each face's box within the area; None where all are the whole of it."""
    opacity: npt.NDArray[np.intp]
    """(F,): a place in what `told` gives; at 0 is a 1."""


_Key = tuple[str, int]
"""A layer's name, and how many layers of that name its puppet has behind it."""


def _keyed(puppet: Puppet) -> dict[_Key, Layer]:
    keyed: dict[_Key, Layer] = {}
    for layer in puppet.layers:
        if layer.image[..., 3].any():
            keyed[layer.name, sum(name == layer.name for name, _ in keyed)] = layer
    return keyed


def _order(faces: Sequence[dict[_Key, Layer]]) -> list[_Key]:
    """All layers, back to front. One that not all faces have comes after the one it follows."""
    order: list[_Key] = []
    for face in faces:
        place = 0
        for key in face:
            if key in order:
                place = order.index(key) + 1
            else:
                order.insert(place, key)
                place += 1
    return order


def _stack(layers: Sequence[Layer | None], kept: Callable[[npt.NDArray[Any]], Tensor]) -> _Stack:
    present = [layer for layer in layers if layer is not None]
    area = reduce(Box.around, (layer.box for layer in present))
    step = min(coarsest_px(layer) for layer in present)
    pieces = [None if layer is None else piece(layer, area, step) for layer in layers]
    made = [each for each in pieces if each is not None]
    height, width = (max(each.image.shape[side] for each in made) for side in (0, 1))
    image = np.zeros((len(pieces), height, width, 4), np.uint8)
    shape = made[0].steady.shape[1:]
    steady = np.zeros((len(pieces), len(STEADY), *shape), np.float32)
    early, flesh = (np.zeros((len(pieces), 1 + CONTROLS, *shape), np.float32) for _ in range(2))
    opacity = np.full(len(pieces), _OPAQUE, np.intp)
    for at, each in enumerate(pieces):
        if each is None:
            continue
        image[at, : each.image.shape[0], : each.image.shape[1]] = each.image
        steady[at] = each.steady
        if each.early is not None:
            np.add.at(early[at], each.told_early, each.early)
        if each.flesh is not None:
            np.add.at(flesh[at], each.told_flesh, each.flesh)
        else:
            # The map is in pixels already: it is kept in cells, as the others' is.
            steady[at] /= step
        if each.opacity is not None:
            opacity[at] = each.opacity
    boxes = np.array([_within(area, layer) for layer in layers])
    return _Stack(
        area=area,
        step_px=step,
        corner=(area.x - made[0].left + step, area.y - made[0].top + step),
        image=kept(image.reshape(1, -1, width, 4).transpose(0, 3, 1, 2)),
        size=(height, width),
        steady=kept(steady),
        early=kept(early) if early.any() else None,
        flesh=kept(flesh) if flesh.any() else None,
        boxes=None if (boxes == (0, 0, area.width, area.height)).all() else kept(boxes),
        opacity=opacity,
    )


def _within(area: Box, layer: Layer | None) -> tuple[int, int, int, int]:
    if layer is None:
        return 0, 0, area.width, area.height
    box = layer.box
    return box.x - area.x, box.y - area.y, box.right - area.x, box.bottom - area.y


def _lay(stack: _Stack, values: Tensor, face: Tensor, fading: Tensor, luma: Tensor, chroma: Tensor) -> None:
    """Draw a layer over a batch of pictures; `fading` is one opacity each, or None."""
    import torch
    from torch.nn import functional

    area, (height, width) = stack.area, stack.size
    at = _places(stack, values, face).permute(0, 3, 1, 2)
    at = functional.interpolate(at, scale_factor=stack.step_px, mode="bilinear", align_corners=False)
    left, top = stack.corner
    at = at[:, :, top : top + area.height, left : left + area.width]
    # The frame around each image is transparent, so that its edge stands for all beyond, and no face sees another.
    x = at[:, 0].clamp(0, width - 1)
    y = at[:, 1].clamp(0, height - 1) + (face * height)[:, None, None]
    grid = torch.stack([x * (2 / (width - 1)) - 1, y * (2 / (stack.image.shape[2] - 1)) - 1], dim=-1)
    seen = functional.grid_sample(stack.image, grid.view(1, -1, area.width, 2), align_corners=True)
    seen = seen.view(4, len(values), area.height, area.width)
    if fading is not None:
        seen = seen * fading[:, None, None]
    if stack.boxes is not None:
        seen = seen * _inside(area, stack.boxes[face])
    below = luma[:, 0, area.y : area.bottom, area.x : area.right]
    below.mul_(1 - seen[3] * (1 / 255)).add_(seen[0])
    half = functional.avg_pool2d(seen[1:], 2)
    below = chroma[:, :, area.y // 2 : area.bottom // 2, area.x // 2 : area.right // 2]
    below.mul_(1 - half[2][:, None] * (1 / 255)).add_(half[:2].transpose(0, 1))


def _places(stack: _Stack, values: Tensor, face: Tensor) -> Tensor:
    """Where in its image each point of a layer's grid lies, for each frame: (n, rows, columns, 2), in pixels."""
    at = _sum(values[:, STEADY.tolist()], stack.steady, face)
    if stack.early is not None:
        at = at + _sampled(_sum(values, stack.early, face), at)
    if stack.flesh is None:
        return at * stack.step_px
    return at * stack.step_px + _sampled(_sum(values, stack.flesh, face), at)


def _sum(values: Tensor, fields: Tensor, face: Tensor) -> Tensor:
    import torch

    if len(fields) == 1:
        return torch.einsum("bn,nijc->bijc", values, fields[0])
    return torch.einsum("bn,bnijc->bijc", values, fields[face])


def _sampled(fields: Tensor, at: Tensor) -> Tensor:
    """Fields of (n, rows, columns, 2) at places in cells; beyond the edge the edge goes on."""
    from torch.nn import functional

    rows, columns = fields.shape[1:3]
    grid = at * at.new_tensor([2 / (columns - 1), 2 / (rows - 1)]) - 1
    fields = fields.permute(0, 3, 1, 2)
    return functional.grid_sample(fields, grid, padding_mode="border", align_corners=True).permute(0, 2, 3, 1)


def _inside(area: Box, boxes: Tensor) -> Tensor:
    """1 within each face's box and 0 elsewhere: (n, height, width)."""
    import torch

    x = torch.arange(area.width, device=boxes.device)
    y = torch.arange(area.height, device=boxes.device)
    across = (x >= boxes[:, :1]) & (x < boxes[:, 2:3])
    down = (y >= boxes[:, 1:2]) & (y < boxes[:, 3:])
    return (down[:, :, None] & across[:, None, :]).float()
