"""How much sound waits in LiveKit's audio source, and which sample leaves it now.

The source gives 10 ms of what it holds to the encoder every 10 ms, by a clock that keeps up after a delay. It
tells nobody how far it is, so it is simulated here from what was captured and when. Times are in seconds of the
monotonic clock, positions in samples of the outlet's clock.
"""

from __future__ import annotations

STEP_MS = 10
"""What the source takes at once: its phase is unknown, so nothing is said to be heard until so much later."""


class Playout:
    """One audio source. Pure: every method that needs the time is given it."""

    def __init__(self, rate_hz: int) -> None:
        self.sent = 0
        """Position after the last sample that was captured."""
        self.dry = 0
        """How often the source had run empty when more came."""
        self._rate_hz = rate_hz
        self._step = rate_hz * STEP_MS // 1000
        self._heard = 0
        self._anchor_position = 0
        self._anchor_at: float | None = None
        """When the sample at the anchor's position leaves; None: when the next one is captured."""

    def capture(self, samples: int, now: float) -> None:
        """The source is given these samples now."""
        if self._anchor_at is None or self._left(now) >= self.sent:
            self.dry += self._anchor_at is not None
            self._anchor_position = self.sent
            self._anchor_at = now
        self.sent += samples

    def clear(self, now: float) -> int:
        """The source is emptied; returns the position that left last. What is captured next begins at `sent`."""
        cut = self._left(now)
        self._anchor_position = self.sent
        self._anchor_at = None
        self._heard = max(self._heard, cut)
        return cut

    def full(self, samples: int, now: float) -> None:
        """The source has shown that it holds so many samples: it was slower than simulated."""
        self._anchor_position = max(0, self.sent - samples)
        self._anchor_at = now

    def heard(self, now: float) -> int:
        """What surely left by now; never goes back."""
        if self._anchor_at is not None:
            left = self._left(now)
            self._heard = max(self._heard, left if left >= self.sent else left - self._step)
        return self._heard

    def lead_ms(self, now: float) -> float:
        """How much waits in the source."""
        return (self.sent - self._left(now)) * 1000 / self._rate_hz if self._anchor_at is not None else 0.0

    def leaves_at(self, position: int, now: float) -> float:
        """When the sample at `position` leaves the source, or has left it."""
        if self._anchor_at is None:
            return now
        return self._anchor_at + (position - self._anchor_position) / self._rate_hz

    def _left(self, now: float) -> int:
        if self._anchor_at is None:
            return self._anchor_position
        # A microsecond's grace: 0.02 s are 960 samples also where the float is a hair below.
        passed = max(0, int((now - self._anchor_at + 1e-6) * self._rate_hz))
        return min(self.sent, self._anchor_position + passed)
