"""A wire that a test turns by hand: it plays when it is told to, and remembers what the person's ear got."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from channels.clock import Clock
from channels.heard import HeardWord
from channels.outlet import Mark, Outlet, Stage
from channels.spoken import Spoken
from tests.doubles.mark import NoMark


class EarWire:
    """Keeps up to `lead_chunks` chunks back before the ear gets them, as a network or a jitter buffer does."""

    def __init__(self, rate_hz: int, *, lead_chunks: int = 0) -> None:
        self.rate_hz = rate_hz
        self.lead_chunks = lead_chunks
        self.bytes_sent = 0
        self.ear = bytearray()
        self.chunks: list[bytes] = []
        """Everything that was sent, thrown away or not."""
        self.played = 0
        """The clock's position after the last sample that the ear got."""
        self.cleared = 0
        self.closed_because: str | None = None
        self._waiting: deque[tuple[int, bytes]] = deque()

    def send(self, pcm: bytes) -> None:
        self.bytes_sent += len(pcm)
        self.chunks.append(pcm)
        self._waiting.append((self.bytes_sent // 2, pcm))
        self.play(len(self._waiting) - self.lead_chunks)

    def play(self, chunks: int) -> None:
        """The ear gets so many chunks more."""
        for _ in range(min(chunks, len(self._waiting))):
            self.played, pcm = self._waiting.popleft()
            self.ear += pcm

    def clear(self) -> int:
        self._waiting.clear()
        self.cleared += 1
        return self.played

    async def close(self, reason: str) -> None:
        self.closed_because = self.closed_because or reason

    @property
    def samples(self) -> NDArray[np.int16]:
        """What the ear got."""
        return np.frombuffer(bytes(self.ear), dtype=np.int16)

    @property
    def sent(self) -> NDArray[np.int16]:
        return np.frombuffer(b"".join(self.chunks), dtype=np.int16)


class Door:
    """An outlet on an `EarWire`, with everything it reports written down."""

    def __init__(
        self,
        rate_hz: int = 16_000,
        *,
        lead_chunks: int = 0,
        stages: tuple[Stage, ...] = (),
        mark: Mark | None = None,
        tap: Stage | None = None,
    ) -> None:
        self.wire = EarWire(rate_hz, lead_chunks=lead_chunks)
        self.clock = Clock(rate_hz)
        self.outlet = Outlet(self.clock, self.wire, self, stages, mark=mark or NoMark(), tap=tap)
        self.words: list[HeardWord] = []
        self.speaking_events: list[tuple[bool, int]] = []
        self.disclosed_at: list[int] = []
        self.failures: list[str] = []
        self.rooms = 0

    def tick(self, times: int = 1) -> None:
        """20 ms pass, so many times."""
        for _ in range(times):
            self.outlet.tick()
            self.outlet.played(self.wire.played)

    def quiet(self) -> None:
        """Everything that was sent reaches the ear."""
        self.wire.play(self.wire.lead_chunks)
        self.outlet.played(self.wire.played)

    def open(self, disclosure: Spoken) -> Door:
        """The disclosure plays out, and the wire is empty again."""
        self.outlet.disclose(disclosure)
        self.tick(len(disclosure.pcm) // 2 // self.clock.samples(20) + 2)
        self.tick(self.wire.lead_chunks)
        self.quiet()
        assert self.disclosed_at, "the disclosure was not heard"
        self.wire.ear.clear()
        self.words.clear()
        self.speaking_events.clear()
        return self

    def disclosed(self, position: int) -> None:
        self.disclosed_at.append(position)

    def heard(self, words: list[HeardWord]) -> None:
        self.words += words

    def speaking(self, speaking: bool, position: int) -> None:
        self.speaking_events.append((speaking, position))

    def failed(self, reason: str) -> None:
        self.failures.append(reason)

    def room(self) -> None:
        self.rooms += 1


def counting(samples: int, *, start: int = 1) -> bytes:
    """A signal in which every sample is another number, so that a lost or doubled one shows."""
    return (np.arange(start, start + samples) % 32_000 + 1).astype(np.int16).tobytes()
