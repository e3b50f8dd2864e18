"""A face that is drawn elsewhere, for tests: pictures that can be told apart, and a call they are shown in."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from avatar.ahead import Ahead, Drawn, Label, Lead
from avatar.controls import Controls
from avatar.picture import Picture
from avatar.stage import Stage
from avatar.timeline import Part

RATE = 16_000
CHUNK = RATE // 50
FRAME = RATE // 25
COVER, IDLE = 40, 90
"""Luma of the stage's pictures, and of the renderer's in silence."""


class Grey:
    """A rig whose pictures are all the same."""

    name = "grey"
    width = height = 32

    def blank(self) -> Picture:
        return Picture(self.width, self.height)

    def draw(self, controls: Controls, picture: Picture) -> None:
        picture.y.fill(COVER)


def drawn(utterance: int | None, offset: int = 0, *, epoch: int = 0, luma: int = 200, side: int = 32) -> Drawn:
    """A renderer's picture."""
    picture = Picture(side, side)
    picture.y.fill(luma)
    return Drawn(Label(epoch, utterance, offset), picture)


@dataclass
class Kept:
    """A renderer that keeps what it was told, and draws when it is asked to."""

    spoken: list[tuple[int, int, int, int, bool]] = field(default_factory=list)
    """Utterance, offset, samples, epoch, last."""
    cleared: list[int] = field(default_factory=list)

    def speak(self, utterance: int, offset: int, pcm: bytes, epoch: int, *, last: bool) -> None:
        self.spoken.append((utterance, offset, len(pcm) // 2, epoch, last))

    def clear(self, epoch: int) -> None:
        self.cleared.append(epoch)
        self.spoken.clear()


class Shown:
    """A call with a face that is drawn elsewhere: speech leaves 20 ms by 20 ms and frames leave with it."""

    def __init__(self, lead: Lead | None = None) -> None:
        self.renderer = Kept()
        self.face = Ahead(Stage(Grey(), rate_hz=RATE, seed=1), self.renderer, rate_hz=RATE, lead=lead)
        self.position = 0
        self.epoch = 0
        self.held = False
        self.waiting: list[list[int]] = []
        """Utterance, next sample, samples."""

    def say(self, utterance: int, samples: int, *, last: bool = True) -> None:
        pcm = np.full(samples, 5_000, np.int16).tobytes()
        self.face.expect(utterance, pcm, (), (), exact=False, last=last)
        if samples:
            self.waiting.append([utterance, 0, samples])

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            parts: list[Part] = []
            room = 0 if self.held else CHUNK
            while room and self.waiting:
                utterance, offset, samples = self.waiting[0]
                step = min(room, samples - offset)
                parts.append(Part(CHUNK - room, step, utterance, offset))
                room -= step
                self.waiting[0][1] += step
                if self.waiting[0][1] == samples:
                    self.waiting.pop(0)
            self.face.sounded(self.position, parts)
            self.position += CHUNK

    def drop(self) -> None:
        self.epoch += 1
        self.waiting.clear()
        self.held = False
        self.face.stopped(self.position)
        self.face.dropped(self.position, self.epoch)

    def deliver(self, utterance: int, begin: int, end: int, *, luma: int = 200, epoch: int | None = None) -> None:
        """The renderer's pictures for these samples, one every 40 ms."""
        for offset in range(begin, end, FRAME):
            self.face.take(drawn(utterance, offset, epoch=self.epoch if epoch is None else epoch, luma=luma))

    def look(self, behind: int = CHUNK) -> int:
        """The luma of the frame for the newest chunk."""
        picture = self.face.frame_at(self.position - behind, self.epoch)
        return int(picture.y[0, 0])
