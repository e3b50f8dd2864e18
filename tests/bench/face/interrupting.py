"""Interruptions by the thousand through the real outlet: is the mouth shut, and is it in time again?"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from avatar.puppet import Rgb
from avatar.rig import Rig
from avatar.sheet import rgb
from avatar.stage import Stage
from channels.clock import Clock
from channels.heard import HeardWord
from channels.outlet import Outlet
from channels.spoken import Spoken
from channels.view import Film, View
from tests.behaviour.sound import place
from tests.bench.face.direct import lag_in
from tests.bench.face.mouths import CLOSED, Mouths, Trace
from tests.bench.face.talk import renumbered
from tests.doubles.mark import NoMark

RATE_HZ = 24_000
LIMIT_MS = 80.0
WINDOW_MS = 1_000.0
KEPT_BYTES = 10 * RATE_HZ * 2
FOUND_BY_BYTES = RATE_HZ // 2 * 2
"""What a sentence is recognised by: its first half second."""


@dataclass(slots=True)
class Found:
    """What was seen."""

    interruptions: int = 0
    late_open: int = 0
    """Pictures with an open mouth later than 80 ms after an interruption and before new sound."""
    late: int = 0
    """Pictures that were looked at for that."""
    stale: int = 0
    """Pictures handed out under an epoch that was over."""
    shut_ms: list[float] = field(default_factory=list)
    """From each interruption of an open mouth to the first picture with a closed one."""
    lags_ms: list[float] = field(default_factory=list)
    """Of the speech in the first second after each."""


class NoWire:
    """Takes everything and remembers what left last."""

    rate_hz = RATE_HZ

    def __init__(self) -> None:
        self.bytes_sent = 0
        self._kept = bytearray()

    def send(self, pcm: bytes) -> None:
        self.bytes_sent += len(pcm)
        self._kept += pcm
        if len(self._kept) > 2 * KEPT_BYTES:
            del self._kept[:-KEPT_BYTES]

    def clear(self) -> int:
        return self.bytes_sent // 2

    async def close(self, reason: str) -> None:
        """Nothing to close."""

    def position_of(self, pcm: bytes, since: int) -> int:
        """The position at which this began to leave, not before `since`; found in what left."""
        behind = self.bytes_sent - 2 * since
        return since + place(bytes(self._kept[-behind:]), pcm[:FOUND_BY_BYTES])


class Nobody:
    """Who listens to an outlet and does nothing about it."""

    def disclosed(self, position: int) -> None: ...

    def heard(self, words: list[HeardWord]) -> None: ...

    def speaking(self, speaking: bool, position: int) -> None: ...

    def failed(self, reason: str) -> None:
        raise AssertionError(reason)

    def room(self) -> None: ...


class Conversation:
    """A twin that is cut off again and again."""

    def __init__(
        self, rig: Rig, said: Sequence[Spoken], references: Mapping[bytes, Trace], mouths: Mouths, *, seed: int
    ) -> None:
        """`references` is what each sentence's mouth does by itself, by its sound."""
        self._clock = Clock(RATE_HZ)
        self._wire = NoWire()
        self._outlet = Outlet(self._clock, self._wire, Nobody(), mark=NoMark())
        self._pool = ThreadPoolExecutor(1)
        stage = Stage(rig, rate_hz=RATE_HZ, seed=seed)
        self._view = View(self._clock, lambda: stage, self._pool, Film(25))
        self._outlet.watch(self._view)
        self._said = said
        self._references = references
        self._mouths = mouths
        self._chance = random.Random(seed)
        self._utterance = 0
        self.found = Found()

    def close(self) -> None:
        self._pool.shutdown()

    def run(self, times: int, *, in_time: int = 0) -> Found:
        """Interrupt so often; of the first `in_time`, the second of speech that follows is measured as well."""
        # One that begins with sound, as a disclosure has to.
        self._outlet.disclose(renumbered(self._said[0], 0, self._clock.epoch))
        while self._outlet.speaking:
            self._pass(1)
        for number in range(times):
            if not self._outlet.speaking:
                self._say()
                self._pass(self._chance.randint(15, 60))
            self._interrupt()
            if number < in_time:
                self._measure_lag()
        return self.found

    def _next(self) -> Spoken:
        self._utterance += 1
        return renumbered(self._chance.choice(self._said), self._utterance, self._clock.epoch)

    def _say(self) -> Spoken:
        one = self._next()
        self._outlet.say(one)
        return one

    def _pass(self, chunks: int) -> None:
        for _ in self._frames(chunks, draw=False):
            pass

    def _frames(self, chunks: int, *, draw: bool = True) -> Iterator[tuple[int, Rgb]]:
        """The pictures that leave with the next chunks, with their positions."""
        for _ in range(chunks):
            begin = self._clock.position
            self._outlet.tick()
            for number in self._view.due(begin, self._clock.position):
                if not draw:
                    continue
                frame = self._view.draw(number)
                assert frame is not None
                self.found.stale += frame.epoch != self._clock.epoch
                yield frame.position, rgb(frame.picture)
            self._outlet.played(self._clock.position)

    def _interrupt(self) -> None:
        before = [self._mouths.gap(picture) for _, picture in self._frames(2)]
        at = self._clock.position
        self.found.interruptions += 1
        shut: float | None = None
        for position, picture in self._silenced():
            after_ms = (position - at) * 1000 / RATE_HZ
            open_ = self._mouths.gap(picture) > CLOSED
            if not open_ and shut is None:
                shut = after_ms
            if after_ms > LIMIT_MS:
                self.found.late += 1
                self.found.late_open += open_
        if before[-1] > CLOSED:
            self.found.shut_ms.append(WINDOW_MS if shut is None else shut)

    def _silenced(self) -> Iterator[tuple[int, Rgb]]:
        """The pictures from the first moment: half the time the twin is held first and decides a little later."""
        if self._chance.random() < 0.5:
            self._outlet.hold()
            yield from self._frames(self._chance.randint(1, 6))
        self._outlet.drop()
        yield from self._frames(8)

    def _measure_lag(self) -> None:
        one = self._say()
        said_at = self._clock.position
        frames = list(self._frames(int(WINDOW_MS / 20) + 4))
        begin = self._wire.position_of(one.pcm, said_at)
        times = np.array([(position - begin) * 1000 / RATE_HZ for position, _ in frames])
        gaps = self._mouths.gaps([picture for _, picture in frames])
        lag = lag_in(times, gaps, self._references[one.pcm], 0.0, WINDOW_MS)
        if lag is not None:
            self.found.lags_ms.append(lag)
