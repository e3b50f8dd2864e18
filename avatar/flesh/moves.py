"""How the flesh moves, as fields per control, before it is known which layer they are for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from avatar.controls import Control
from avatar.flesh.shapes import Values

Moves: TypeAlias = dict[Control, Values]
"""Fields of one grid, shape (rows, columns, 2), in pixels of the picture."""


@dataclass(slots=True)
class Parts:
    """What a slit (the mouth, an eye) and the skin around it do. Away from the slit all agree."""

    early: Moves = field(default_factory=dict)
    """Of both sides alike and before the others: what moves the slit's corners."""
    both: Moves = field(default_factory=dict)
    """Of both sides alike."""
    above: Moves = field(default_factory=dict)
    """Of the side above the slit, on top of `both`."""
    below: Moves = field(default_factory=dict)
    seam: Values | None = None
    """From 0 at the slit to 1 where the skin below the slit is in one piece with the face again."""

    def lower_side(self) -> Moves:
        """What the skin below the slit does."""
        return add(self.both, self.below)

    def face(self) -> Moves:
        """What the face does: as above at the slit, as below from the seam on."""
        seam = np.zeros(1, np.float32) if self.seam is None else self.seam[..., None]
        return add(self.both, scaled(self.above, 1 - seam), scaled(self.below, seam))


def add(*moves: Moves) -> Moves:
    """Control by control."""
    total: Moves = {}
    for each in moves:
        for control, values in each.items():
            total[control] = total[control] + values if control in total else values
    return total


def scaled(moves: Moves, share: Values) -> Moves:
    return {control: np.asarray(values * share, np.float32) for control, values in moves.items()}
