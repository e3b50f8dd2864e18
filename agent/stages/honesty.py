"""Between the floor and the brain: what is answered in fixed words, whatever persona and model would say."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipecat.frames.frames import CancelFrame, EndFrame, Frame, InterruptionFrame, StartFrame
from pipecat.processors.frame_processor import FrameDirection

from agent.engines.voice.prepared import Prepared
from agent.opening import spoken
from agent.stages.frames import AnswerEndFrame, AnswerFrame, SentenceFrame, SpokenFrame
from agent.stages.tasked import TaskedStage
from channels.call import Call

WAITING_LINES = 20
"""More fixed lines than that never wait; the oldest say least."""
FIRST_LINE = 1_000_000
"""Utterances of fixed lines are numbered from here, far from those of the voice."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something to say in fixed words."""

    text: str
    prepared: Prepared | None = None
    """None: the voice says it."""
    goodbye: bool = False
    """The call is over once this was heard."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What is said to a turn before, or instead of, what the brain says."""

    lines: tuple[Line, ...]
    answered: bool = True
    """False: the brain answers too, after the lines."""


class Honesty(TaskedStage):
    """Says fixed lines, and keeps from the brain what they answer.

    `answered` is asked with every turn of the caller; None: it is the brain's alone.
    """

    def __init__(self, call: Call, answered: Callable[[str], Reaction | None]) -> None:
        super().__init__("honesty")
        self._call = call
        self._answered = answered
        self._waiting: deque[Line] = deque(maxlen=WAITING_LINES)
        self._wake = asyncio.Event()
        self._utterance = FIRST_LINE

    def say(self, lines: Sequence[Line]) -> None:
        """Say these after what the twin is saying now; returns at once. Before the call runs they wait."""
        self._waiting.extend(lines)
        self._wake.set()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case AnswerFrame():
                reaction = self._answered(frame.turns[-1].text)
                if reaction is not None:
                    await self._say(reaction.lines, frame.epoch)
                    if reaction.answered:
                        goodbye = any(line.goodbye for line in reaction.lines)
                        await self.push_frame(AnswerEndFrame(frame.epoch, goodbye))
                        return
            case StartFrame():
                self._task = self.create_task(self._say_waiting(), "fixed lines")
            case InterruptionFrame():
                self._waiting.clear()
            case EndFrame() | CancelFrame():
                await self._stop()
        await self.push_frame(frame, direction)

    async def _say_waiting(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                epoch = self._call.clock.epoch
                line = self._waiting.popleft()
                await self._say([line], epoch)
                await self.push_frame(AnswerEndFrame(epoch, line.goodbye))

    async def _say(self, lines: Sequence[Line], epoch: int) -> None:
        for line in lines:
            if line.prepared is None:
                await self.push_frame(SentenceFrame(line.text, epoch, "notice"))
            else:
                self._utterance += 1
                await self.push_frame(SpokenFrame(spoken(line.prepared, self._utterance, epoch)))
