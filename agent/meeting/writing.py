"""Between the brain and the voice: an answer that was asked for in the chat is written there instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipecat.frames.frames import Frame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from agent.stages.frames import AnswerEndFrame, SentenceFrame


class Writing(FrameProcessor):
    """Passes on what is to be said; what is of the epoch that `begin` named is collected and written whole."""

    def __init__(self, write: Callable[[Sequence[tuple[str, str]], int], None]) -> None:
        """`write` gets the sentences of an answer, each with where it comes from, and its epoch."""
        super().__init__(name="writing", enable_direct_mode=True)
        self._write = write
        self._epoch: int | None = None
        self._sentences: list[tuple[str, str]] = []

    def begin(self, epoch: int) -> None:
        """The answer of this epoch is to be written."""
        self._epoch, self._sentences = epoch, []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, SentenceFrame) and frame.epoch == self._epoch:
            self._sentences.append((frame.text, frame.provenance))
            return
        if isinstance(frame, AnswerEndFrame) and frame.epoch == self._epoch:
            if self._sentences:
                self._write(self._sentences, frame.epoch)
            self._epoch, self._sentences = None, []
        await self.push_frame(frame, direction)
