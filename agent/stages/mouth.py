"""Last stage: speech for the outlet, and what the outlet reports back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from pipecat.frames.frames import CancelFrame, EndFrame, Frame, InterruptionFrame, StartFrame
from pipecat.processors.frame_processor import FrameDirection

from agent.conversation import Conversation
from agent.stages.frames import AnswerEndFrame, SpokenFrame, TwinSpeakingFrame
from agent.stages.tasked import TaskedStage
from agent.timing import TurnTiming
from channels.call import Call, Caption, Status
from channels.heard import HeardWord
from channels.outlet import State
from compliance.errors import DoorClosed

REPORTS = 100
"""More than that waits only behind a pipeline that has stalled, and then the oldest say least."""


class Mouth(TaskedStage):
    """The outlet's listener and its only customer.

    Speech waits here while the outlet has no room, which makes the voice and the brain before it wait too.
    """

    def __init__(
        self,
        conversation: Conversation,
        timing: TurnTiming,
        *,
        on_disclosed: Callable[[int], None],
        on_failed: Callable[[str], None],
    ) -> None:
        super().__init__("mouth")
        self.call: Call
        self._conversation = conversation
        self._timing = timing
        self._on_disclosed = on_disclosed
        self._on_failed = on_failed
        self._room = asyncio.Event()
        self._reports: deque[bool] = deque(maxlen=REPORTS)
        self._reported = asyncio.Event()
        self._answering = False
        """True from the first speech of an answer until the brain and the voice have nothing more."""
        self._goodbye = False
        """True when the call is over once the answer was heard."""
        self._twin_turns = 0
        self._epoch = 0
        """The epoch of what began to sound last."""

    def disclosed(self, position: int) -> None:
        """From the outlet."""
        self._conversation.twin_stopped(cut=False)
        self._on_disclosed(position)

    def heard(self, words: list[HeardWord]) -> None:
        """From the outlet."""
        self._conversation.twin_heard(words, epoch=self.call.clock.epoch)
        self.call.tell(Caption("twin", " ".join(word.text for word in words), self._twin_turns))

    def speaking(self, speaking: bool, position: int) -> None:
        """From the outlet."""
        if speaking:
            self._epoch = self.call.clock.epoch
            self._timing.reached("first_sound", asyncio.get_running_loop().time() * 1000)
            if self.call.outlet.state is State.OPEN:
                self.call.tell(Status("speaking"))
            self._report(True)
        elif self._epoch != self.call.clock.epoch:
            self._conversation.twin_stopped(cut=True)
        elif not self._answering:
            self._end_turn()

    def failed(self, reason: str) -> None:
        """From the outlet."""
        self._on_failed(reason)

    def room(self) -> None:
        """From the outlet."""
        self._room.set()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case SpokenFrame():
                await self._say(frame)
                return
            case AnswerEndFrame():
                if frame.epoch == self.call.clock.epoch:
                    self._answering = False
                    self._goodbye = frame.goodbye
                    if not self.call.outlet.speaking:
                        self._end_turn()
                return
            case StartFrame():
                self._task = self.create_task(self._tell(), "mouth")
            case InterruptionFrame():
                self._answering = self._goodbye = False
                self._end_caption()
                self._room.set()
            case EndFrame() | CancelFrame():
                await self._stop()
        await self.push_frame(frame, direction)

    async def _say(self, frame: SpokenFrame) -> None:
        if frame.spoken.epoch != self.call.clock.epoch:
            return
        self._answering = True
        outlet = self.call.outlet
        self._room.clear()
        try:
            while not outlet.say(frame.spoken):
                await self._room.wait()
                self._room.clear()
        except DoorClosed:
            # The outlet has said so itself, through `failed`; the call is ending.
            self._answering = False

    def _end_turn(self) -> None:
        self._conversation.twin_stopped(cut=False)
        self._end_caption()
        self.call.tell(Status("listening"))
        self._report(False)
        if self._goodbye:
            self.call.hang_up("goodbye")

    def _end_caption(self) -> None:
        self.call.tell(Caption("twin", "", self._twin_turns, final=True))
        self._twin_turns += 1

    def _report(self, speaking: bool) -> None:
        self._reports.append(speaking)
        self._reported.set()

    async def _tell(self) -> None:
        while True:
            await self._reported.wait()
            self._reported.clear()
            while self._reports:
                await self.push_frame(TwinSpeakingFrame(self._reports.popleft()), FrameDirection.UPSTREAM)
