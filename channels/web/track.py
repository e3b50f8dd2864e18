"""Out of the door and onto the wire: an aiortc track that is the outlet's clockwork."""

from __future__ import annotations

import asyncio
import fractions
from collections.abc import Awaitable, Callable

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from channels.outlet import CHUNK_MS, Outlet
from channels.web.handover import Handover

RATE_HZ = 48_000
"""Opus' own rate in WebRTC, so that the RTP timestamp is the clock's position and nothing is resampled. Per 20 ms
chunk aiortc's encoder took 0.129 ms at 48 kHz and 0.134 ms at 24 kHz, where its resampler also kept the first
chunk back: 20 ms more between the door and the ear."""
CHUNK_S = CHUNK_MS / 1000
CHUNK_SAMPLES = RATE_HZ * CHUNK_MS // 1000
CATCH_UP_S = 0.1
"""A loop that was late by less than this catches up by sending faster; the ear's jitter buffer covers it. After a
longer stall the schedule starts anew, because a burst would only grow the delay for the rest of the call."""


class TrackWire:
    """The wire of a browser call: hands each chunk to the track within the same tick, so it keeps nothing back."""

    def __init__(self, hang_up: Callable[[str], Awaitable[None]]) -> None:
        self.bytes_framed = 0
        """PCM bytes given to the encoder: must equal what passed the door."""
        self._hang_up = hang_up
        self._bytes_sent = 0
        self._chunk = b""

    @property
    def rate_hz(self) -> int:
        return RATE_HZ

    @property
    def bytes_sent(self) -> int:
        return self._bytes_sent

    def send(self, pcm: bytes) -> None:
        self._bytes_sent += len(pcm)
        self._chunk = pcm

    def clear(self) -> int:
        return self._bytes_sent // 2

    async def close(self, reason: str) -> None:
        await self._hang_up(reason)

    def take(self) -> bytes:
        """The chunk of this tick, for the encoder."""
        chunk, self._chunk = self._chunk, b""
        self.bytes_framed += len(chunk)
        return chunk


class OutletTrack(MediaStreamTrack):
    """Lets the outlet tick once per 20 ms and gives aiortc exactly the samples that left. There is no queue."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.stalls = 0
        """How often the loop was so late that the schedule started anew."""
        self.handover = Handover()
        self.on_left: Callable[[int, int], None] = lambda begin, end: None
        """Told from which position up to before which one samples have just left. Must be quick and not raise."""
        self.left_s = 0.0
        """The loop's time at which the chunk that left last was to leave; the loop may have come to it later."""
        self._call: tuple[Outlet, TrackWire] | None = None
        self._begun = asyncio.Event()
        self._next_at: float | None = None

    def attach(self, outlet: Outlet, wire: TrackWire) -> None:
        """The call has begun; until now nothing was sent, silence included."""
        self._call = (outlet, wire)
        self._begun.set()

    async def recv(self) -> AudioFrame:
        """The next chunk, when its time has come. Raises `MediaStreamError` once the track has stopped."""
        self.handover.asked()
        await self._begun.wait()
        await self._turn()
        if self._call is None or self.readyState != "live":
            raise MediaStreamError
        outlet, wire = self._call
        position = outlet.clock.position
        # What the previous ticks gave is with aiortc and on its way; only the chunk below is still here.
        outlet.played(position)
        outlet.tick()
        pcm = wire.take()
        frame = AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
        frame.planes[0].update(pcm)
        frame.sample_rate = RATE_HZ
        frame.pts = position
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        self.on_left(position, outlet.clock.position)
        self.handover.gives(position)
        return frame

    def stop(self) -> None:
        self._begun.set()
        super().stop()

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._next_at is None:
            self._next_at = now
        elif now - self._next_at > CATCH_UP_S:
            self.stalls += 1
            self._next_at = now
        elif now < self._next_at:
            await asyncio.sleep(self._next_at - now)
        self.left_s = self._next_at
        self._next_at += CHUNK_S
