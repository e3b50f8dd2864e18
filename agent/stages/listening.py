"""Second stage: sound becomes words, and goes no further."""

from __future__ import annotations

import asyncio
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

from agent.engines.base import Hypothesis, Speech
from agent.engines.speech.lasting import Lasting
from agent.stages.frames import FinishFrame, HypothesisFrame, SaidFrame

FINISH_LIMIT_S = 2.0


class Listening(FrameProcessor):
    """Feeds the caller's sound to a recogniser and passes its words on.

    `engines` are tried in order, see `Lasting`. With none left the caller is told through `on_deaf`.
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
        self._recogniser = Lasting(
            engines,
            rate_hz=rate_hz,
            language=language,
            on_hypothesis=self._guessed,
            on_fallback=on_fallback,
            on_deaf=on_deaf,
        )
        self._watch: asyncio.Task[None] | None = None
        self._finish: asyncio.Task[None] | None = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case InputAudioRawFrame():
                self._recogniser.feed(frame.audio)
                return
            case FinishFrame():
                if self._finish is not None:
                    await self.cancel_task(self._finish, timeout=1.0)
                self._finish = self.create_task(self._finish_turn(), "finish")
                return
            case VADUserStartedSpeakingFrame():
                self._recogniser.onset()
            case VADUserStoppedSpeakingFrame():
                self._recogniser.offset()
            case StartFrame():
                self._watch = self.create_task(self._recogniser.run(), "recogniser")
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

    async def _guessed(self, hypothesis: Hypothesis) -> None:
        await self.push_frame(HypothesisFrame(hypothesis))

    async def _finish_turn(self) -> None:
        await self.push_frame(SaidFrame(await self._recogniser.finish(FINISH_LIMIT_S)))
