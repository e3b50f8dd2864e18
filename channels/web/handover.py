"""Which frame aiortc has sent last, seen from the track that gives it frames."""

from __future__ import annotations


class Handover:
    """aiortc asks for the next frame once it has sent the one before: while it waits, all it got was sent."""

    def __init__(self) -> None:
        self.last = 0
        """When the frame that was given last begins, in ticks of the track's clock."""
        self._given = self._waits = False

    @property
    def sent(self) -> int | None:
        """The ticks of the frame that was sent last; None while one is on its way, and before the first."""
        return self.last if self._given and self._waits else None

    def asked(self) -> None:
        """aiortc asks for the next frame."""
        self._waits = True

    def gives(self, ticks: int) -> None:
        """The frame that begins at `ticks` is handed over."""
        self.last = ticks
        self._given = True
        self._waits = False
