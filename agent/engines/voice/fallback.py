"""Two voices as one: when the first dies, the second says what is left to say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import cast

from agent.engines.base import Voice, VoiceChunk
from agent.engines.voice.resample import Resampler
from agent.engines.voice.written import written_words
from channels.spoken import Phoneme, Word
from compliance.errors import EngineError, EngineMissing, EngineTimeout

logger = logging.getLogger(__name__)

TOLD: ContextVar[Callable[[str, str], None] | None] = ContextVar("told of a fallen voice", default=None)
"""Whom the task that speaks wants told of a sentence that the second voice says: the names of both. A voice is
shared by all calls; this is how one of them learns of its own."""
PATIENCE_S = 1.5
"""For the first sound, and for more of it once what there is would have played out. The second voice needs
the rest of the 2 s after which a caller must hear something sensible."""
_SECOND_S = 5.0
"""For the second voice's first sound; a call has no third one."""


@dataclass(slots=True)
class Breaker:
    """Whether to try something that may be broken. Pure: time is passed in."""

    failures_to_open: int = 2
    rest_s: float = 15.0
    """After it opened; doubled each time the trial after the rest fails, up to `longest_rest_s`."""
    longest_rest_s: float = 300.0
    _failures: int = 0
    _rests: int = 0
    _trial_at_s: float | None = None
    """When the next trial is due; None while it is closed and all may pass."""

    def allows(self, now_s: float) -> bool:
        """True when it may be tried. While open, one trial per rest passes."""
        if self._trial_at_s is None:
            return True
        if now_s < self._trial_at_s:
            return False
        self._trial_at_s = now_s + self.rest_s  # others wait for what this trial shows
        return True

    def succeeded(self) -> None:
        """It worked."""
        self._failures = self._rests = 0
        self._trial_at_s = None

    def failed(self, now_s: float) -> None:
        """It broke."""
        self._failures += 1
        if self._failures >= self.failures_to_open:
            self._trial_at_s = now_s + min(self.rest_s * 2**self._rests, self.longest_rest_s)
            self._rests = min(self._rests + 1, 16)


class Fallback:
    """A `Voice` of two."""

    def __init__(self, first: Voice, second: Voice, *, breaker: Breaker | None = None) -> None:
        self.first = first
        self.second = second
        self._breaker = breaker or Breaker()

    @property
    def name(self) -> str:
        """The first voice's."""
        return self.first.name

    async def start(self) -> None:
        """Start both. A first voice that is set up but does not work now is left for later; one that is not
        set up raises `EngineMissing`, and so does whatever the second raises."""
        await self.second.start()
        try:
            await self.first.start()
        except EngineMissing:
            raise
        except EngineError as error:
            logger.warning("the voice does not start", extra={"voice": self.first.name, "code": error.code})

    async def close(self) -> None:
        """Close both."""
        await asyncio.gather(self.first.close(), self.second.close())

    async def speak(self, text: str, *, language: str) -> AsyncGenerator[VoiceChunk, None]:
        """Stream one sentence; see `Voice.speak`. Where the first voice broke off, the second goes on with
        the first word that was not given yet, at the same rate; a word may be begun twice, none is lost."""
        said = _Said(text)
        if self._breaker.allows(_now_s()):
            try:
                async with aclosing(_spoken(self.first, text, language)) as chunks:
                    while (chunk := await self._next(chunks, said)) is not None:
                        said.add(chunk)
                        yield chunk
            except Exception as error:  # noqa: BLE001 - whatever broke, the caller must hear the rest
                self._note(error)
            else:
                self._breaker.succeeded()
                return
        if (told := TOLD.get()) is not None and self.first is not self.second:
            told(self.first.name, self.second.name)
        async with aclosing(_spoken(self.second, said.rest, language)) as chunks:
            async for chunk in said.continued(chunks):
                yield chunk

    async def _next(self, chunks: AsyncGenerator[VoiceChunk, None], said: _Said) -> VoiceChunk | None:
        async with asyncio.timeout(PATIENCE_S + said.ahead_s(_now_s())):
            return await anext(chunks, None)

    def _note(self, error: Exception) -> None:
        logger.warning("the second voice goes on", extra={"voice": self.first.name, "error": type(error).__name__})
        # A missing language or voice is no sign of a broken service.
        if not isinstance(error, EngineMissing):
            self._breaker.failed(_now_s())


class _Said:
    """How far a sentence has come."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = 0
        self._samples = 0
        self._rate_hz = 0
        self._begun_s = 0.0

    def add(self, chunk: VoiceChunk) -> None:
        if not self._samples:
            self._begun_s = _now_s()
            self._rate_hz = chunk.rate_hz
        self._words += len(chunk.words)
        self._samples += len(chunk.pcm) // 2

    def ahead_s(self, now_s: float) -> float:
        """How much of the audio given so far can still be playing."""
        if not self._samples:
            return 0.0
        return max(0.0, self._samples / self._rate_hz - (now_s - self._begun_s))

    @property
    def rest(self) -> str:
        """The text from the first word that was not given."""
        words = written_words(self._text)[self._words :]
        return self._text[words[0].start :] if words else ""

    async def continued(self, chunks: AsyncGenerator[VoiceChunk, None]) -> AsyncGenerator[VoiceChunk, None]:
        """The second voice's chunks as part of this sentence: its rate, its count of time."""
        if not self._samples:
            async for chunk in _in_time(chunks):
                yield chunk
            return
        offset_ms = 1000 * self._samples / self._rate_hz
        resampler: Resampler | None = None
        async for chunk in _in_time(chunks):
            resampler = resampler or Resampler(chunk.rate_hz, self._rate_hz)
            yield replace(
                chunk,
                pcm=resampler.feed(chunk.pcm),
                rate_hz=self._rate_hz,
                words=tuple(Word(w.text, w.start_ms + offset_ms, w.end_ms + offset_ms) for w in chunk.words),
                phonemes=tuple(
                    Phoneme(p.ipa, p.start_ms + offset_ms, p.end_ms + offset_ms) for p in chunk.phonemes
                ),
            )
        if resampler is not None and (held := resampler.finish()):
            yield VoiceChunk(held, self._rate_hz)


async def _in_time(chunks: AsyncGenerator[VoiceChunk, None]) -> AsyncGenerator[VoiceChunk, None]:
    while True:
        try:
            async with asyncio.timeout(_SECOND_S):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise EngineTimeout("the second voice took too long too") from None
        if chunk is None:
            return
        yield chunk


def _spoken(voice: Voice, text: str, language: str) -> AsyncGenerator[VoiceChunk, None]:
    """All our voices are generators; the contract promises only an iterator."""
    return cast(AsyncGenerator[VoiceChunk, None], voice.speak(text, language=language))


def _now_s() -> float:
    return asyncio.get_running_loop().time()
