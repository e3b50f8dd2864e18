"""A recogniser that knows recordings by a piece of their sound, for any number of people at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from agent.engines.base import Hypothesis
from compliance.errors import EngineFailed
from tests.doubles.engines import ScriptedEngine


class KnowingHearing:
    """One person being recognised: `knows` says what is in the sound since the last final words."""

    def __init__(self, engine: KnowingSpeech) -> None:
        self.pcm = bytearray()
        self.hints: list[str] = []
        self._engine = engine
        self._new = asyncio.Event()

    def feed(self, pcm: bytes) -> None:
        self.pcm += pcm
        self._new.set()

    def onset(self) -> None:
        self.hints.append("onset")

    def offset(self) -> None:
        self.hints.append("offset")

    async def finish(self) -> str:
        await self._engine.may_finish.wait()
        if self._engine.dead:
            raise EngineFailed("the recogniser's server is gone")
        text = self._engine.knows(bytes(self.pcm))
        self.pcm.clear()
        return text

    async def hypotheses(self) -> AsyncIterator[Hypothesis]:
        told = ""
        while True:
            await self._new.wait()
            self._new.clear()
            if self._engine.dead:
                raise EngineFailed("the recogniser's server is gone")
            text = self._engine.knows(bytes(self.pcm)) if self._engine.guesses else ""
            if text and text != told:
                told = text
                yield Hypothesis(text)

    async def close(self) -> None:
        self._engine.open_now -= 1


class KnowingSpeech(ScriptedEngine):
    """`capacity`: of how many people at once. While `may_finish` is cleared nobody gets final words."""

    def __init__(
        self, knows: Callable[[bytes], str], *, capacity: int = 100, name: str = "knowing", guesses: bool = True
    ) -> None:
        super().__init__(name)
        self.knows = knows
        self.capacity = capacity
        self.guesses = guesses
        self.dead = False
        self.open_now = 0
        self.most_open = 0
        self.hearings: list[KnowingHearing] = []
        self.may_finish = asyncio.Event()
        self.may_finish.set()

    async def open(self, *, rate_hz: int, language: str) -> KnowingHearing:
        if self.dead or self.open_now >= self.capacity:
            raise EngineFailed("the recogniser is at its capacity")
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        self.hearings.append(KnowingHearing(self))
        return self.hearings[-1]


def by_piece(texts: dict[bytes, str]) -> Callable[[bytes], str]:
    """What is in some sound, by a piece of each recording, joined in the order of the table."""

    def knows(pcm: bytes) -> str:
        return " ".join(text for piece, text in texts.items() if piece in pcm)

    return knows
