"""What is true about the owner: `facts.toml`, one `[[fact]]` after another.

The file is a ledger of two times. `valid_from` and `valid_to` say when something is so; `recorded` says when the
owner wrote it down. Nothing needs to be deleted: of two facts about the same, the one recorded later holds, from
its first day on, and the other stays for who asks what was so, or what was known, on an earlier day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from compliance.errors import PersonaError
from persona.caller import Audience, Caller
from persona.files import build, line_of, read_toml
from persona.people import TELL_MEANS, checked_names


class Fact(BaseModel):
    """One thing that is true, with the sentence the twin says when it is asked about it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    about: str = Field(min_length=1, max_length=200)
    """What it is about in a few words; of several facts about the same, the newest holds."""
    say: str = Field(min_length=1, max_length=2000)
    """The value: one or a few whole sentences, ready to be spoken."""
    asked: tuple[str, ...] = ()
    """Ways in which people ask for it; the more there are, the better it is found."""
    tell: Audience = "anyone"
    """Who may hear it. What is for nobody is never said and never shown to a model."""
    overview: bool = False
    """True when it belongs in the answer to "tell me about yourself"."""
    source: str = Field(default="", max_length=300)
    """Where it comes from."""
    valid_from: date | None = None
    """The first day it holds; empty: always has."""
    valid_to: date | None = None
    """The last day it holds; empty: until further notice."""
    recorded: date | None = None
    """The day the owner wrote it down; empty: before everything that has such a day."""

    _superseded_from: date | None = PrivateAttr(default=None)
    """The first day of a newer fact about the same; set by the ledger."""

    @field_validator("say")
    @classmethod
    def _one_line(cls, value: str) -> str:
        return " ".join(value.split())

    @field_validator("tell")
    @classmethod
    def _somebody(cls, value: Audience) -> Audience:
        return checked_names(value)

    @model_validator(mode="after")
    def _days_in_order(self) -> Fact:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("'valid_to' is before 'valid_from'; swap them")
        return self

    @property
    def first_day(self) -> date:
        return self.valid_from or date.min

    @property
    def last_day(self) -> date:
        """The last day it is valid; a newer fact may end it before."""
        return self.valid_to or date.max

    @property
    def subject(self) -> str:
        """`about` without case and spacing: facts with the same subject supersede each other."""
        return subject_of(self.about)

    @property
    def age(self) -> tuple[date, date]:
        """Sorts facts about the same: the greater is the newer."""
        return self.recorded or date.min, self.first_day

    def valid(self, day: date) -> bool:
        """True when it says of itself that it holds on that day, whatever newer facts say."""
        return self.first_day <= day <= self.last_day

    def holds(self, day: date) -> bool:
        """True when it holds on that day as far as is known now."""
        return self.valid(day) and (self._superseded_from is None or day < self._superseded_from)

    def may_hear(self, caller: Caller) -> bool:
        """True when this caller may hear it."""
        return caller.may_hear(self.tell)

    def superseded_from(self, day: date | None) -> Fact:
        """The same fact, which holds only before that day; without a day, as long as it says itself."""
        if day == self._superseded_from:
            return self
        copy = self.model_copy()
        copy._superseded_from = day
        return copy


class Ledger:
    """All that was ever recorded, and what of it holds."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        facts = tuple(facts)
        same: dict[str, list[Fact]] = {}
        for fact in facts:
            same.setdefault(fact.subject, []).append(fact)
        self.facts = tuple(_linked(fact, same[fact.subject]) for fact in facts)
        """Every fact in the order of the file; those that a newer one supersedes know their end."""

    def at(self, day: date, known_on: date | None = None) -> tuple[Fact, ...]:
        """What holds on `day`, by all that is recorded, or by what was recorded up to and with `known_on`.

        What has no `recorded` counts as known from the beginning.
        """
        if known_on is None:
            return tuple(fact for fact in self.facts if fact.holds(day))
        known = [fact for fact in self.facts if (fact.recorded or date.min) <= known_on]
        return Ledger(known).at(day)

    def history(self, about: str) -> tuple[Fact, ...]:
        """Everything recorded about a subject, oldest first."""
        wanted = subject_of(about)
        return tuple(sorted((f for f in self.facts if f.subject == wanted), key=lambda fact: fact.age))


def subject_of(about: str) -> str:
    """What two facts have in common that are about the same."""
    return " ".join(about.casefold().split())


def load(path: Path, *, names: Collection[str] = ()) -> tuple[Fact, ...]:
    """Read `facts.toml`. `names` are those that a list in `tell` may have.

    Raises `PersonaError` with file and line, also for facts that contradict each other.
    """
    text, values = read_toml(path)
    for key in values:
        if key != "fact":
            raise PersonaError(f"{path}:{line_of(text, key)}: unknown key '{key}'; write facts as [[fact]]")
    entries = values.get("fact", [])
    if not isinstance(entries, list):
        raise PersonaError(f"{path}:{line_of(text, 'fact')}: write [[fact]] with two brackets")
    facts = tuple(build(Fact, entry, path, text, table="fact", nth=nth) for nth, entry in enumerate(entries))
    for nth, fact in enumerate(facts):
        if isinstance(fact.tell, tuple) and not set(fact.tell) <= set(names):
            line = line_of(text, "tell", table="fact", nth=nth)
            raise PersonaError(f"{path}:{line}: {TELL_MEANS}; correct it, or add them there")
    twins = _contradiction(facts)
    if twins:
        earlier, later = (line_of(text, "about", table="fact", nth=nth) for nth in twins)
        raise PersonaError(
            f"{path}:{later}: a second fact about the same as on line {earlier}, and nothing tells which is "
            "newer; remove one, or give the newer one 'recorded' or 'valid_from'"
        )
    return Ledger(facts).facts


def _linked(fact: Fact, same: Sequence[Fact]) -> Fact:
    """`fact`, ended by the newer ones of `same`."""
    ends = [other.first_day for other in same if other.age > fact.age and other.first_day <= fact.last_day]
    return fact.superseded_from(min(ends, default=None))


def _contradiction(facts: Sequence[Fact]) -> tuple[int, int] | None:
    """Two facts about the same that are of the same age: neither can supersede the other."""
    order = sorted(range(len(facts)), key=lambda nth: (facts[nth].subject, facts[nth].age, nth))
    clashes = [
        (one, other)
        for one, other in pairwise(order)
        if (facts[one].subject, facts[one].age) == (facts[other].subject, facts[other].age)
    ]
    return min(clashes, key=lambda clash: clash[1], default=None)
