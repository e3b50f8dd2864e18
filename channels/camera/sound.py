"""What the channel needs of this machine's sound, whichever library or server gives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

RATE_HZ = 48_000
"""What the twin's sound leaves at: that of meetings' programs, so that nothing is resampled on the way."""
HEARD_RATE_HZ = 16_000
"""What the meeting's sound arrives at."""


class Sound(Protocol):
    """A microphone for the meeting's program, which the twin speaks into, and a speaker that the twin hears."""

    @property
    def microphone(self) -> str:
        """What to choose as microphone in the meeting's program."""
        ...

    @property
    def speaker(self) -> str:
        """What to choose as speaker there."""
        ...

    @property
    def wanted(self) -> int:
        """Samples it takes now; with them the lead is what the settings say, and no more."""
        ...

    @property
    def gaps(self) -> int:
        """How often it had nothing to play and was silent: this process was too busy, or was told to."""
        ...

    async def open(self) -> None:
        """Make or find the devices; nothing sounds yet. Raises `SoundMissing`."""
        ...

    async def begin(
        self, on_wanted: Callable[[], None], on_heard: Callable[[bytes], None], on_lost: Callable[[], None]
    ) -> None:
        """From now on it plays and listens, and says when it wants more, what it heard (int16 mono at 16 kHz), and
        once when it is gone. All in the loop; they must be quick and must not raise. Raises `SoundMissing`."""
        ...

    def play(self, pcm: bytes) -> None:
        """Take what is `wanted`: int16 mono at 48 kHz. Never waits."""
        ...

    def clear(self) -> int:
        """Throw away what was taken and not played; returns how many of all samples will have been played."""
        ...

    @property
    def played(self) -> int:
        """How many samples have been played, counting those that were thrown away once later ones have."""
        ...

    @property
    def lead_ms(self) -> float:
        """What was taken and has not been played."""
        ...

    async def close(self) -> None:
        """Free everything and take away the devices that were made, within 5 s. Safe to call twice."""
        ...
