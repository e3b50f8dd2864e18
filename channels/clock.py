"""The one clock: samples that left the outlet."""

from __future__ import annotations


class Clock:
    """The only media time of a call.

    `position` counts the samples that left the outlet, silence included, so it never stops while the call is
    connected. `heard` is how many of them the person's side is known to have played; it never passes
    `position` and never goes back. `epoch` numbers the twin's turns: everything made for an older epoch is
    dropped at the door.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._position = 0
        self._heard = 0
        self._epoch = 0

    @property
    def position(self) -> int:
        return self._position

    @property
    def heard(self) -> int:
        return self._heard

    @property
    def epoch(self) -> int:
        return self._epoch

    def left(self, samples: int) -> None:
        """`samples` have just left the outlet."""
        if samples < 0:
            raise ValueError(f"samples must not be negative, got {samples}")
        self._position += samples

    def heard_until(self, position: int) -> None:
        """The person's side has played everything before `position`. Late and early reports are clamped."""
        self._heard = max(self._heard, min(position, self._position))

    def next_epoch(self) -> int:
        """A new turn begins; whatever belongs to the old one is stale from now on."""
        self._epoch += 1
        return self._epoch

    def samples(self, milliseconds: float) -> int:
        return round(milliseconds * self.rate_hz / 1000)

    def milliseconds(self, samples: int) -> float:
        return samples * 1000 / self.rate_hz
