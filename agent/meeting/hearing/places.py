"""Who has a recogniser, when there are fewer than people. Pure.

First come, first served, and nobody keeps a place for a second utterance while somebody waits for their first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Give:
    """They are recognised from now on."""

    who: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """They have no recogniser any more; it comes before the `Give` that it makes room for."""

    who: str


Deal: TypeAlias = Give | Withdraw


class Places:
    """`limit` of them. Who has fallen silent keeps theirs warm until another needs it, or `warm_ms` are over."""

    def __init__(self, limit: int, *, warm_ms: float) -> None:
        self._limit = limit
        self._warm_ms = warm_ms
        self._busy: set[str] = set()
        self._warm: dict[str, float] = {}
        """Since when, longest first."""
        self._waiting: dict[str, None] = {}

    def waits(self, who: str) -> bool:
        return who in self._waiting

    def wants(self, who: str) -> list[Deal]:
        """They said something. Asking again changes nothing."""
        if who in self._busy or who in self._waiting:
            return []
        if who in self._warm:
            del self._warm[who]
            self._busy.add(who)
            return [Give(who)]
        self._waiting[who] = None
        return list(self._dealt())

    def rests(self, who: str, now_ms: float) -> list[Deal]:
        """Their words are there."""
        if who not in self._busy:
            return []
        self._busy.discard(who)
        self._warm[who] = now_ms
        return list(self._dealt())

    def gone(self, who: str) -> list[Deal]:
        """They want nothing any more, or what they were given does not work."""
        self._waiting.pop(who, None)
        if who not in self._busy and who not in self._warm:
            return []
        self._busy.discard(who)
        self._warm.pop(who, None)
        return [Withdraw(who), *self._dealt()]

    def tick(self, now_ms: float) -> list[Deal]:
        """Time has passed."""
        cold = [who for who, since_ms in self._warm.items() if now_ms - since_ms >= self._warm_ms]
        for who in cold:
            del self._warm[who]
        return [Withdraw(who) for who in cold]

    def _dealt(self) -> Iterator[Deal]:
        while self._waiting:
            if len(self._busy) + len(self._warm) >= self._limit:
                if not self._warm:
                    return
                longest = next(iter(self._warm))
                del self._warm[longest]
                yield Withdraw(longest)
            who = next(iter(self._waiting))
            del self._waiting[who]
            self._busy.add(who)
            yield Give(who)
