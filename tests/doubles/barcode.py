"""A face that can be read: every picture carries the frame's number and the epoch it was drawn in.

As black and white squares they survive a codec, so that a viewer can tell what it sees and from when.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.picture import Picture
from channels.cadence import Cadence

SQUARES = 32
"""In a row: 20 of the number, 6 of the epoch, 6 that check both."""
NUMBER_BITS, EPOCH_BITS, CHECK_BITS = 20, 6, 6
BLACK, WHITE = 40, 215
ROW = (0.3, 0.7)
"""Where the row lies, as shares of the height; the AI mark has the corner below."""


def bits(number: int, epoch: int) -> list[bool]:
    """What is drawn, most significant first."""
    number, epoch = number % (1 << NUMBER_BITS), epoch % (1 << EPOCH_BITS)
    word = number << EPOCH_BITS | epoch
    word = word << CHECK_BITS | check(word)
    return [bool(word >> (SQUARES - 1 - at) & 1) for at in range(SQUARES)]


def check(word: int) -> int:
    """Six bits by which a picture that was read wrongly is known."""
    return (word ^ word >> 5 ^ word >> 11 ^ word >> 17 ^ word >> 23 ^ 0b101101) % (1 << CHECK_BITS)


def read(luma: NDArray[np.uint8]) -> tuple[int, int] | None:
    """The number and the epoch of a picture; None where there is no such code."""
    height, width = luma.shape
    row = luma[int(height * 0.45) : int(height * 0.55)].astype(np.float64).mean(axis=0)
    centres = [(2 * at + 1) * width // (2 * SQUARES) for at in range(SQUARES)]
    word = 0
    for centre in centres:
        word = word << 1 | int(row[max(0, centre - 2) : centre + 3].mean() > (BLACK + WHITE) / 2)
    content, found = word >> CHECK_BITS, word % (1 << CHECK_BITS)
    return (content >> EPOCH_BITS, content % (1 << EPOCH_BITS)) if check(content) == found else None


class BarcodeFace:
    """A `channels.view.Face`. It is told nothing it needs."""

    def __init__(self, cadence: Cadence, *, width: int = 512, height: int = 512) -> None:
        self._cadence = cadence
        self._picture = Picture(width, height)
        self.drawn: list[tuple[int, int]] = []
        """The number and the epoch of every picture, in order of drawing."""

    def expect(
        self, utterance: int, pcm: bytes, phones: Sequence[Any], words: Sequence[Any], *, exact: bool, last: bool
    ) -> None: ...

    def sounded(self, position: int, parts: Sequence[Any]) -> None: ...

    def stopped(self, position: int) -> None: ...

    def dropped(self, position: int, epoch: int) -> None: ...

    def heard(
        self, position: int, person: str, level_dbfs: float, speech: bool | None, bearing: float = 0.0
    ) -> None: ...

    def frame_at(self, position: int, epoch: int) -> Picture:
        """The picture of this very moment."""
        number = position * self._cadence.fps // self._cadence.rate_hz
        picture = self._picture
        picture.y.fill(BLACK)
        top, bottom = int(picture.height * ROW[0]), int(picture.height * ROW[1])
        for at, white in enumerate(bits(number, epoch)):
            left, right = at * picture.width // SQUARES, (at + 1) * picture.width // SQUARES
            picture.y[top:bottom, left:right] = WHITE if white else BLACK
        self.drawn.append((number, epoch))
        return picture
