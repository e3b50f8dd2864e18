"""Who speaks in a call, as far as it is known, and what may therefore be told and remembered. Pure.

    identity = Identity(Start(subject, people=people.find(subject), ...), language="en")
    identity.opening_question()              # "who_is_calling" where the number alone says too little
    identity.heard("this is Anna", asked=True)
    identity.caller()                        # Caller(name="Anna", known=True, person="Anna Schmidt", ...)

A number says less than it seems to: families share them, providers give them out again, and what a display shows
can be forged. So memories open by a number alone only when one person is known under it and called not long ago;
what is meant for people by name asks for number *and* name. A name that is stored is never said first: whoever has
the number now would learn who had it before.

    stranger    nobody is known under the number (or there is none): nothing to open
    unsure      somebody is, but it is shared, or was not heard for long, or is not vouched for: closed
    recognised  exactly one is, and called not long ago: their memories are open
    confirmed   they gave a name that is known under the number: that person's memories are open
    other       they are somebody else: closed for the rest of the call
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from persona.caller import Caller
from persona.introduced import name_given, same_name, says_it_is_still_them, speaks_for_another
from persona.source import Memory
from persona.unnamed import as_given, without_names

FRESH_DAYS = 60
"""Providers give a number out again after 45 days at the earliest in most places; after so long, ask."""
WHO, WHICH = "who_is_calling", "which_name"
"""What the twin asks; the wordings are in identity.toml, see `introduced.question`."""
_OF_NAME = ("name", "nickname")
_DAY_MS = 86_400_000


class Listed(Protocol):
    """Somebody of `people.toml`: `persona.people.Person`."""

    @property
    def name(self) -> str: ...
    @property
    def called(self) -> str: ...
    @property
    def relation(self) -> str: ...
    @property
    def shared(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Start:
    """What is known when a call begins."""

    subject: str
    """The number, address or participant identity; empty when it is withheld."""
    people: Sequence[Listed] = ()
    """Those whom the owner lists under it."""
    remembered: Sequence[str] = ()
    """The names under which people spoke from it before, with consent."""
    last_heard_ms: int | None = None
    """When it was last heard, in Unix milliseconds; None is never."""
    now_ms: int = 0
    attested: bool | None = None
    """Whether the network vouches for the number; None is not known, which most networks leave it at."""
    fresh_days: int = FRESH_DAYS


class State(Enum):
    """What is known of who speaks; see the top of this file."""

    STRANGER = "stranger"
    UNSURE = "unsure"
    RECOGNISED = "recognised"
    CONFIRMED = "confirmed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from what was said."""

    state: State
    changed: bool = False
    ask: str = ""
    """A question for the twin to ask now (`WHICH`); empty is none."""


