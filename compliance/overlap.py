"""Who spoke at once: the turns of a meeting that lie over one another on the clock. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

LEAST_S = 0.3
"""Less is how people take turns, not how they speak over one another."""


class Spoken(Protocol):
    """A turn."""

    @property
    def sequence(self) -> int: ...
    @property
    def start_samples(self) -> int: ...
    @property
    def end_samples(self) -> int: ...
    @property
    def rate_hz(self) -> int: ...


def overlapping(turns: Iterable[Spoken]) -> frozenset[int]:
    """The sequences of the turns during which another one sounded for `LEAST_S` or longer."""
    found: set[int] = set()
    before: list[Spoken] = []
    for turn in sorted(turns, key=lambda turn: turn.start_samples):
        least = LEAST_S * turn.rate_hz
        before = [other for other in before if other.end_samples - turn.start_samples >= least]
        if before and turn.end_samples - turn.start_samples >= least:
            found.add(turn.sequence)
            found.update(other.sequence for other in before)
        before.append(turn)
    return frozenset(found)
