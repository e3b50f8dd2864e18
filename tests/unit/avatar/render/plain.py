"""A puppet drawn straight from what `avatar/puppet.py` says about it, slowly and on whole layers."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from avatar.controls import RIGID, Controls
from avatar.picture import Box, Picture
from avatar.puppet import Layer, Puppet
from avatar.render.mover import NO_MAP
from avatar.render.prepare import plate, premultiplied

Floats = npt.NDArray[np.float32]


def plainly_drawn(puppet: Puppet, controls: Controls) -> Picture:
    picture = plate(puppet.plate)
    planes = [plane.astype(np.float32) for plane in (picture.y, picture.u, picture.v)]
    for layer in puppet.layers:
        opacity = 1.0 if layer.opacity is None else float(controls[layer.opacity])
        box = layer.box
        seen = _sampled(layer, controls) * opacity
        half = seen.reshape(box.height // 2, 2, box.width // 2, 2, 4).mean(axis=(1, 3))
        for channel, plane in enumerate(planes):
            part, side = (seen, 1) if channel == 0 else (half, 2)
            below = plane[box.y // side : box.bottom // side, box.x // side : box.right // side]
            below[...] = below * (1 - part[..., 3] / 255) + part[..., channel]
    for whole, done in zip((picture.y, picture.u, picture.v), planes, strict=True):
        whole[...] = np.rint(done).astype(np.uint8)
    return picture


def _sampled(layer: Layer, controls: Controls) -> Floats:
    box, n = layer.box, layer.early
    x, y = np.arange(box.x, box.right), np.arange(box.y, box.bottom)
    at = np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)
    at = at - _at(np.einsum("n,nijc->ijc", controls[list(RIGID)], layer.rigid), layer.grid_px, at, box)
    told = controls[list(layer.controls)]
    for part in (slice(0, n), slice(n, None)):
        if len(told[part]):
            at = at - _at(np.einsum("n,nijc->ijc", told[part], layer.fields[part]), layer.grid_px, at, box)
    image = premultiplied(layer.image).astype(np.float32)
    there = (at - np.array(layer.origin)).astype(np.float32)
    return np.asarray(cv2.remap(image, there, NO_MAP, cv2.INTER_LINEAR), np.float32)


def _at(field: Floats, grid_px: int, places: Floats, box: Box) -> Floats:
    cells = ((places - (box.x, box.y)) / grid_px).astype(np.float32)
    moved = cv2.remap(field.astype(np.float32), cells, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)
