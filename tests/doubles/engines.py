"""Engines that do what a test says: they stand for a paid cloud and keep its contract, `agent/engines/base`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np

from agent.engines.base import Hypothesis, Piece, VoiceChunk
from channels.spoken import Word
from compliance.errors import EngineFailed
from persona.prompt import Prompt


class ScriptedEngine:
    """What all of them share."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def start(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """There is nothing to free."""


class ScriptedHearing:
    """One caller being recognised: the test says what."""

    def __init__(self) -> None:
        self.pcm = bytearray()
        self.hints: list[str] = []
        self.final = ""
        self.finishes = 0
        self.closed = False
        self.dead: Exception | None = None
        self.may_finish = asyncio.Event()
        self.may_finish.set()
        self._hypotheses: asyncio.Queue[Hypothesis | Exception | None] = asyncio.Queue(100)

    def recognises(self, text: str) -> None:
        """It has understood so much of the turn."""
        self.final = text
        self._hypotheses.put_nowait(Hypothesis(text))

    def dies(self, error: Exception | None = None) -> None:
        """Its server is gone."""
        self.dead = error or EngineFailed("the recogniser's server is gone")
        self._hypotheses.put_nowait(self.dead)

    def stops(self) -> None:
        """It ends without a word, as a server does that closes the connection in order."""
        self._hypotheses.put_nowait(None)

    def feed(self, pcm: bytes) -> None:
        self.pcm += pcm

    def onset(self) -> None:
        self.hints.append("onset")

    def offset(self) -> None:
        self.hints.append("offset")

    async def finish(self) -> str:
        self.finishes += 1
        await self.may_finish.wait()
        if self.dead is not None:
            raise self.dead
        text, self.final = self.final, ""
        return text

    async def hypotheses(self) -> AsyncIterator[Hypothesis]:
        while True:
            item = await self._hypotheses.get()
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item

    async def close(self) -> None:
        self.closed = True


class ScriptedSpeech(ScriptedEngine):
    """A recogniser. `refuses` so many times to open."""

    def __init__(self, name: str = "scripted", *, refuses: int = 0, understands: str = "") -> None:
        super().__init__(name)
        self.hearings: list[ScriptedHearing] = []
        self.refuses = refuses
        self.understands = understands
        """What every new hearing makes of whatever it is fed."""

    @property
    def hearing(self) -> ScriptedHearing:
        """The one that is open."""
        return self.hearings[-1]

    async def open(self, *, rate_hz: int, language: str) -> ScriptedHearing:
        if self.refuses:
            self.refuses -= 1
            raise EngineFailed("the recogniser is at its capacity")
        self.hearings.append(ScriptedHearing())
        self.hearing.final = self.understands
        return self.hearing


Step = str | Piece | float | Exception | asyncio.Event


class ScriptedBrain(ScriptedEngine):
    """Answers in order; a step of an answer is words, a pause in seconds, an event to wait for, or an error."""

    def __init__(self, *answers: Sequence[Step], name: str = "scripted") -> None:
        super().__init__(name)
        self.answers = list(answers)
        self.prompts: list[Prompt] = []
        self.given = 0
        """Pieces that somebody took."""
        self.closed = 0
        """Answers that came to their end or were stopped at the source."""

    async def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        self.prompts.append(prompt)
        try:
            for step in self.answers.pop(0):
                match step:
                    case Exception():
                        raise step
                    case asyncio.Event():
                        await step.wait()
                    case float():
                        await asyncio.sleep(step)
                    case Piece():
                        yield step
                        self.given += 1
                    case str():
                        yield Piece(step, "fact")
                        self.given += 1
        finally:
            self.closed += 1


class ScriptedVoice(ScriptedEngine):
    """Every word is a tone of `word_ms`, with exact times; a word in `fails` breaks it."""

    def __init__(self, *, rate_hz: int = 16_000, word_ms: int = 100, name: str = "scripted") -> None:
        super().__init__(name)
        self.rate_hz = rate_hz
        self.word_ms = word_ms
        self.fails: dict[str, Exception] = {}
        self.waits: dict[str, asyncio.Event] = {}
        self.sentences: list[str] = []
        self.made_ms = 0
        self.closed = 0

    async def speak(self, text: str, *, language: str) -> AsyncIterator[VoiceChunk]:
        self.sentences.append(text)
        samples = self.rate_hz * self.word_ms // 1000
        tone = (8_000 * np.sin(2 * np.pi * 440 * (np.arange(samples) + 1) / self.rate_hz)).astype(np.int16)
        try:
            for i, word in enumerate(text.split()):
                if word in self.waits:
                    await self.waits[word].wait()
                if word in self.fails:
                    raise self.fails[word]
                self.made_ms += self.word_ms
                times = (Word(word, i * self.word_ms, (i + 1) * self.word_ms),)
                yield VoiceChunk(tone.tobytes(), self.rate_hz, times, exact=True)
        finally:
            self.closed += 1
