"""Several people in one hall, with a clock that is turned by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import numpy as np

from agent.engines.base import Speech
from agent.meeting.events import Guessed, HallEvent, Unheard, Uttered
from agent.meeting.hearing.hall import Hall
from agent.meeting.hearing.settings import HearingSettings
from agent.turns.settings import TurnSettings
from channels.clock import Clock
from channels.inlet import InletListener
from channels.pending import Span
from tests.doubles.knowing_speech import KnowingSpeech, by_piece
from tests.speech.make import TABLE, load

RATE_HZ = 16_000
CLOCK_HZ = 48_000
STEP_MS = 100
NAMES = tuple(name for name in TABLE if name != "mhm")


def voice(name: str, gain: float = 1.0) -> bytes:
    """What somebody says."""
    return (np.frombuffer(load(name), np.int16) * gain).astype(np.int16).tobytes()


def piece(pcm: bytes) -> bytes:
    """Some of its middle, by which it is known."""
    return pcm[len(pcm) // 4 * 2 :][:800]


def knowing(*gains: float, **options: int) -> KnowingSpeech:
    texts = {piece(voice(name, gain)): TABLE[name].text for name in NAMES for gain in gains or (1.0,)}
    return KnowingSpeech(by_piece(texts), capacity=options.get("capacity", 100))


class People:
    """Who is there, what they say and what comes of it."""

    def __init__(self, *engines: Speech, **settings: float) -> None:
        self.clock = Clock(CLOCK_HZ)
        self.events: list[HallEvent] = []
        self.deaf = 0
        self.fallbacks: list[tuple[str, str]] = []
        self.hall = Hall(
            engines,
            clock=self.clock,
            language="en",
            turns=TurnSettings(),
            settings=HearingSettings.model_validate(settings),
            on=self.events.append,
            on_deaf=self._deaf,
            on_fallback=lambda dead, now: self.fallbacks.append((dead, now)),
        )
        self.doors: dict[str, InletListener] = {}

    def enter(self, *people: str) -> None:
        for who in people:
            self.doors[who] = self.hall.enter(who)

    async def hear(self, ms: int = 0, **said: bytes | tuple[int, bytes]) -> None:
        """Everybody's microphones until all that is said, each from its millisecond on, is over, and `ms` more."""
        tracks = {who: what if isinstance(what, tuple) else (0, what) for who, what in said.items()}
        longest = max((at + len(pcm) // (RATE_HZ // 500) for at, pcm in tracks.values()), default=0)
        for begin in range(0, longest + ms, STEP_MS):
            await self.step({who: part(begin, *track) for who, track in tracks.items()})

    def sounds(self, begin: int, samples: int, utterance: int) -> None:
        """The twin speaks: all of an utterance that its outlet was given, from a position on."""
        chunk = CLOCK_HZ // 50
        for offset in range(0, samples, chunk):
            size = min(chunk, samples - offset)
            self.hall.own.sounded(begin + offset, [Span(0, size, utterance, offset)])

    async def step(self, sounds: dict[str, bytes], *, others: bool = True) -> None:
        """A tenth of a second; who says nothing sends silence, or with `others` False nothing."""
        self.clock.left(CLOCK_HZ * STEP_MS // 1000)
        for who, door in self.doors.items():
            pcm = sounds.get(who) or (bytes(RATE_HZ * STEP_MS // 500) if others else b"")
            if pcm:
                door.audio(pcm)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(12):
            await asyncio.sleep(0)
        self.hall.beat()
        for _ in range(6):
            await asyncio.sleep(0)

    async def until(self, what: Callable[[], object]) -> None:
        """As long as it takes, with nobody speaking."""
        async with asyncio.timeout(10):
            while not what():
                await self.settle()
                await asyncio.sleep(0.005)

    def of(self, who: str) -> list[HallEvent]:
        return [event for event in self.events if event.who == who]

    def course(self, who: str) -> list[str]:
        """What happened to somebody, guesses aside."""
        return [type(event).__name__ for event in self.of(who) if not isinstance(event, Guessed)]

    @property
    def uttered(self) -> list[tuple[str, str]]:
        return [(event.who, event.text) for event in self.events if isinstance(event, Uttered)]

    @property
    def unheard(self) -> list[tuple[str, bool]]:
        return [(event.who, event.crowded) for event in self.events if isinstance(event, Unheard)]

    def _deaf(self) -> None:
        self.deaf += 1


def part(begin_ms: int, at_ms: int, pcm: bytes) -> bytes:
    """What sounds in the step that begins at `begin_ms` of something said from `at_ms` on."""
    per_ms = RATE_HZ // 500
    start = (begin_ms - at_ms) * per_ms
    if start <= -STEP_MS * per_ms or start >= len(pcm):
        return b""
    sound = bytes(max(0, -start)) + pcm[max(0, start) : max(0, start + STEP_MS * per_ms)]
    return sound.ljust(STEP_MS * per_ms, b"\0")


@asynccontextmanager
async def people(*engines: Speech, here: Sequence[str] = ("anna",), **settings: float) -> AsyncIterator[People]:
    meeting = People(*engines, **settings)
    await meeting.hall.start()
    try:
        meeting.enter(*here)
        yield meeting
    finally:
        await meeting.hall.close()
