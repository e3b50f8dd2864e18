"""Pipecat's voices outside of any call's pipeline: a pool of running services."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from agent.engines.base import VoiceChunk
from agent.engines.voice.align import Alignment
from agent.engines.voice.estimate import Estimate, Pace, unspoken
from agent.engines.voice.limits import Limits
from agent.engines.voice.written import encodable, written_words
from channels.spoken import Word
from compliance.errors import EngineError, EngineFailed, EngineTimeout

if TYPE_CHECKING:
    from agent.engines.hosted import Hosted

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
        self._make = make
        self._language = language
        self._timed = timed
        self._limits = limits
        self._pace = Pace()
        self._idle: dict[str, deque[_Line]] = {}
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = True

    @property
    def name(self) -> str:
        """The name it is chosen by."""
        return self._name

    async def start(self) -> None:
        """Connect one service, for the first sentence. Raises `EngineMissing`, `EngineFailed`,
        `EngineTimeout`."""
        self._closed = False
        if not self._lines:
            self._give_back(await self._open(self._language))

    async def close(self) -> None:
        """Close all services, within 5 s."""
        self._closed = True
        self._idle.clear()
        lines, self._lines = self._lines, set()
        tasks = [asyncio.create_task(line.close(), name=f"voice {self._name} close") for line in lines]
        tasks += list(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=5.0)

    async def speak(self, text: str, *, language: str) -> AsyncGenerator[VoiceChunk, None]:
        """Stream one sentence; see `Voice.speak`."""
        if not any(word.spoken for word in written_words(text)):
            if (chunk := unspoken(text, RATE_HZ)) is not None:
                yield chunk
            return
        line = await self._lend(language)
        whole = False
        try:
            async with aclosing(self._spoken(line, encodable(text))) as chunks:
                async for chunk in chunks:
                    yield chunk
            whole = True
        finally:
            self._retire(line, whole)

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

    async def _lend(self, language: str) -> _Line:
        idle = self._idle.get(language)
        while idle:
            line = idle.pop()
            if line.alive:
                return line
            self._drop(line)
        if self._closed:
            raise EngineFailed(f"{self._name}: not started")
        if len(self._lines) >= MAX_LINES:
            raise EngineFailed(f"{self._name}: {MAX_LINES} sentences are being spoken already")
        return await self._open(language)

    async def _open(self, language: str) -> _Line:
        line = _Line(self._name, language)
        self._lines.add(line)
        try:
            await line.start(self._make(language))
        except BaseException:
            self._drop(line)  # half started it would go on connecting
            raise
        return line

    def _retire(self, line: _Line, whole: bool) -> None:
        """Take a line back. It is kept only when nothing of the sentence can still come out of it."""
        if whole:
            self._give_back(line)
            return
        task = asyncio.create_task(self._settle(line), name=f"voice {self._name} settle")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, line: _Line) -> None:
        try:
            await line.abandon()
        except EngineError:
            logger.info("voice service is closed", extra={"service": self._name})
            self._lines.discard(line)
            await line.close()
        else:
            self._give_back(line)

    def _give_back(self, line: _Line) -> None:
        if self._closed:
            self._drop(line)
        else:
            self._idle.setdefault(line.language, deque()).append(line)

    def _drop(self, line: _Line) -> None:
        self._lines.discard(line)
        task = asyncio.create_task(line.close(), name=f"voice {self._name} close")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


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


class _Line:
    """One running service. One sentence at a time."""

    def __init__(self, name: str, language: str) -> None:
        self.language = language
        self._name = name
        self._hosted: Hosted | None = None
        self._frames: AsyncIterator[Any] | None = None
        self._reports: dict[str | None, list[tuple[str, float]]] = {}
        self._context: str | None = None
        self._failed = False

    @property
    def alive(self) -> bool:
        return self._hosted is not None and not self._failed

    async def start(self, service: Any) -> None:
        """Connect; `service` is a `TTSService`."""
        from pipecat.frames.frames import InterruptionFrame, TTSAudioRawFrame, TTSStartedFrame, TTSStoppedFrame

        from agent.engines.hosted import Hosted

        report = service.add_word_timestamps

        async def listen(words: list[tuple[str, float]], context_id: str | None = None, *a: Any, **k: Any) -> None:
            # Here the times are still seconds of this context's audio; the frames made of them later carry
            # times of the pipeline's clock, which nothing in our house runs by.
            self._reports.setdefault(context_id, []).extend(words)
            await report(words, context_id, *a, **k)

        service.add_word_timestamps = listen
        self._hosted = Hosted(
            service,
            name=self._name,
            wanted=(InterruptionFrame, TTSAudioRawFrame, TTSStartedFrame, TTSStoppedFrame),
            audio_out_hz=RATE_HZ,
            start_timeout_s=_START_S,
        )
        await self._hosted.start()

    async def close(self) -> None:
        if self._hosted is not None:
            await self._hosted.close()

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

        assert self._hosted is not None
        clock = asyncio.get_running_loop().time
        over_at = clock() + limits.total_s
        wait_s = limits.first_audio_s
        self._reports.clear()
        self._context = None
        await self._put(TTSSpeakFrame(text, append_to_context=False))
        while True:
            frame = await self._frame(min(wait_s, over_at - clock()))
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

    async def abandon(self) -> None:
        """Stop what it is saying. Returns when nothing of it can come any more. Raises `EngineError`."""
        from pipecat.frames.frames import InterruptionFrame

        await self._put(InterruptionFrame())
        while not isinstance(await self._frame(_SETTLE_S), InterruptionFrame):
            pass

    async def _put(self, frame: Any) -> None:
        assert self._hosted is not None
        try:
            await self._hosted.put(frame)
        except EngineError:
            self._failed = True
            raise

    async def _frame(self, limit_s: float) -> Any:
        assert self._hosted is not None
        try:
            async with asyncio.timeout(max(limit_s, 0.0)):
                self._frames = self._frames or self._hosted.frames()
                return await anext(self._frames)
        except TimeoutError:
            self._frames = None  # an iterator that was cancelled is at its end; the frames are not lost
            raise EngineTimeout(f"{self._name}: the service took too long") from None
        except asyncio.CancelledError:
            self._frames = None
            raise
        except EngineError:
            self._failed = True
            raise
