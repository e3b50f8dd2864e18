"""What a recording hears: both doors of a call, on the outlet's clock."""

from __future__ import annotations

from typing import Protocol

from channels.clock import Clock
from channels.gate import Samples
from channels.inlet import InletListener


class Recording(Protocol):
    """Where the sound goes while the caller agrees. Quick; never raises, never waits."""

    def twin(self, pcm: bytes, position: int) -> None: ...

    def caller(self, pcm: bytes, position: int) -> None: ...

    def unheard(self, begin: int, end: int) -> None: ...


class Tap:
    """What the outlet hands everything that leaves, marked, and the inlet's listener; all passes unchanged.

    While `recording` is None, which it is until somebody clearly said yes, not a byte goes anywhere but on.
    """

    def __init__(self, listener: InletListener, clock: Clock) -> None:
        self.recording: Recording | None = None
        self._listener = listener
        self._clock = clock

    def process(self, samples: Samples, position: int) -> Samples:
        """From the outlet."""
        if self.recording is not None:
            self.recording.twin(samples.tobytes(), position)
        return samples

    def unheard(self, begin: int, end: int) -> None:
        """From the outlet: what it sent at these positions was thrown away before the person heard it."""
        if self.recording is not None:
            self.recording.unheard(begin, end)

    def audio(self, pcm: bytes) -> None:
        """From the inlet."""
        if self.recording is not None:
            self.recording.caller(pcm, self._clock.position)
        self._listener.audio(pcm)

    def digit(self, digit: str) -> None:
        """From the inlet."""
        self._listener.digit(digit)

    def text(self, text: str) -> None:
        """From the inlet."""
        self._listener.text(text)
