"""A voice that does what a test says: the whole contract, no sound of the world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from agent.engines.base import VoiceChunk
from agent.engines.voice.written import written_words
from channels.spoken import Phoneme, Word
from compliance.errors import EngineError


@dataclass
class Scripted:
    """Each word is `word_ms` of one value, in a chunk of its own, with its exact time."""

    name: str = "scripted"
    rate_hz: int = 16000
    word_ms: int = 200
    value: bytes = b"\x01\x00"
    fails_after: int | None = None
    """Words, then `error`."""
    error: Exception | None = None
    hangs_after: int | None = None
    start_error: EngineError | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    open: int = 0
    running: int = 0

    async def start(self) -> None:
        if self.start_error is not None:
            raise self.start_error
        self.running += 1

    async def close(self) -> None:
        self.running = 0

    async def speak(self, text: str, *, language: str) -> AsyncGenerator[VoiceChunk, None]:
        self.asked.append((text, language))
        self.open += 1
        try:
            for index, word in enumerate(written_words(text)):
                if self.fails_after == index and self.error is not None:
                    raise self.error
                if self.hangs_after == index:
                    await asyncio.sleep(3600)
                a, b = index * self.word_ms, (index + 1) * self.word_ms
                pcm = self.value * (self.rate_hz * self.word_ms // 1000)
                yield VoiceChunk(pcm, self.rate_hz, (Word(word.text, a, b),), (Phoneme("a", a, b),), exact=True)
        finally:
            self.open -= 1
