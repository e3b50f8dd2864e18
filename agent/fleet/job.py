"""One room to be served, whoever hosts it: this process, or a worker's own process for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RoomJob:
    """Where to go, and as whom."""

    url: str
    """Of the LiveKit server, ws:// or wss://."""
    token: str
    """A join token for that room."""
    room: str
    """The room's name."""
    metadata: str = ""
    """What the dispatcher said: JSON such as {"mode": "silent"}, or empty."""
    e2ee_key: str = ""
    """The room's shared key; empty: what is said is not encrypted from end to end."""


class JobHost(Protocol):
    """Takes rooms and runs each to its end."""

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms it serves now."""
        ...

    async def run(self) -> None:
        """Serve until `drain` is called and the last room is over."""
        ...

    async def drain(self) -> None:
        """Take no further room; those in progress go on to their end, within the settings' limit."""
        ...
