"""Second stage: sound becomes words, and goes no further."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    InputAudioRawFrame,
    StartFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from agent.engines.base import Hearing, Speech
from agent.stages.frames import FinishFrame, HypothesisFrame, SaidFrame
from compliance.errors import EngineError

logger = logging.getLogger(__name__)

FINISH_LIMIT_S = 2.0
OPEN_LIMIT_S = 5.0
KEPT_CHUNKS = 500
"""Ten seconds of the present turn, kept so that an engine that takes over hears the turn from its beginning."""


class Listening(FrameProcessor):
    """Feeds the caller's sound to a recogniser and passes its words on.

    `engines` are tried in order: one that dies in a call is opened once more, then the next takes over and is fed
    what it missed of the turn. With none left the caller is told through `on_deaf`.
    """

    def __init__(
        self,
        engines: Sequence[Speech],
        *,
        rate_hz: int,
        language: str,
        on_fallback: Callable[[str, str], None],
        on_deaf: Callable[[], None],
    ) -> None:
        super().__init__(name="listening", enable_direct_mode=True)
        self._engines = deque(engines)
        self._rate_hz = rate_hz
        self._language = language
        self._on_fallback = on_fallback
        self._on_deaf = on_deaf
        self._hearing: Hearing | None = None
        self._kept: deque[bytes] = deque(maxlen=KEPT_CHUNKS)
        self._partial = ""
        self._deaths = 0
        """How often the engine died since it last gave final words."""
        self._speaking = False
        self._spoke = False
        """True when there was speech since the last final words."""
        self._watch: asyncio.Task[None] | None = None
        self._finish: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case InputAudioRawFrame():
                self._kept.append(frame.audio)
                if self._hearing is not None:
                    self._hearing.feed(frame.audio)
                return
            case FinishFrame():
                if self._finish is not None:
                    await self.cancel_task(self._finish, timeout=1.0)
                self._finish = self.create_task(self._finish_turn(), "finish")
                return
            case VADUserStartedSpeakingFrame():
                self._speaking = self._spoke = True
                if self._hearing is not None:
                    self._hearing.onset()
            case VADUserStoppedSpeakingFrame():
                self._speaking = False
                if self._hearing is not None:
                    self._hearing.offset()
            case StartFrame():
                self._watch = self.create_task(self._listen(), "recogniser")
            case EndFrame() | CancelFrame():
                await self._stop()
        await self.push_frame(frame, direction)

    async def cleanup(self) -> None:
        await super().cleanup()
        await self._stop()

    async def _stop(self) -> None:
        for task in (self._finish, self._watch):
            if task is not None:
                await self.cancel_task(task, timeout=2.0)
        self._finish = self._watch = None

    async def _listen(self) -> None:
        """Keep a recogniser open for as long as the call lasts."""
        while self._engines:
            engine = self._engines[0]
            try:
                hearing = await asyncio.wait_for(
                    engine.open(rate_hz=self._rate_hz, language=self._language), OPEN_LIMIT_S
                )
                try:
                    self._begin(hearing)
                    async for hypothesis in hearing.hypotheses():
                        self._partial = hypothesis.text
                        await self.push_frame(HypothesisFrame(hypothesis))
                    # Nobody but us may end it, so one that ends by itself has died too.
                    logger.warning("recogniser stopped", extra={"engine": engine.name})
                finally:
                    self._hearing = None
                    self._ready.clear()
                    await hearing.close()
            except Exception as error:  # noqa: BLE001  also a defect of an engine must not leave the twin deaf
                logger.warning("recogniser died", extra={"engine": engine.name, "error": type(error).__name__})
            self._deaths += 1
            if self._deaths > 1:
                self._engines.popleft()
                self._deaths = 0
                if self._engines:
                    self._on_fallback(engine.name, self._engines[0].name)
        self._on_deaf()

    def _begin(self, hearing: Hearing) -> None:
        if self._spoke:
            hearing.onset()
        for pcm in self._kept:
            hearing.feed(pcm)
        if self._spoke and not self._speaking:
            hearing.offset()
        self._hearing = hearing
        self._ready.set()

    async def _finish_turn(self) -> None:
        try:
            async with asyncio.timeout(FINISH_LIMIT_S):
                text = await self._final_words()
        except TimeoutError:
            # The partial words are what the caller saw; better to answer them than nothing.
            logger.warning("recogniser late with its final words")
            text = self._partial
        self._partial = ""
        self._kept.clear()
        self._spoke = self._speaking
        await self.push_frame(SaidFrame(text.strip()))

    async def _final_words(self) -> str:
        """The final words; when the engine dies over them, those of the one that takes over."""
        while True:
            await self._ready.wait()
            hearing = self._hearing
            if hearing is None:
                continue
            try:
                text = await hearing.finish()
            except EngineError:
                # `_listen` sees the same death and opens the next one, with the turn's sound; it may have done so
                # already.
                if self._hearing is hearing:
                    self._ready.clear()
            else:
                self._deaths = 0
                return text
