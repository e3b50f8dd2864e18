"""The clockwork of a room: lets the outlet tick so that a little of it always waits at LiveKit, and never more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from channels.call import Call
from channels.livekit.wire import BYTES_PER_SAMPLE, RATE_HZ, SOURCE_MS, RoomWire
from channels.outlet import CHUNK_MS
from compliance.errors import ChannelError

BEAT_S = CHUNK_MS / 1000
IDLE_LEAD_MS = 50.0
"""How much silence may wait: it delays the answer behind it, and nobody hears when it runs out."""
CAPTURE_LIMIT_S = 1.0
FULL_S = 0.03
"""A capture that took so long waited for room in the source."""


class Sound:
    """One call's voice on its way to the source. `run` is everything."""

    def __init__(self, rtc: Any, call: Call, wire: RoomWire, lead_ms: float, now: Callable[[], float]) -> None:
        self.on_left: Callable[[int, int], None] = lambda begin, end: None
        """Told from which position up to before which one samples have just left. Must be quick and not raise."""
        self.paused = False
        """True: nothing leaves and the clock stands, because nobody would hear it."""
        self.late_beats = 0
        """Beats that came more than a beat late: the event loop was blocked."""
        self.max_lead_ms = 0.0
        self._rtc = rtc
        self._call = call
        self._outlet = call.outlet
        self._wire = wire
        self._lead_ms = lead_ms
        self._now = now

    async def run(self) -> None:
        """Beat until cancelled. Raises `ChannelError` when the source takes nothing any more."""
        due = self._now()
        while True:
            now = self._now()
            if now - due > BEAT_S:
                self.late_beats += 1
                due = now
            if not self.paused:
                await self._beat()
            due += BEAT_S
            await asyncio.sleep(max(0.0, due - self._now()))

    async def _beat(self) -> None:
        playout = self._wire.playout
        self._outlet.played(playout.heard(self._now()))
        while playout.lead_ms(self._now()) <= self._wanted_lead_ms - CHUNK_MS and not self.paused:
            begin = self._outlet.clock.position
            self._outlet.tick()
            self.on_left(begin, self._outlet.clock.position)
            await self._capture(self._wire.take())
        self.max_lead_ms = max(self.max_lead_ms, playout.lead_ms(self._now()))

    @property
    def _wanted_lead_ms(self) -> float:
        return self._lead_ms if self._outlet.speaking else min(IDLE_LEAD_MS, self._lead_ms)

    async def _capture(self, pcm: bytes) -> None:
        if not pcm:
            return
        samples = len(pcm) // BYTES_PER_SAMPLE
        began = self._now()
        try:
            async with asyncio.timeout(CAPTURE_LIMIT_S):
                await self._wire.source.capture_frame(self._rtc.AudioFrame(pcm, RATE_HZ, 1, samples))
        except TimeoutError:
            raise ChannelError("The room takes no more sound.") from None
        if self._now() - began > FULL_S:
            self._wire.playout.full(RATE_HZ * SOURCE_MS // 1000, self._now())
