"""One call from its first sound to its last: start, watchdog, end. Nothing here waits without a limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.workers.runner import WorkerRunner

from agent.conversation import Conversation
from agent.meeting.addressee.said import Mode
from agent.messages import Messages
from agent.opening import Opening, spoken
from agent.recorder import Recorder
from agent.settings import LimitsSection
from agent.stages.honesty import Line
from agent.timing import TurnTiming
from channels.call import Call, Notice, Status
from channels.outlet import State
from compliance.errors import DoorClosed

logger = logging.getLogger(__name__)

PIPELINE_LIMIT_S = 5.0
WIRE_LIMIT_S = 6.0
DISCLOSURE_GRACE_S = 8.0
"""How much longer than itself the disclosure may take to be heard."""
WATCH_S = 0.25


DISCLOSURE_UTTERANCE = 0
APOLOGY_UTTERANCE = 1
FIRST_UTTERANCE = 2
"""The voice numbers its sentences from here on."""


class Door(Protocol):
    """What lets people be heard: a call's inlet, or everybody's in a meeting."""

    def open(self) -> None: ...

    def close(self) -> None: ...


class Watch(Protocol):
    """What is told how the disclosure, the time and the call go: `agent/consenting.py`."""

    say: Callable[[Sequence[Line]], None]

    @property
    def recording(self) -> bool: ...

    def disclosed(self, position: int) -> None: ...

    def tick(self) -> None: ...

    async def end(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call may last; None is for ever."""

    silence_s: float | None
    all_s: float

    @classmethod
    def of_call(cls, limits: LimitsSection) -> Patience:
        """Of a call with one person."""
        return cls(limits.max_silence_s, limits.max_call_minutes * 60)


async def _nobody(keep: bool) -> None:
    """Where nobody is remembered."""


@dataclass(slots=True, eq=False)
class LiveCall:
    """A call in progress. `run` returns when it is over, whatever happened."""

    call: Call
    pipeline: Pipeline
    conversation: Conversation
    timing: TurnTiming
    opening: Opening
    patience: Patience
    recorder: Recorder
    messages: Messages
    consenting: Watch
    door: Door
    begin: Callable[[], None] = lambda: None
    """Called when the call begins."""
    remember: Callable[[bool], Awaitable[None]] = field(default=_nobody)
    """Whether what the caller said is to be remembered. Raises `VaultError`."""
    meet_in: Callable[[Mode], None] = lambda mode: None
    """In a meeting: how the twin takes part from now on."""
    closing: Sequence[Callable[[], Awaitable[None]]] = ()
    """What ends with the call, in this order; each within a limit of its own."""
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _reason: str = ""
    _apologising: bool = False
    _last_sound: float = 0.0
    _last_activity: tuple[int, int] = (0, 0)

    @property
    def reason(self) -> str:
        """Why the call ended; empty while it goes on."""
        return self._reason

    def hang_up(self, reason: str) -> None:
        """End the call; the first reason stands."""
        self._reason = self._reason or reason
        self._over.set()

    def disclosed(self, position: int) -> None:
        """The outlet says that the disclosure was heard in full: now the caller is listened to."""
        self.recorder.event("disclosure_played", {"end": position})
        self.door.open()
        self.call.tell(Status("listening"))
        self.consenting.disclosed(position)

    def door_failed(self, reason: str) -> None:
        """A stage of the outlet failed: the apology, then the end."""
        self.recorder.event("outlet_failed", {"code": reason})
        self.door.close()
        self.call.outlet.apologise()
        self._end_after(self.opening.apology.duration_ms / 1000, "outlet_failed")

    def give_up(self, reason: str) -> None:
        """An engine and all that could replace it failed: say so, in prepared words, and end."""
        if self._apologising:
            return
        self._apologising = True
        self.recorder.event("gave_up", {"reason": reason})
        self.door.close()
        self.call.tell(Notice(reason, self.opening.sorry))
        outlet = self.call.outlet
        if outlet.state is State.OPEN:
            epoch = outlet.drop()
            try:
                outlet.say(spoken(self.opening.apology, APOLOGY_UTTERANCE, epoch))
            except DoorClosed:
                logger.warning("the door closed before the apology")
        self._end_after(self.opening.apology.duration_ms / 1000, reason)

    def _end_after(self, seconds: float, reason: str) -> None:
        asyncio.get_running_loop().call_later(seconds + 0.5, self.hang_up, reason)

    async def run(self) -> None:
        """Hold the conversation. Cancelling it ends the call as well."""
        call = self.call
        worker = PipelineWorker(
            self.pipeline,
            params=PipelineParams(
                audio_in_sample_rate=call.inlet.rate_hz, audio_out_sample_rate=call.clock.rate_hz
            ),
            enable_rtvi=False,
            enable_turn_tracking=False,
            idle_timeout_secs=None,
            cancel_timeout_secs=PIPELINE_LIMIT_S,
            check_dangling_tasks=False,
        )
        runner = WorkerRunner(handle_sigint=False, handle_sigterm=False, check_dangling_tasks=False)
        await runner.add_workers(worker)
        self.begin()
        call.tell(Status("disclosing"))
        self.recorder.event("disclosure_started", {})
        call.outlet.disclose(spoken(self.opening.disclosure, DISCLOSURE_UTTERANCE, call.clock.epoch))
        running = asyncio.create_task(runner.run(), name=f"pipeline {call.id}")
        try:
            await self._until_over(running)
        finally:
            await self._end(runner, running)

    async def _until_over(self, running: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()
        started = self._last_sound = loop.time()
        while not self._over.is_set():
            try:
                await asyncio.wait_for(self._over.wait(), WATCH_S)
            except TimeoutError:
                self.consenting.tick()
                reason = self._overdue(loop.time(), started)
                if reason:
                    self.hang_up(reason)
                elif running.done() and not self._apologising:
                    self.give_up("pipeline_failed")

    def _overdue(self, now: float, started: float) -> str:
        outlet = self.call.outlet
        if (
            outlet.state is State.DISCLOSING
            and now - started > self.opening.disclosure.duration_ms / 1000 + DISCLOSURE_GRACE_S
        ):
            return "disclosure_unheard"
        activity = (len(self.conversation.turns), sum(len(turn.text) for turn in self.conversation.turns[-2:]))
        if activity != self._last_activity or outlet.speaking:
            self._last_activity, self._last_sound = activity, now
        if self.recorder.failed:
            return "vault_failed"
        if self.patience.silence_s is not None and now - self._last_sound > self.patience.silence_s:
            return "silence"
        if now - started > self.patience.all_s:
            return "too_long"
        return ""

    async def _end(self, runner: WorkerRunner, running: asyncio.Task[None]) -> None:
        call = self.call
        self.door.close()
        self._reason = self._reason or "cancelled"
        call.tell(Status("ended"))
        try:
            async with asyncio.timeout(PIPELINE_LIMIT_S):
                await runner.cancel()
                await running
        except TimeoutError:
            logger.error("pipeline did not end in time", extra={"call": call.id})
            running.cancel()
        finally:
            try:
                async with asyncio.timeout(WIRE_LIMIT_S):
                    await call.wire.close(self._reason)
            except TimeoutError:
                logger.error("wire did not close in time", extra={"call": call.id})
            finally:
                # While the wire closes, words are still heard.
                await self.consenting.end()
                self.conversation.end()
                self.messages.end()
                for close in self.closing:
                    await close()
