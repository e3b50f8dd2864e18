"""Fourth stage: the caller's turn becomes sentences to say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing

from pipecat.frames.frames import CancelFrame, EndFrame, Frame, InterruptionFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from agent.engines.base import Brain
from agent.sentences import Sentences
from agent.stages.frames import AnswerEndFrame, AnswerFrame, SentenceFrame
from agent.timing import TurnTiming
from compliance.errors import EngineError
from compliance.language.intents import claims_human
from persona.prompt import Prompt, Turn

logger = logging.getLogger(__name__)

STUCK = "I'm sorry, I can't answer that just now. Would you like to leave a message?"


class Thinking(FrameProcessor):
    """Streams the brain's answer, cut into sentences. An interruption stops the brain at its source."""

    def __init__(
        self,
        brain: Brain,
        compose: Callable[[tuple[Turn, ...]], Prompt],
        timing: TurnTiming,
        *,
        language: str,
        human: str,
        owner: str,
        on_failure: Callable[[str], None],
        on_lie: Callable[[], None] = lambda: None,
    ) -> None:
        """`human` is said instead of a sentence that claims to be a person, or the owner; `on_lie` is told."""
        super().__init__(name="thinking", enable_direct_mode=True)
        self._brain = brain
        self._compose = compose
        self._timing = timing
        self._language = language
        self._human = human
        self._owner = owner
        self._on_failure = on_failure
        self._on_lie = on_lie
        self._answer: asyncio.Task[None] | None = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, AnswerFrame):
            await self._stop()
            self._answer = self.create_task(self._think(frame), "answer")
            return
        if isinstance(frame, (InterruptionFrame, EndFrame, CancelFrame)):
            await self._stop()
        await self.push_frame(frame, direction)

    async def cleanup(self) -> None:
        await super().cleanup()
        await self._stop()

    async def _stop(self) -> None:
        task, self._answer = self._answer, None
        if task is not None and task is not asyncio.current_task():
            await self.cancel_task(task, timeout=1.0)

    async def _think(self, frame: AnswerFrame) -> None:
        sentences = Sentences()
        provenance = "model"
        goodbye = False
        try:
            async with aclosing(self._brain.answer(self._compose(frame.turns))) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    self._reached("first_token")
                    goodbye = goodbye or piece.goodbye
                    if piece.provenance != provenance:
                        for text in sentences.end():
                            await self._say(text, frame.epoch, provenance)
                        provenance = piece.provenance
                    for text in sentences.feed(piece.text):
                        await self._say(text, frame.epoch, provenance)
            for text in sentences.flush():
                await self._say(text, frame.epoch, provenance)
        except Exception as error:  # noqa: BLE001  also a defect of a brain must not leave the caller in silence
            code = error.code if isinstance(error, EngineError) else type(error).__name__
            logger.warning("no brain could answer", extra={"engine": self._brain.name, "code": code})
            self._on_failure(code)
            await self._say(STUCK, frame.epoch, "notice")
        await self.push_frame(AnswerEndFrame(frame.epoch, goodbye))

    async def _say(self, text: str, epoch: int, provenance: str) -> None:
        self._reached("first_sentence")
        if claims_human(text, self._language, owner=self._owner):
            self._on_lie()
            text, provenance = self._human, "notice"
        await self.push_frame(SentenceFrame(text, epoch, provenance))

    def _reached(self, step: str) -> None:
        self._timing.reached(step, asyncio.get_running_loop().time() * 1000)
