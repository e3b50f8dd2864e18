"""What carries the sound to the person: a socket, a WebRTC track, a room."""

from __future__ import annotations

from typing import Protocol


class Wire(Protocol):
    """The last step, behind the outlet. Only the outlet may call `send` and `clear`."""

    @property
    def rate_hz(self) -> int: ...

    @property
    def bytes_sent(self) -> int:
        """PCM bytes it has put on the wire or into its own bounded buffer, counted as int16 mono."""
        ...

    def send(self, pcm: bytes) -> None:
        """Take one chunk. Never blocks and never waits."""
        ...

    def clear(self) -> int:
        """Throw away what was sent and not yet played; returns the best estimate of the clock position that was
        played last. A wire that keeps nothing back returns the position of the last chunk it took."""
        ...

    async def close(self, reason: str) -> None:
        """Hang up, within 5 s. Safe to call twice."""
        ...
