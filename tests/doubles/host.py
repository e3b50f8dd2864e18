"""A `Host` without a twin: real doors, a given disclosure, and a record of what came in.

It stands for the conversation so that a channel can be tested alone; the doors, the clock and the calls are the
real ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from channels.call import Call, Caller, Channel, Refusal, Status, new_call_id
from channels.clock import Clock
from channels.heard import HeardWord
from channels.inlet import Inlet
from channels.outlet import Outlet
from channels.spoken import Spoken, Word
from channels.view import View
from channels.wire import Wire
from tests.doubles.mark import NoMark


def tone(rate_hz: int, *, milliseconds: int, hz: float = 440.0) -> bytes:
    """A sine that never begins with a zero, as int16 mono."""
    n = rate_hz * milliseconds // 1000
    return (8000 * np.sin(2 * np.pi * hz * (np.arange(n) + 1) / rate_hz)).astype(np.int16).tobytes()


class Conversation:
    """One call of the host: what came through the doors."""

    def __init__(self) -> None:
        self.heard_from_caller = bytearray()
        self.digits: list[str] = []
        self.texts: list[str] = []
        self.words: list[HeardWord] = []
        self.disclosed_at: int | None = None
        self.failure: str | None = None
        self.ended = asyncio.Event()
        self.disclosed_event = asyncio.Event()
        self.reason = ""
        self.call: Call

    def audio(self, pcm: bytes) -> None:
        self.heard_from_caller += pcm

    def digit(self, digit: str) -> None:
        self.digits.append(digit)

    def text(self, text: str) -> None:
        self.texts.append(text)

    def disclosed(self, position: int) -> None:
        self.disclosed_at = position
        self.call.inlet.open()
        self.call.tell(Status("listening"))
        self.disclosed_event.set()

    def heard(self, words: list[HeardWord]) -> None:
        self.words += words

    def speaking(self, speaking: bool, position: int) -> None: ...

    def failed(self, reason: str) -> None:
        self.failure = reason

    def room(self) -> None: ...

    def hang_up(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.ended.set()


class TestHost:
    """Plays `disclosure_ms` of tone, then stays silent until somebody hangs up."""

    __test__ = False

    def __init__(self, *, disclosure_ms: int = 600, capacity: int = 100) -> None:
        self.disclosure_ms = disclosure_ms
        self.capacity = capacity
        self.refuse_with: Refusal | None = None
        self.show: Callable[[Call], View | None] = lambda call: None
        """The face of a call; none unless a test sets it."""
        self.conversations: list[Conversation] = []
        self.spent: set[str] = set()
        self.live = 0

    def refusal(self) -> Refusal | None:
        if self.refuse_with is None and self.live >= self.capacity:
            return Refusal("capacity", "All lines are busy.")
        return self.refuse_with

    def begin(self, channel: Channel, wire: Wire, caller: Caller, *, reference: str | None = None) -> Call:
        conversation = Conversation()
        clock = Clock(wire.rate_hz)
        call = Call(
            id=new_call_id(),
            channel=channel,
            caller=caller,
            wire=wire,
            clock=clock,
            inlet=Inlet(wire.rate_hz if channel == "phone" else 16_000, conversation),
            outlet=Outlet(clock, wire, conversation, mark=NoMark()),
            started_at=datetime.now(UTC),
            reference=reference,
            hang_up=conversation.hang_up,
        )
        conversation.call = call
        call.show = lambda: self.show(call)
        self.conversations.append(conversation)
        return call

    async def carry(self, call: Call) -> None:
        conversation = next(c for c in self.conversations if c.call is call)
        pcm = tone(wire_rate := call.wire.rate_hz, milliseconds=self.disclosure_ms)
        words = (Word("disclosure", 0, self.disclosure_ms),)
        call.outlet.disclose(Spoken(0, 0, pcm, words=words, last=True))
        assert wire_rate == call.clock.rate_hz
        call.tell(Status("disclosing"))
        self.live += 1
        try:
            await conversation.ended.wait()
        finally:
            self.live -= 1
            await call.wire.close(conversation.reason or "cancelled")

    def end(self, reference: str, reason: str) -> bool:
        for conversation in self.conversations:
            if conversation.call.reference == reference and not conversation.ended.is_set():
                conversation.hang_up(reason)
                return True
        return False

    async def spend(self, nonce: str, expires_at: datetime) -> bool:
        if nonce in self.spent:
            return False
        self.spent.add(nonce)
        return True
