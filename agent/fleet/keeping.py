"""Which rooms have lost their twin. Pure: signs of life and dispatches in, rooms to serve again out.

A dispatch is the wish that the twin be in a room: it stands from when somebody sends for the twin until the twin
has left for good, which takes the wish back. So a wish whose worker is gone is a room that lost its twin. The
server itself never says that a job is over: it leaves every job in the state "running".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

BEAT_S = 0.5
LOST_AFTER_S = 2.5
"""Five beats missed: a worker whose loop is busy for a moment misses one or two."""
STEP_S = 2 * BEAT_S
"""Who looks only after longer was busy or asleep itself, as perhaps the whole machine was: it counts as that."""
NOBODY_CAME_S = 5.0
"""A room that was offered to workers is taken by one of them in that time, or by none."""
STEADY_S = 60.0
"""A twin that lasted that long did not die of its room."""
AGAIN_S = 10.0
"""Who takes a room over has done so by then, or died itself."""
ATTEMPT = "twin.attempt"
"""The attribute of a dispatch that counts how often the room was served anew."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A dispatch of our twin to a room, as the server tells it."""

    id: str
    room: str
    workers: tuple[str, ...] = ()
    """Who took it; empty: nobody."""
    jobs: tuple[str, ...] = ()
    age_s: float = 0.0
    """Since it was made."""
    served_s: float = 0.0
    """Since somebody took it last."""
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def attempt(self) -> int:
        """Which time in a row this is that the room is served anew."""
        told = self.attributes.get(ATTEMPT, "")
        return int(told) if told.isdecimal() else 0


class Pulse:
    """Who of the workers lives, by the numbers that their beats change."""

    def __init__(self, lost_after_s: float = LOST_AFTER_S) -> None:
        self._lost_after_s = lost_after_s
        self._looked_s: float | None = None
        self._silent: dict[str, tuple[int, float]] = {}
        """The last number of each, and for how long it has not changed."""

    def seen(self, stamps: Mapping[str, int], now_s: float) -> frozenset[str]:
        """Take in what stands in the store now; gives those who are lost. One that was never seen before counts
        as alive for as long as any other."""
        step_s = min(STEP_S, now_s - self._looked_s) if self._looked_s is not None else 0.0
        self._looked_s = now_s
        before = self._silent
        self._silent = {
            name: (stamp, before[name][1] + step_s if name in before and before[name][0] == stamp else 0.0)
            for name, stamp in stamps.items()
        }
        return frozenset(name for name, (_, silent_s) in self._silent.items() if silent_s >= self._lost_after_s)


def orphans(wishes: Iterable[Wish], lost: Collection[str], ended: Collection[str] = ()) -> list[Wish]:
    """The wishes that nobody fulfils: those of lost workers, those whose jobs ended without taking them back, and
    those that nobody took. Workers of whom nothing is known are another installation's business."""
    return [
        wish
        for wish in wishes
        if (not wish.jobs and wish.age_s >= NOBODY_CAME_S)
        or (wish.jobs and all(worker in lost for worker in wish.workers))
        or (wish.jobs and all(job in ended for job in wish.jobs))
    ]


def next_attempt(wish: Wish, limit: int) -> int | None:
    """How the count goes on, or None when the room kills whoever serves it. Waiting for a worker is no attempt."""
    if not wish.jobs:
        return wish.attempt
    attempt = 1 if wish.served_s >= STEADY_S else wish.attempt + 1
    return attempt if attempt <= limit else None


class Claims:
    """Under which name a wish is claimed: once for all keepers, and once more when it still stands after a while,
    because the keeper that had claimed it died as well."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def name(self, wish: Wish, now_s: float) -> str:
        since_s = self._since.setdefault(wish.id, now_s)
        return f"redispatch:{wish.id}:{int((now_s - since_s) / AGAIN_S)}"

    def only(self, ids: Collection[str]) -> None:
        """Forget all others."""
        self._since = {wish: since_s for wish, since_s in self._since.items() if wish in ids}
