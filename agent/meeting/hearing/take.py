"""One utterance while it is taken down: its sound, and what is known of its words."""

from __future__ import annotations

import asyncio

from agent.meeting.hearing.copies import Taken
from agent.meeting.hearing.sound import loudness_dbfs

MOST_S = 30.0


class Take:
    """In RAM only, and no longer than its words take."""

    def __init__(self, who: str, start: int, *, rate_hz: int) -> None:
        self.who = who
        self.start = start
        self.end = start
        self.rate_hz = rate_hz
        self.text = ""
        """What the recogniser has of it."""
        self.speaking = True
        self.told = False
        """That it began."""
        self.doubtful = False
        """It may be the twin's own voice, and nothing is told of it until it is not."""
        self.live = False
        """The recogniser has had all that was said so far, and gets the rest as it comes."""
        self.over = asyncio.Event()
        """They have ended it."""
        self.over_at = 0
        """By the clock, when it was over."""
        self.settled = asyncio.Event()
        """It was told, or found to be nothing."""
        self._pcm = bytearray()
        self._until = start
        """Where its sound ends, by the clock."""
        self._let_go = 0
        self._max_bytes = round(MOST_S * rate_hz) * 2

    @property
    def pcm(self) -> bytes:
        """At most the last 30 s."""
        return bytes(self._pcm)

    def add(self, pcm: bytes, at: int) -> None:
        """More of its sound, which ended at `at`."""
        self._pcm += pcm
        self._until = at
        surplus = len(self._pcm) - self._max_bytes
        if surplus > 0:
            self._let_go += surplus
            del self._pcm[:surplus]

    def after(self, given: int) -> bytes:
        """What is kept of its sound after the first `given` bytes."""
        return bytes(self._pcm[max(0, given - self._let_go) :])

    def taken(self, clock_hz: int, now: int) -> Taken:
        """For comparing with others, at this position of the clock."""
        since = self._until - round(len(self._pcm) // 2 * clock_hz / self.rate_hz)
        end = self.end if self.over.is_set() else now
        pcm = bytes(self._pcm)
        dbfs = loudness_dbfs(pcm, self.rate_hz)
        return Taken(self.who, self.start, end, self.text, dbfs, pcm, self.rate_hz, since)
