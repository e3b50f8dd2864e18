"""The outlet's last step in a room: chunks to LiveKit's audio source, which holds at most 100 ms of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels.livekit.playout import Playout

RATE_HZ = 48_000
"""Opus' own rate, so that nothing is resampled."""
SOURCE_MS = 100
"""What the source holds at most; it makes who captures more wait."""
BYTES_PER_SAMPLE = 2


class RoomWire:
    """`channels.wire.Wire` for one room. What `send` takes, whoever drives the outlet captures within the same
    tick (`take`)."""

    rate_hz = RATE_HZ

    def __init__(self, now: Callable[[], float], hang_up: Callable[[str], Awaitable[None]]) -> None:
        self.playout = Playout(RATE_HZ)
        self.bytes_sent = 0
        self.bytes_captured = 0
        """Given to the source: equals `bytes_sent`, less `bytes_forgotten`."""
        self.bytes_forgotten = 0
        """Taken back before they reached the source."""
        self.clears = 0
        """How often what waited was thrown away; a picture drawn for it is stale."""
        self.source: Any = None
        """The `rtc.AudioSource`, once there is one."""
        self._now = now
        self._hang_up = hang_up
        self._chunk = b""

    def send(self, pcm: bytes) -> None:
        self.bytes_sent += len(pcm)
        self._chunk += pcm
        self.playout.capture(len(pcm) // BYTES_PER_SAMPLE, self._now())

    def clear(self) -> int:
        self.clears += 1
        self.bytes_forgotten += len(self._chunk)
        self._chunk = b""
        if self.source is not None:
            self.source.clear_queue()
        return self.playout.clear(self._now())

    async def close(self, reason: str) -> None:
        await self._hang_up(reason)

    def take(self) -> bytes:
        """What was sent since the last time, to be captured now."""
        chunk, self._chunk = self._chunk, b""
        self.bytes_captured += len(chunk)
        return chunk
