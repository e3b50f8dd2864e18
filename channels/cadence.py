"""Which frames belong to which samples: pictures counted on the outlet's clock, in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cadence:
    """Frame `n` is due at `n / fps` seconds of the clock, computed anew each time, so nothing drifts."""

    rate_hz: int
    fps: int

    def __post_init__(self) -> None:
        if self.rate_hz < 1 or self.fps < 1:
            raise ValueError(f"a cadence needs a rate and frames, got {self.rate_hz} Hz and {self.fps} fps")

    def position(self, number: int) -> int:
        """The first sample at or after the time of frame `number`."""
        return -(-number * self.rate_hz // self.fps)

    def due(self, begin: int, end: int) -> range:
        """The numbers of the frames whose sample is among those from `begin` up to before `end`."""
        return range(self._first(begin), self._first(end))

    def ticks(self, number: int, ticks_hz: int) -> int:
        """The time of frame `number` in ticks of another clock with the same beginning, rounded down."""
        return number * ticks_hz // self.fps

    def _first(self, position: int) -> int:
        """The first frame whose sample is not before `position`."""
        # ceil(n * rate / fps) >= position  <=>  n * rate > (position - 1) * fps
        return (position - 1) * self.fps // self.rate_hz + 1
