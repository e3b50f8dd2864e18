"""Who is in a meeting, and so what may be said in it: what the strictest of them may hear."""

from __future__ import annotations

from agent.meeting.settings import MeetingSettings
from channels.room import Person
from persona.caller import Caller
from persona.people import People
from persona.prompt import Company as Present
from persona.source import Memory


class Company:
    """Of one meeting; people only, without other machines and without the twin."""

    def __init__(self, people: People, settings: MeetingSettings) -> None:
        self._people = people
        self._settings = settings
        self._here: dict[str, Person] = {}
        self._names: dict[str, str] = {}
        """Of those as well who have left: their last words may still be on their way."""
        self._shown: dict[str, str] = {}
        """Names as a brain may see them."""
        self.asker = ""
        """Whom the twin answers now, by identity."""

    @property
    def here(self) -> tuple[str, ...]:
        """Their identities, in the order in which they came."""
        return tuple(self._here)

    @property
    def alone(self) -> bool:
        """Whether there is one person, so that the meeting is a call."""
        return len(self._here) == 1

    @property
    def owner_here(self) -> bool:
        return any(identity in self._settings.owner for identity in self._here)

    def came(self, person: Person, shown: str) -> None:
        """Or was renamed. `shown`: their name as a brain may see it."""
        self._here[person.identity] = person
        self._names[person.identity] = person.name
        self._shown[person.identity] = shown

    def went(self, identity: str) -> None:
        self._here.pop(identity, None)

    def person(self, identity: str) -> Person:
        """Somebody who is here, or as much as is known of who is not."""
        return self._here.get(identity) or Person(identity)

    def name(self, identity: str) -> str:
        """What somebody calls themselves; empty is unknown."""
        return self._names.get(identity, "")

    def others(self, identity: str) -> tuple[str, ...]:
        """The names of everybody else, their identities where they gave none."""
        return tuple(one.name or one.identity for one in self._here.values() if one.identity != identity)

    def may_command(self, identity: str) -> bool:
        """Whether they may say how the twin takes part."""
        settings = self._settings
        return identity in (*settings.owner, *settings.may_command) or self.person(identity).may_command

    def caller(self) -> Caller:
        """Whoever is answered, with the rights of the strictest who hears it: everybody."""
        listed = [self._people.find(one) for one in self._here if one not in self._settings.owner]
        alone = listed[0][0] if len(listed) == 1 and len(listed[0]) == 1 else None
        sure = alone is not None and not alone.shared
        return Caller(
            name=self._shown.get(self.asker, ""),
            number=self.asker if self.asker.startswith("+") else "",
            known=bool(listed) and all(listed),
            person=alone.name if alone is not None and sure else "",
            relation=alone.relation if alone is not None and sure else "",
        )

    def memories(self, said: str) -> tuple[Memory, ...]:
        """None: what one person told earlier is not for everybody."""
        return ()

    def present(self) -> Present | None:
        """What a brain is told about it; None for one person alone, which is a call like any other."""
        if self.alone:
            return None
        names = tuple(self._shown.get(identity, "") for identity in self._here)
        return Present(tuple(name for name in names if name), len(names))
