"""When the twin leaves a room by itself: nobody came, nobody is left, or the way there is lost."""

from __future__ import annotations

from typing import Literal

Reason = Literal["nobody_came", "alone", "connection_lost"]


class Presence:
    """Pure; times are in seconds of one clock."""

    def __init__(self, now: float, *, first_s: float, alone_s: float, lost_s: float) -> None:
        self._first_s = first_s
        self._alone_s = alone_s
        self._lost_s = lost_s
        self._came = False
        self._alone_since: float | None = now
        self._lost_since: float | None = None

    @property
    def came(self) -> bool:
        """Whether somebody was ever there."""
        return self._came

    def people(self, count: int, now: float) -> None:
        """So many are there now, other machines not counted."""
        if count:
            self._came = True
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = now

    def connected(self, connected: bool, now: float) -> None:
        """The connection is up, or is being made anew."""
        if connected:
            self._lost_since = None
        elif self._lost_since is None:
            self._lost_since = now

    def leaves(self, now: float) -> Reason | None:
        """Why to leave now; None to stay."""
        if self._lost_since is not None and now - self._lost_since >= self._lost_s:
            return "connection_lost"
        if self._alone_since is None or self._lost_since is not None:
            return None
        waited_s = now - self._alone_since
        if not self._came:
            return "nobody_came" if waited_s >= self._first_s else None
        return "alone" if waited_s >= self._alone_s else None
