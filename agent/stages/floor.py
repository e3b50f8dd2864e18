"""Third stage: whose turn it is, decided by `agent/turns` and carried out here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from agent.conversation import Conversation
from agent.stages.frames import (
    AnswerFrame,
    FinishFrame,
    HypothesisFrame,
    SaidFrame,
    TwinSpeakingFrame,
    TypedFrame,
)
from agent.timing import TurnTiming
from agent.turns import policy
from agent.turns.settings import TurnSettings
from channels.call import Call, Caption, Status

ALL_TURNS = 10_000
"""How many of them a model is shown the prompt decides; what is older it summarises."""


class Floor(FrameProcessor):
    """Turns frames into the policy's events, and its actions into what happens at the outlet."""

    def __init__(
        self,
        call: Call,
        conversation: Conversation,
        timing: TurnTiming,
        settings: TurnSettings,
        on_action: Callable[[str], None],
        expects_answer: Callable[[], bool] = lambda: False,
    ) -> None:
        """`expects_answer`: whether a question waits to which a mere "yes" is an answer."""
        super().__init__(name="floor", enable_direct_mode=True)
        self._call = call
        self._conversation = conversation
        self._timing = timing
        self._policy = policy.TurnPolicy(settings)
        self._on_action = on_action
        self._expects_answer = expects_answer
        self._timer: asyncio.TimerHandle | None = None
        self._turn_start = 0
        self._caller_turns = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case VADUserStartedSpeakingFrame():
                self._turn_start = self._turn_start or self._call.clock.position
                await self._on(policy.Onset())
            case VADUserStoppedSpeakingFrame():
                silent_ms = frame.stop_secs * 1000
                self._timing.caller_silent(self._now_ms() - silent_ms)
                await self._on(policy.Offset(silent_ms))
            case HypothesisFrame():
                if frame.hypothesis.text:
                    self._caller_says(frame.hypothesis.text)
                await self._on(policy.Words(frame.hypothesis.text))
            case SaidFrame():
                await self._on(policy.Said(frame.text))
                if self._policy.said:
                    self._caller_says("")
                else:
                    self._turn_start = 0
                    self._set_aside()
            case TypedFrame():
                await self._on(policy.Typed(frame.text), typed=True)
            case TwinSpeakingFrame():
                await self._on(policy.TwinBegan() if frame.speaking else policy.TwinEnded())
            case _:
                if isinstance(frame, (EndFrame, CancelFrame)) and self._timer is not None:
                    self._timer.cancel()
                await self.push_frame(frame, direction)

    def _now_ms(self) -> float:
        return asyncio.get_running_loop().time() * 1000

    async def _on(self, event: policy.Event, *, typed: bool = False) -> None:
        self._policy.expecting = self._expects_answer()
        for action in self._policy.on(event, self._now_ms()):
            await self._do(action, typed)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        deadline_ms = self._policy.deadline_ms
        if deadline_ms is None:
            self._timer = None
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(deadline_ms / 1000, lambda: self.create_task(self._tick(), "floor tick"))

    async def _tick(self) -> None:
        await self._on(policy.Tick())

    async def _do(self, action: policy.Action, typed: bool) -> None:
        call = self._call
        match action:
            case policy.Hold():
                call.outlet.hold()
                self._on_action("hold")
            case policy.Resume():
                call.outlet.resume()
                self._on_action("resume")
            case policy.Yield():
                await self._yield()
            case policy.Finish():
                await self.push_frame(FinishFrame(), FrameDirection.UPSTREAM)
            case policy.Answer(text):
                if call.outlet.speaking:
                    # What waits to be said and has not begun to sound would be heard before the answer to this.
                    await self._yield()
                await self._answer(text, typed)

    async def _yield(self) -> None:
        self._call.outlet.drop()
        self._conversation.twin_stopped(cut=True)
        self._on_action("yield")
        self._call.tell(Status("listening"))
        await self.broadcast_interruption()

    def _caller_says(self, text: str) -> None:
        clock = self._call.clock
        text = f"{self._policy.said} {text}".strip()
        self._conversation.caller_says(
            text, start=self._turn_start or clock.position, end=clock.position, epoch=clock.epoch
        )
        self._call.tell(Caption("caller", text, self._caller_turns))

    def _set_aside(self) -> None:
        aside = self._conversation.caller_aside()
        if aside is not None:
            self._call.tell(Caption("caller", aside.text, self._caller_turns, final=True))
            self._caller_turns += 1

    async def _answer(self, text: str, typed: bool) -> None:
        clock = self._call.clock
        start, self._turn_start = self._turn_start or clock.position, 0
        self._conversation.caller_said(text, start=start, end=clock.position, epoch=clock.epoch, typed=typed)
        self._call.tell(Caption("caller", text, self._caller_turns, final=True))
        self._call.tell(Status("thinking"))
        self._caller_turns += 1
        self._timing.answered(self._now_ms(), typed=typed)
        await self.push_frame(AnswerFrame(self._conversation.for_prompt(ALL_TURNS), clock.epoch))
