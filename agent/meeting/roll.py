"""Who comes and goes in a meeting, told to all who have to know."""

from __future__ import annotations

from collections.abc import Callable

from agent.meeting.company import Company
from agent.meeting.consenting import MeetingConsenting
from agent.recorder import Recorder
from channels.room import Person


class Roll:
    """One meeting's; what `MeetingAttendance` tells."""

    def __init__(
        self,
        company: Company,
        consenting: MeetingConsenting,
        recorder: Recorder,
        *,
        named: Callable[[str], str],
        gone: Callable[[str], None],
    ) -> None:
        """`named` gives a name as a brain may see it; `gone` is told who cannot be heard any more."""
        self._company = company
        self._consenting = consenting
        self._recorder = recorder
        self._named = named
        self._gone = gone

    def came(self, person: Person) -> None:
        self._company.came(person, self._named(person.name))
        self._consenting.came(person.identity)

    def went(self, identity: str) -> None:
        if self._consenting.told(identity):
            self._recorder.event("left", {}, speaker=identity)
            self._recorder.left(identity)
        self._consenting.went(identity)
        self._company.went(identity)
        self._gone(identity)

    def renamed(self, person: Person) -> None:
        self._company.came(person, self._named(person.name))
        if self._consenting.told(person.identity):
            self._recorder.participant(person.identity, person.name)
            self._recorder.event("renamed", {}, speaker=person.identity)

    def muted(self, identity: str, muted: bool) -> None:
        self._note(identity, "muted" if muted else "unmuted", {})
        if muted:
            self._gone(identity)

    def shares_screen(self, identity: str, shares: bool) -> None:
        self._note(identity, "shares_screen", {"shares": shares})

    def _note(self, identity: str, kind: str, detail: dict[str, object]) -> None:
        """Of those who were told, because of the others nothing is kept."""
        if self._consenting.told(identity):
            self._recorder.event(kind, detail, speaker=identity)
