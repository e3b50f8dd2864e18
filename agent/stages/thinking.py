"""Fourth stage: the caller's turn becomes sentences to say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from pipecat.frames.frames import CancelFrame, EndFrame, Frame, InterruptionFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from agent.engines.base import Brain
from agent.sentences import Sentences
from agent.stages.frames import AnswerEndFrame, AnswerFrame, SentenceFrame
from agent.timing import TurnTiming
from compliance.errors import EngineError
from persona.guard import Checked
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
        checked: Callable[[str, Prompt, str], Checked],
        moderated: Callable[[str], Awaitable[str | None]],
        on_failure: Callable[[str], None],
    ) -> None:
        """`checked` judges each sentence, by what the brain was asked and where it says that it comes from;
        `moderated` gives what is said to a turn instead of asking the brain, where there is something."""
        super().__init__(name="thinking", enable_direct_mode=True)
        self._brain = brain
        self._compose = compose
        self._timing = timing
        self._checked = checked
        self._moderated = moderated
        self._on_failure = on_failure
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
        reply = await self._moderated(frame.turns[-1].text)
        if reply is not None:
            await self.push_frame(SentenceFrame(reply, frame.epoch, "notice"))
            await self.push_frame(AnswerEndFrame(frame.epoch))
            return
        sentences = Sentences()
        prompt = self._compose(frame.turns)
        provenance = "model"
        goodbye = False
        try:
            async with aclosing(self._brain.answer(prompt)) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    self._reached("first_token")
                    goodbye = goodbye or piece.goodbye
                    if piece.provenance != provenance:
                        for text in sentences.end():
                            await self._say(text, frame.epoch, provenance, prompt)
                        provenance = piece.provenance
                    for text in sentences.feed(piece.text):
                        await self._say(text, frame.epoch, provenance, prompt)
            for text in sentences.flush():
                await self._say(text, frame.epoch, provenance, prompt)
        except Exception as error:  # noqa: BLE001  also a defect of a brain must not leave the caller in silence
            code = error.code if isinstance(error, EngineError) else type(error).__name__
            logger.warning("no brain could answer", extra={"engine": self._brain.name, "code": code})
            self._on_failure(code)
            await self.push_frame(SentenceFrame(STUCK, frame.epoch, "notice"))
        await self.push_frame(AnswerEndFrame(frame.epoch, goodbye))

    async def _say(self, text: str, epoch: int, provenance: str, prompt: Prompt) -> None:
        self._reached("first_sentence")
        checked = self._checked(text, prompt, provenance)
        if checked.text:
            await self.push_frame(SentenceFrame(checked.text, epoch, checked.provenance))

    def _reached(self, step: str) -> None:
        self._timing.reached(step, asyncio.get_running_loop().time() * 1000)
