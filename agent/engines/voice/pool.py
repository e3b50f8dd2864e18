"""Pipecat's voices outside of any call's pipeline: a pool of running services."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from agent.engines.base import VoiceChunk
from agent.engines.lines import Line, Lines
from agent.engines.voice.align import Alignment
from agent.engines.voice.estimate import Estimate, Pace, unspoken
from agent.engines.voice.limits import Limits
from agent.engines.voice.written import encodable, written_words
from channels.spoken import Word
from compliance.errors import EngineFailed

if TYPE_CHECKING:
    pass

logger = logging.getLogger(__name__)

RATE_HZ = 24000
MAX_LINES = 16
"""Sentences at once over one engine; each has its own connection, and providers limit them."""
_START_S = 10.0
_SETTLE_S = 1.0
"""For a service to confirm that an abandoned sentence is gone; one that does not is closed."""

Reporter = Callable[[Iterable[tuple[str, float]], str | None], None]
Make = Callable[[str], Any]
"""A new `TTSService` for a language code."""


class PipecatVoice:
    """A `Voice` over a pool of running services, one per sentence at a time, kept for the next ones."""

    def __init__(self, name: str, make: Make, *, language: str, timed: bool, limits: Limits) -> None:
        """`timed`: the service reports word times; where it fails to, the estimate steps in."""
        self._name = name
        self._language = language
        self._timed = timed
        self._limits = limits
        self._pace = Pace()
        # One per language: a service that is told another one in mid-call may speak with the old one's accent.
        self._lines: Lines[_Line] = Lines(
            f"voice {name}", lambda language: _Line(name, language, make(language)), most=MAX_LINES
        )

    @property
    def name(self) -> str:
        """The name it is chosen by."""
        return self._name

    async def start(self) -> None:
        """Connect one service, for the first sentence. Raises `EngineMissing`, `EngineFailed`,
        `EngineTimeout`."""
        self._lines.open()
        if not self._lines.any:
            self._lines.back(await self._lines.lend(self._language), whole=True)

    async def close(self) -> None:
        """Close all services, within 5 s."""
        await self._lines.close()

    async def speak(self, text: str, *, language: str) -> AsyncGenerator[VoiceChunk, None]:
        """Stream one sentence; see `Voice.speak`."""
        if not any(word.spoken for word in written_words(text)):
            if (chunk := unspoken(text, RATE_HZ)) is not None:
                yield chunk
            return
        line = await self._lines.lend(language)
        whole = False
        try:
            async with aclosing(self._spoken(line, encodable(text))) as chunks:
                async for chunk in chunks:
                    yield chunk
            whole = True
        finally:
            self._lines.back(line, whole=whole)

    async def _spoken(self, line: _Line, text: str) -> AsyncGenerator[VoiceChunk, None]:
        timing: Timing | None = None
        async with aclosing(line.say(text, self._limits)) as audio:
            async for pcm, rate_hz in audio:
                timing = timing or Timing(text, self._pace, rate_hz, timed=self._timed)
                timing.report(line.reported())
                yield timing.chunk(pcm)
        if timing is None:
            raise EngineFailed(f"{self._name}: the service made no sound; check [voice] voice and model")
        timing.report(line.reported())
        yield timing.last()


class Timing:
    """Chunks with the service's own word times, or estimated ones where it reports none. Pure."""

    def __init__(self, text: str, pace: Pace, rate_hz: int, *, timed: bool) -> None:
        self._rate_hz = rate_hz
        self._timed = timed
        self._alignment = Alignment(text)
        self._estimate = Estimate(text, pace, rate_hz)

    def report(self, words: Iterable[tuple[str, float]]) -> None:
        """Take in what the service reported."""
        self._alignment.report(words)

    def chunk(self, pcm: bytes) -> VoiceChunk:
        """The next audio, with the words that are known by now."""
        words: tuple[Word, ...] = ()
        if self._timed:
            self._estimate.listen(pcm)
            words = self._alignment.ready(self._estimate.total_ms)
        else:
            words = self._estimate.feed(pcm)
        return VoiceChunk(pcm, self._rate_hz, words, exact=self._timed)

    def last(self) -> VoiceChunk:
        """The rest of the words; a service that should have reported times and did not is estimated here."""
        if self._timed and self._alignment.heard_any:
            words = self._alignment.finish(self._estimate.sounding_ms)
            return VoiceChunk(b"", self._rate_hz, words, exact=True)
        return VoiceChunk(b"", self._rate_hz, self._estimate.finish())


class _Line(Line):
    """One running service. One sentence at a time."""

    def __init__(self, name: str, language: str, service: Any) -> None:
        """`service` is a `TTSService`."""
        from pipecat.frames.frames import InterruptionFrame, TTSAudioRawFrame, TTSStartedFrame, TTSStoppedFrame

        from agent.engines.hosted import Hosted

        self._reports: dict[str | None, list[tuple[str, float]]] = {}
        self._context: str | None = None
        report = service.add_word_timestamps

        async def listen(words: list[tuple[str, float]], context_id: str | None = None, *a: Any, **k: Any) -> None:
            # Here the times are still seconds of this context's audio; the frames made of them later carry
            # times of the pipeline's clock, which nothing in our house runs by.
            self._reports.setdefault(context_id, []).extend(words)
            await report(words, context_id, *a, **k)

        service.add_word_timestamps = listen
        hosted = Hosted(
            service,
            name=name,
            wanted=(InterruptionFrame, TTSAudioRawFrame, TTSStartedFrame, TTSStoppedFrame),
            audio_out_hz=RATE_HZ,
            start_timeout_s=_START_S,
        )
        super().__init__(name, hosted, key=language)

    def reported(self) -> list[tuple[str, float]]:
        """The word times that came since the last call, for the sentence being said."""
        return [*self._reports.pop(self._context, []), *self._reports.pop(None, [])]

    async def say(self, text: str, limits: Limits) -> AsyncGenerator[tuple[bytes, int], None]:
        """Audio and its rate, until the sentence is over."""
        from pipecat.frames.frames import (
            ErrorFrame,
            TTSAudioRawFrame,
            TTSSpeakFrame,
            TTSStartedFrame,
            TTSStoppedFrame,
        )

        clock = asyncio.get_running_loop().time
        over_at = clock() + limits.total_s
        wait_s = limits.first_audio_s
        self._reports.clear()
        self._context = None
        await self.put(TTSSpeakFrame(text, append_to_context=False))
        while True:
            frame = await self.frame(min(wait_s, over_at - clock()))
            if isinstance(frame, ErrorFrame):
                raise EngineFailed(f"{self._name}: the service could not say it; check its key, voice and model")
            if isinstance(frame, TTSStartedFrame):
                self._context = frame.context_id
            elif isinstance(frame, TTSAudioRawFrame):
                self._context = frame.context_id or self._context
                wait_s = limits.gap_s
                yield frame.audio, frame.sample_rate
            elif isinstance(frame, TTSStoppedFrame):
                return
