"""A face of a few lines: a grey picture that is white where the twin sounds, so that a camera can time it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np

from avatar.picture import Picture
from avatar.timeline import Part, Phone, Said
from channels.clock import Clock
from channels.outlet import Outlet
from channels.view import Film, View

DARK, BRIGHT = 60, 200
"""Luma of a frame in silence, and of one whose sample sounds."""
SIDE_PX = 64


class Lamp:
    """A `Face` that lights up while speech sounds. It keeps what it was told."""

    def __init__(self, width: int = SIDE_PX, height: int = SIDE_PX) -> None:
        self.picture = Picture(width, height)
        self.told: list[tuple[object, ...]] = []
        self.asked: list[tuple[int, int]] = []
        """Position and epoch of every frame."""
        self._sounding: list[tuple[int, int]] = []
        self._stopped = 0

    def expect(
        self,
        utterance: int,
        pcm: bytes,
        phones: Sequence[Phone],
        words: Sequence[Said],
        *,
        exact: bool,
        last: bool,
    ) -> None:
        self.told.append(("expect", utterance, len(pcm) // 2, tuple(phones), tuple(words), exact, last))

    def sounded(self, position: int, parts: Sequence[Part]) -> None:
        self.told.append(("sounded", position, tuple(parts)))
        self._sounding += [(position + part.at, position + part.at + part.samples) for part in parts]

    def stopped(self, position: int) -> None:
        self.told.append(("stopped", position))

    def dropped(self, position: int, epoch: int) -> None:
        self.told.append(("dropped", position, epoch))

    def heard(
        self, position: int, person: str, level_dbfs: float, speech: bool | None, bearing: float = 0.0
    ) -> None:
        self.told.append(("heard", position, person, round(level_dbfs), speech, bearing))

    def frame_at(self, position: int, epoch: int) -> Picture:
        self.asked.append((position, epoch))
        lit = any(begin <= position < end for begin, end in self._sounding)
        self.picture.y.fill(BRIGHT if lit else DARK)
        return self.picture


def luma(i420: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> float:
    """Of the middle of a picture, where no mark is."""
    height = i420.shape[0] * 2 // 3
    width = i420.shape[1]
    return float(i420[height * 2 // 5 : height * 3 // 5, width * 2 // 5 : width * 3 // 5].mean())


def shown(outlet: Outlet, clock: Clock, face: Lamp, pool: Executor, film: Film | None = None) -> View:
    """A view of this face that watches the outlet."""
    view = View(clock, lambda: face, pool, film or Film())
    outlet.watch(view)
    return view
