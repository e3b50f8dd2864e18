"""Who is in a meeting, as the channel tells it: everybody has a door of their own, closed until they were told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from channels.inlet import Inlet, InletListener
from channels.room import Person


class Hearing(Protocol):
    """`agent.meeting.hearing.hall.Hall`."""

    def enter(self, identity: str) -> InletListener: ...

    def leave(self, identity: str) -> None: ...

    def muted(self, identity: str, muted: bool) -> None: ...


class Told(Protocol):
    """Who is told what changed, in this order of events: the meeting's floor."""

    def came(self, person: Person) -> None: ...

    def went(self, identity: str) -> None: ...

    def renamed(self, person: Person) -> None: ...

    def muted(self, identity: str, muted: bool) -> None: ...

    def shares_screen(self, identity: str, shares: bool) -> None: ...


class _Relay:
    """The listener of one person's door, for as long as the meeting lasts; they may leave and come back."""

    def __init__(self) -> None:
        self.to: InletListener | None = None

    def audio(self, pcm: bytes) -> None:
        if self.to is not None:
            self.to.audio(pcm)

    def digit(self, digit: str) -> None:
        if self.to is not None:
            self.to.digit(digit)

    def text(self, text: str) -> None:
        if self.to is not None:
            self.to.text(text)


class MeetingAttendance:
    """One meeting's. Doors are opened by `admit` alone, one by one."""

    def __init__(
        self,
        rate_hz: int,
        hearing: Hearing,
        told: Told,
        listening: Callable[[str, int, InletListener], InletListener] = lambda identity, place, listener: listener,
    ) -> None:
        """`listening` may stand between a door and who hears it; `place` is how many came before them."""
        self._rate_hz = rate_hz
        self._hearing = hearing
        self._told = told
        self._listening = listening
        self._doors: dict[str, Inlet] = {}
        self._relays: dict[str, _Relay] = {}
        self._here: dict[str, Person] = {}
        self._closed = False

    def joined(self, person: Person) -> Inlet:
        identity = person.identity
        if person.kind == "machine":
            # A door that nobody opens and nobody listens at.
            return Inlet(self._rate_hz, _Relay())
        door = self._doors.get(identity)
        if door is None:
            self._relays[identity] = _Relay()
            door = self._doors[identity] = Inlet(self._rate_hz, self._relays[identity])
        if identity in self._here:
            return door
        self._here[identity] = person
        place = list(self._relays).index(identity)
        self._relays[identity].to = self._listening(identity, place, self._hearing.enter(identity))
        self._told.came(person)
        return door

    def left(self, identity: str) -> None:
        if self._here.pop(identity, None) is None:
            return
        self._relays[identity].to = None
        self._hearing.leave(identity)
        self._told.went(identity)

    def renamed(self, identity: str, name: str) -> None:
        person = self._here.get(identity)
        if person is not None and person.name != name:
            self._here[identity] = Person(identity, name, person.kind, person.may_command)
            self._told.renamed(self._here[identity])

    def muted(self, identity: str, muted: bool) -> None:
        if identity in self._here:
            self._hearing.muted(identity, muted)
            self._told.muted(identity, muted)

    def shares_screen(self, identity: str, shares: bool) -> None:
        if identity in self._here:
            self._told.shares_screen(identity, shares)

    def admit(self, identity: str) -> None:
        """They have heard what the twin is: from now on they are listened to."""
        door = self._doors.get(identity)
        if door is not None and not self._closed:
            door.open()

    def open(self) -> None:
        """The disclosure was heard; who heard it is admitted one by one."""

    def close(self) -> None:
        """Nobody is heard any more."""
        self._closed = True
        for door in self._doors.values():
            door.close()
