"""Who is in a room: from what the room says of its participants at this moment to who came, left and changed.

It looks at the whole room again and again instead of counting events: when the twin's own connection is made anew,
the room says that everybody left and came, and nobody did.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from channels.room import Person

LEFT_S = 1.5
"""Somebody who is gone for less has not left: a connection that is made anew takes about a third of a second."""
SETTLE_S = 0.5
"""Somebody who has just come does not yet get the twin's sound."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One participant as the room shows them now."""

    key: str
    """The room's own identity of them, which `person.identity` of somebody on the phone is not."""
    person: Person
    muted: bool = True
    """True as well while they offer no microphone."""
    shares: bool = False
    """Whether they share a screen."""


@dataclass(frozen=True, slots=True)
class Came:
    seat: Seat


@dataclass(frozen=True, slots=True)
class Left:
    seat: Seat


@dataclass(frozen=True, slots=True)
class Renamed:
    seat: Seat


@dataclass(frozen=True, slots=True)
class Muted:
    seat: Seat


@dataclass(frozen=True, slots=True)
class Shares:
    seat: Seat


Change: TypeAlias = Came | Left | Renamed | Muted | Shares


class People:
    """The room as it was told to the host. Pure; times are in seconds."""

    def __init__(self) -> None:
        self._here: dict[str, Seat] = {}
        self._missing_since: dict[str, float] = {}
        self._seen_since: dict[str, float] = {}

    @property
    def here(self) -> tuple[Seat, ...]:
        """Who was told to have come and not to have left."""
        return tuple(self._here.values())

    def seat(self, key: str) -> Seat | None:
        """Somebody who is here, by the room's identity of them."""
        return self._here.get(key)

    def key(self, identity: str) -> str | None:
        """The room's identity of a person who is here."""
        return next((seat.key for seat in self._here.values() if seat.person.identity == identity), None)

    def look(self, seats: Iterable[Seat], now: float, *, steady: bool = True) -> list[Change]:
        """What has changed. `steady`: False while the twin's own connection is being made anew, and then nobody
        leaves."""
        present = {seat.key: seat for seat in seats}
        changes: list[Change] = []
        self._missing_since = self._missing(present, now)
        for key, since in tuple(self._missing_since.items()):
            if steady and now - since >= LEFT_S:
                del self._missing_since[key]
                changes.append(Left(self._here.pop(key)))
        self._seen_since = {key: self._seen_since.get(key, now) for key in present if key not in self._here}
        for key, seat in present.items():
            old = self._here.get(key)
            if old is not None:
                changes += self._changed(old, seat)
            elif now - self._seen_since[key] >= SETTLE_S:
                seat = self._unique(seat)
                self._here[key] = seat
                changes.append(Came(seat))
        return changes

    def _missing(self, present: dict[str, Seat], now: float) -> dict[str, float]:
        return {key: self._missing_since.get(key, now) for key in self._here if key not in present}

    def _changed(self, old: Seat, new: Seat) -> list[Change]:
        # Under which subject somebody's words are kept does not change in the middle of a call.
        person = replace(old.person, name=new.person.name)
        seat = replace(new, person=person)
        self._here[old.key] = seat
        changes: list[Change] = []
        if person.name != old.person.name:
            changes.append(Renamed(seat))
        if seat.muted != old.muted:
            changes.append(Muted(seat))
        if seat.shares != old.shares:
            changes.append(Shares(seat))
        return changes

    def _unique(self, seat: Seat) -> Seat:
        # Two telephones of one number are two people, and so is whoever is called like the number of one.
        identity, number = seat.person.identity, 1
        while self.key(identity) is not None:
            identity = seat.key if number == 1 else f"{seat.key} {number}"
            number += 1
        return replace(seat, person=replace(seat.person, identity=identity))
