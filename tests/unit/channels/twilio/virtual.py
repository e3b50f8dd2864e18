"""A phone line in virtual time: the real wire, outlet and clockwork; Twilio's buffer behind a network delay."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from channels.call import Caller
from channels.spoken import Spoken
from channels.twilio import mulaw
from channels.twilio.pace import Line
from channels.twilio.settings import TwilioSettings
from channels.twilio.wire import TwilioWire
from tests.doubles.host import Conversation, TestHost, tone
from tests.doubles.twilio import FarEnd


def unmistakable(milliseconds: int, seed: int = 1) -> bytes:
    """Speech in which every 10 ms are unique, also after mu-law, and no sample is silent."""
    codes = np.random.default_rng(seed).integers(0, 0x70, milliseconds * 8, dtype=np.uint8)
    return mulaw.decode(codes.tobytes())


class VirtualLine:
    """Nothing moves but by `run`."""

    def __init__(self, *, delay_ms: int = 0, far_speed: float = 1.0, disclosure_ms: int = 100) -> None:
        self.now = 1_000.0
        self.delay_s = delay_ms / 1000
        self.beating = True
        self.far_end = FarEnd()
        self.wire = TwilioWire("MZ1", self, now=lambda: self.now, hang_up=None)
        self.host = TestHost()
        self.call = self.host.begin("phone", self.wire, Caller())
        self.line = Line(self.call, self.wire, TwilioSettings(unplayed_s=100, silent_peer_s=100), lambda: self.now)
        self.lose_marks = 0
        """How many of the next marks get lost on their way back."""
        self.cut_truth: int | None = None
        """Where the far end really was when the last `clear` reached it."""
        self._far_speed = far_speed
        self._there: deque[tuple[float, dict[str, Any]]] = deque()
        self._back: deque[tuple[float, str]] = deque()
        self._step = 0
        self._disclosure_ms = disclosure_ms
        disclosure = tone(8_000, milliseconds=disclosure_ms)
        self.call.outlet.disclose(Spoken(0, 0, disclosure, last=True))

    @property
    def conversation(self) -> Conversation:
        return self.host.conversations[0]

    @property
    def heard(self) -> int:
        return self.wire.playout.heard(self.now)

    async def send_text(self, data: str) -> None:
        self._there.append((self.now + self.delay_s, json.loads(data)))

    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[VirtualLine]:
        sender = asyncio.create_task(self.wire.run(), name="virtual-sender")
        try:
            await self.run(self._disclosure_ms + 500)
            assert self.conversation.disclosed_at is not None
            yield self
        finally:
            sender.cancel()
            await asyncio.wait([sender])

    def say(self, pcm: bytes, utterance: int = 1) -> None:
        epoch = self.call.clock.epoch
        assert self.call.outlet.say(Spoken(utterance, epoch, pcm, last=True))

    async def hold(self) -> int:
        """Hold the outlet at this very moment; returns where it believes it was cut."""
        self.call.outlet.hold()
        await self.flush()
        return self.call.clock.heard

    async def run(self, milliseconds: int) -> None:
        for _ in range(milliseconds):
            self._step += 1
            self.now = 1_000 + self._step / 1_000
            self._deliver()
            if self.beating and self._step % 20 == 0:
                self.line.beat(self.now)
            await self.flush()

    async def flush(self) -> None:
        """Let the sender task hand over what is queued."""
        for _ in range(3):
            await asyncio.sleep(0)

    def _deliver(self) -> None:
        far_now = self.now * self._far_speed
        names = self.far_end.advance(far_now)
        while self._there and self._there[0][0] <= self.now + 1e-9:
            message = self._there.popleft()[1]
            if message["event"] == "media":
                names += self.far_end.media(base64.b64decode(message["media"]["payload"]), far_now)
            elif message["event"] == "mark":
                names += self.far_end.mark(message["mark"]["name"], far_now)
            else:
                self.cut_truth = self.far_end.position
                names += self.far_end.clear(far_now)
        self._back.extend((self.now + self.delay_s, name) for name in names)
        while self._back and self._back[0][0] <= self.now + 1e-9:
            name = self._back.popleft()[1]
            if self.lose_marks:
                self.lose_marks -= 1
            else:
                self.wire.mark_returned(name)
