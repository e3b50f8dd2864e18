"""How much a caller may send: a bucket that fills with time."""

from __future__ import annotations


class Allowance:
    """Lets through `per_second` units on average and `burst` at once. Time is passed in, in seconds."""

    def __init__(self, *, per_second: float, burst: float) -> None:
        self.refused = 0
        """Units that were over the limit."""
        self._per_second = per_second
        self._burst = burst
        self._left = burst
        self._since: float | None = None

    def take(self, units: float, now: float) -> bool:
        """True when `units` more are within the limit at the time `now`."""
        if self._since is not None:
            self._left = min(self._burst, self._left + (now - self._since) * self._per_second)
        self._since = now
        if units > self._left:
            self.refused += round(units)
            return False
        self._left -= units
        return True
