"""Fifth stage: sentences become speech at the outlet's rate."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing

from pipecat.frames.frames import CancelFrame, EndFrame, Frame, InterruptionFrame, StartFrame
from pipecat.processors.frame_processor import FrameDirection

from agent.engines.base import Voice
from agent.engines.voice.fallback import TOLD
from agent.engines.voice.resample import Resampler
from agent.stages.frames import AnswerEndFrame, SentenceFrame, SpokenFrame
from agent.stages.tasked import TaskedStage
from agent.timing import TurnTiming
from channels.spoken import Spoken
from compliance.errors import EngineError

logger = logging.getLogger(__name__)

AHEAD_SENTENCES = 32
"""How many sentences the brain may be ahead of the voice; then it waits."""


class Speaking(TaskedStage):
    """Says sentences one after the other. An interruption stops the voice at its source."""

    def __init__(
        self,
        voice: Voice,
        *,
        rate_hz: int,
        language: str,
        timing: TurnTiming,
        on_failure: Callable[[str], None],
        on_fallback: Callable[[str, str], None],
        first_utterance: int,
    ) -> None:
        """`on_fallback` is told once that another voice speaks: the names of the one that failed, and its own."""
        super().__init__("speaking")
        self._voice = voice
        self._rate_hz = rate_hz
        self._language = language
        self._timing = timing
        self._on_failure = on_failure
        self._on_fallback = on_fallback
        self._fallen = False
        self._utterance = first_utterance
        self._sentences: asyncio.Queue[SentenceFrame | AnswerEndFrame] = asyncio.Queue(AHEAD_SENTENCES)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case SentenceFrame() | AnswerEndFrame():
                await self._sentences.put(frame)
                return
            case StartFrame():
                self._task = self.create_task(self._speak(), "voice")
            case InterruptionFrame():
                await self._stop()
                self._sentences = asyncio.Queue(AHEAD_SENTENCES)
                self._task = self.create_task(self._speak(), "voice")
            case EndFrame() | CancelFrame():
                await self._stop()
        await self.push_frame(frame, direction)

    def _told(self, first: str, second: str) -> None:
        if not self._fallen:
            self._fallen = True
            self._on_fallback(first, second)

    async def _speak(self) -> None:
        TOLD.set(self._told)
        while True:
            frame = await self._sentences.get()
            if isinstance(frame, SentenceFrame):
                await self._say(frame)
            else:
                await self.push_frame(frame)

    async def _say(self, sentence: SentenceFrame) -> None:
        self._utterance += 1
        utterance = self._utterance
        resampler: Resampler | None = None
        try:
            async with aclosing(self._voice.speak(sentence.text, language=self._language)) as chunks:  # type: ignore[type-var]
                async for chunk in chunks:
                    self._timing.reached("first_audio", asyncio.get_running_loop().time() * 1000)
                    if resampler is None:
                        resampler = Resampler(chunk.rate_hz, self._rate_hz)
                    spoken = Spoken(
                        utterance=utterance,
                        epoch=sentence.epoch,
                        pcm=resampler.feed(chunk.pcm),
                        words=chunk.words,
                        phonemes=chunk.phonemes,
                        exact=chunk.exact,
                        provenance=sentence.provenance,
                    )
                    await self.push_frame(SpokenFrame(spoken))
        except Exception as error:  # noqa: BLE001  also a defect of a voice must not leave the caller in silence
            code = error.code if isinstance(error, EngineError) else type(error).__name__
            logger.warning("no voice could speak", extra={"engine": self._voice.name, "code": code})
            self._on_failure(code)
        rest = resampler.finish() if resampler is not None else b""
        last = Spoken(utterance, sentence.epoch, rest, last=True, provenance=sentence.provenance)
        await self.push_frame(SpokenFrame(last))