class Identity:
    """One call's. It never becomes surer than the number allows, and never goes back from `OTHER`."""

    def __init__(self, start: Start, *, language: str = "en") -> None:
        self._start = start
        self._language = language
        self._names = _names(start)
        self._said = ""
        """The name that they gave."""
        self._stored = ""
        """The name in `_names` that it is, once confirmed."""
        self._asked_which = False
        self._state = self._at_start()

    @property
    def state(self) -> State:
        return self._state

    @property
    def unlocked(self) -> bool:
        """Whether memories may be used; which ones, `may_use` says."""
        return self._state in (State.RECOGNISED, State.CONFIRMED)

    @property
    def speaker(self) -> str:
        """The name under which to keep what is remembered of this call; empty where nobody can say.

        For storage only: before they gave it, it may not be said, nor shown to a model.
        """
        if self._state is State.RECOGNISED:
            return self._names[0] if self._names else self._said
        return self._stored or self._said

    @property
    def may_remember(self) -> bool:
        """Whether what they say can be kept as theirs, given consent. Of somebody without a name under a number
        that others are known by it cannot: the next call from it would take it for theirs."""
        return self._state in (State.STRANGER, State.RECOGNISED, State.CONFIRMED) or bool(self._said)

    def opening_question(self) -> str | None:
        """What to ask once at the beginning (`WHO`), or None. No wording of it holds a name."""
        return WHO if self._state is State.UNSURE and not self._said else None

    def heard(self, text: str, *, asked: bool = False) -> Step:
        """Take in a whole turn of the caller. `asked`: they were just asked who they are; a name alone counts."""
        before = self._state
        another = speaks_for_another(text, self._language, asked=asked)
        if another is not None and another.sure:
            self._said = another.name or self._said
            self._not_them()
            return Step(self._state, changed=self._state is not before)
        name = name_given(text, self._language, asked=asked or self._asked_which, known=self._names)
        name = name or (another.name if another is not None else "")
        if not name:
            return self._in_doubt(before) if another is not None else self._without_name(text)
        self._said = name if len(name.split()) >= len(self._said.split()) else self._said
        if self._state is State.OTHER:
            self._said = name
            return Step(self._state)
        return self._named(name, before)

    def may_use(self, memory: Memory) -> bool:
        """Whether this memory of the number is the speaker's, and may be used now."""
        if not self.unlocked:
            return False
        if memory.person:
            return same_name(self.speaker, memory.person)
        return len(self._names) <= 1

    def usable(self, memories: Iterable[Memory]) -> tuple[Memory, ...]:
        """Those of the number that may be used now, for a brain: a name they have not given stands in none."""
        names, given = {self.speaker, *self._names}, self.caller().name
        return tuple(
            replace(
                memory,
                text=without_names(memory.text, names, given=given, language=self._language),
                person="",
            )
            for memory in memories
            if self.may_use(memory) and (self._said or memory.about not in _OF_NAME)
        )

    def caller(self) -> Caller:
        """What the rest of the twin may know of them: no name that they have not given."""
        start = self._start
        if self._state is State.CONFIRMED:
            listed = next((person for person in start.people if person.name == self._stored), None)
            return Caller(
                name=as_given(self._said, self._stored),
                number=start.subject,
                known=True,
                person=listed.name if listed else "",
                relation=listed.relation if listed else "",
            )
        return Caller(name=self._said, number=start.subject, known=self._state is State.RECOGNISED)

    def _at_start(self) -> State:
        start = self._start
        if not start.subject or not (self._names or start.last_heard_ms is not None):
            return State.STRANGER
        if start.attested is False or len(self._names) > 1 or any(person.shared for person in start.people):
            return State.UNSURE
        fresh_ms = start.fresh_days * _DAY_MS
        heard_ms = start.last_heard_ms
        return State.RECOGNISED if heard_ms is not None and start.now_ms - heard_ms <= fresh_ms else State.UNSURE

    def _without_name(self, text: str) -> Step:
        """ "It's me" and "speaking" are what anybody would say: they open nothing that is closed."""
        ask = ""
        if self._state is State.UNSURE and not self._asked_which and says_it_is_still_them(text, self._language):
            self._asked_which, ask = True, WHICH
        return Step(self._state, ask=ask)

    def _in_doubt(self, before: State) -> Step:
        """ "This is her husband", but also "I'm his sister", said of the owner: closed until they give a name."""
        if self._state not in (State.UNSURE, State.RECOGNISED, State.CONFIRMED):
            return Step(self._state)
        self._state, self._stored, self._said = State.UNSURE, "", ""
        ask = "" if self._asked_which else WHICH
        self._asked_which = True
        return Step(self._state, changed=before is not State.UNSURE, ask=ask)

    def _named(self, name: str, before: State) -> Step:
        if self._state is State.STRANGER:
            return Step(self._state)
        fitting = [stored for stored in self._names if self._may_be(name, stored)]
        if len(fitting) == 1 and self._is_more_than_family(name, fitting[0]):
            # A number that the network disowns may be anybody's, whatever name they know.
            if self._start.attested is not False:
                self._stored, self._state = fitting[0], State.CONFIRMED
        elif fitting:
            ask = "" if self._asked_which else WHICH
            self._asked_which = True
            return Step(self._state, ask=ask)
        elif self._names or self._state is State.UNSURE:
            self._not_them()
        return Step(self._state, changed=self._state is not before)

    def _not_them(self) -> None:
        """Closed for the rest of the call, also when a known name is said later: whoever is near may say it."""
        self._stored = ""
        if self._state is not State.STRANGER:
            self._state = State.OTHER

    def _is_more_than_family(self, said: str, stored: str) -> bool:
        """ "Schmidt here" may be anybody of that family."""
        first, *rest = stored.split()
        return not rest or len(said.split()) > 1 or not same_name(said, rest[-1]) or same_name(said, first)

    def _may_be(self, said: str, stored: str) -> bool:
        if same_name(said, stored):
            return True
        nicknames = [person.called for person in self._start.people if person.name == stored and person.called]
        return any(same_name(said, nickname) for nickname in nicknames)


def _names(start: Start) -> tuple[str, ...]:
    """Everybody who is known under the number, once each; the owner's spelling goes before a remembered one."""
    names = [person.name for person in start.people]
    for name in start.remembered:
        fits = [i for i, known in enumerate(names) if same_name(name, known)]
        if not fits:
            names.append(name)
    return tuple(dict.fromkeys(names))
