"""Which of the twin's samples the sound server has played: the far end of the wire, counted and not guessed.

The server tells how far it has read what it was given, and how much of that its device still holds. Between two
such reports time goes on at the device's pace, never past what was given. Positions are of the outlet's clock.
"""

from __future__ import annotations


class Playout:
    """Pure: every method that needs the time is given it, in seconds of any monotonic clock."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self.sent = 0
        """Position after the last sample that was given."""
        self._base: int | None = 0
        """The position of the server's sample 0; None while it is not known what a `clear` has left of it."""
        self._read = 0
        """The position up to which the server had read, at `_at`."""
        self._at: float | None = None
        self._device = 0
        """Samples that were read and had not sounded, then."""
        self._heard = 0
        self._cut = 0
        """Nothing before this is outstanding."""

    def gave(self, samples: int, now: float) -> None:
        """The server has so many more."""
        if self._at is not None and self._went(now) >= self.sent:
            # It had run dry, and what comes now is not played before it came.
            self._read, self._at = self.sent, now
        self.sent += samples

    def report(self, written: int, read: int, device: int, now: float) -> None:
        """The server's own count of samples written and read, and what its device holds. A report from before the
        last `clear` must not be told."""
        if self._base is None:
            # All that was given since the clear is written, in order; the report counts it up to some point.
            self._base = self._cut - written
        self._read = max(self._cut, min(self._base + read, self.sent))
        self._device = max(0, device)
        self._at = now

    def clear(self, now: float) -> int:
        """What the server has not read is thrown away; returns the position that will have been played last."""
        self._heard = max(self._heard, self._reached(now))
        cut = self._heard
        self._cut = self._read = self.sent
        self._base = None
        self._at = None
        return cut

    def heard(self, now: float) -> int:
        """Everything before this has sounded."""
        if self._at is not None:
            self._heard = max(self._heard, min(self.sent, self._went(now) - self._device))
        return self._heard

    def lead_ms(self, now: float) -> float:
        """How much was given and has not sounded."""
        return (self.sent - max(self._cut, self.heard(now))) * 1000 / self._rate_hz

    def _reached(self, now: float) -> int:
        """How far the server has read by now."""
        return self._heard if self._at is None else min(self.sent, self._went(now))

    def _went(self, now: float) -> int:
        """Where the device would be by now if there were sound without end."""
        since_s = max(0.0, now - self._at) if self._at is not None else 0.0
        return self._read + int(since_s * self._rate_hz + 1e-6)
