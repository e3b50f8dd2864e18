"""Whom the owner knows: `people.toml`, one `[[person]]` after another. It may be missing.

An entry says how the twin speaks with somebody once it is sure who speaks, and names them for `tell`. That a call
comes from a person's number does not prove that they are calling: numbers are shared, lent and given out again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from compliance.errors import PersonaError
from persona.caller import Audience
from persona.files import build, line_of, read_toml

Relation = Literal["family", "friend", "colleague", "client", "other"]
Formality = Literal["casual", "formal"]

TELL_MEANS = "'tell' is 'anyone', 'known', 'nobody' or names from people.toml"
"""For complaints about a `tell` that is none of these."""

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_LOOKS_LIKE_NUMBER = re.compile(r"\+?[\d\s()./-]+")


class Person(BaseModel):
    """Somebody the owner knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: str = Field(min_length=1, max_length=100)
    """Full name; what `tell` calls them."""
    called: str = Field(default="", max_length=100)
    """How the twin addresses them; empty: by the first word of `name`."""
    numbers: tuple[str, ...] = ()
    """Telephone numbers in E.164: `+441632960144`."""
    addresses: tuple[str, ...] = ()
    """E-mail addresses and the identities they have in meetings."""
    relation: Relation = "other"
    """What they are to the owner."""
    formality: Formality = "casual"
    """How they are spoken to."""
    note: str = Field(default="", max_length=1000)
    """What the owner wants the twin to keep in mind when it speaks with them."""
    shared: bool = False
    """True when others answer under their numbers and addresses too: a family's line, an office's."""

    @field_validator("numbers")
    @classmethod
    def _international(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        numbers = tuple(normal(number) for number in value)
        if not all(_NUMBER.fullmatch(number) for number in numbers):
            raise ValueError('write numbers with the country code, as "+44 1632 960144"')
        return numbers

    @field_validator("addresses")
    @classmethod
    def _written(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(address.strip() for address in value):
            raise ValueError("an address is empty; write it or remove it")
        return tuple(normal(address) for address in value)

    @field_validator("name")
    @classmethod
    def _no_comma(cls, value: str) -> str:
        if "," in value or value in ("anyone", "known", "nobody"):
            raise ValueError("write the name without commas; 'anyone', 'known' and 'nobody' are no names")
        return " ".join(value.split())

    @property
    def short(self) -> str:
        """How the twin addresses them."""
        return self.called or self.name.split()[0]

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everything they may be found by."""
        return (*self.numbers, *self.addresses)


class People:
    """Everybody the owner listed, found by number, address or name."""

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self._all = tuple(people)
        self._by_subject: dict[str, tuple[Person, ...]] = {}
        for person in self._all:
            for subject in dict.fromkeys(person.subjects):
                self._by_subject[subject] = (*self._by_subject.get(subject, ()), person)

    def __iter__(self) -> Iterator[Person]:
        return iter(self._all)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, People) and self._all == other._all

    def __hash__(self) -> int:
        return hash(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(person.name for person in self._all)

    def find(self, subject: str) -> tuple[Person, ...]:
        """Who may be calling under a number, an e-mail address or an identity; several on a shared one."""
        return self._by_subject.get(normal(subject), ())

    def named(self, name: str) -> Person | None:
        """The person with exactly this full name, whatever its case."""
        wanted = " ".join(name.casefold().split())
        return next((person for person in self._all if person.name.casefold() == wanted), None)


def normal(subject: str) -> str:
    """A number without what people write between its digits, anything else without case and outer spaces."""
    subject = subject.strip()
    if _LOOKS_LIKE_NUMBER.fullmatch(subject):
        digits = re.sub(r"[^\d+]", "", subject.replace("(0)", ""))
        return f"+{digits[2:]}" if digits.startswith("00") else digits
    return subject.casefold()


def checked_names(tell: Audience) -> Audience:
    """`tell` when it can mean somebody. Raises `ValueError`, which pydantic turns into a complaint."""
    if isinstance(tell, tuple) and not all(name.strip() for name in tell):
        raise ValueError("a name is empty; write the names as they stand in people.toml")
    if tell == ():
        raise ValueError('an empty list; write "nobody", or names that stand in people.toml')
    return tell


def audience(words: str) -> Audience:
    """`tell` as it stands in a text file: one of the three words, or names with commas between them."""
    match words.strip():
        case "anyone" | "known" | "nobody" as tell:
            return tell
    return tuple(name.strip() for name in words.split(","))


def load(path: Path) -> People:
    """Read `people.toml`; nobody when there is no such file. Raises `PersonaError` with file and line."""
    if not path.exists():
        return People()
    text, values = read_toml(path)
    for key in values:
        if key != "person":
            raise PersonaError(f"{path}:{line_of(text, key)}: unknown key '{key}'; write people as [[person]]")
    entries = values.get("person", [])
    if not isinstance(entries, list):
        raise PersonaError(f"{path}:{line_of(text, 'person')}: write [[person]] with two brackets")
    people = [build(Person, entry, path, text, table="person", nth=nth) for nth, entry in enumerate(entries)]
    names: dict[str, int] = {}
    subjects: dict[str, int] = {}
    for nth, person in enumerate(people):
        earlier = names.setdefault(person.name.casefold(), nth)
        if earlier != nth:
            lines = [line_of(text, "name", table="person", nth=which) for which in (nth, earlier)]
            raise PersonaError(f"{path}:{lines[0]}: the same name as on line {lines[1]}; tell them apart")
        for subject in person.subjects:
            other = subjects.setdefault(subject, nth)
            if other != nth and not (person.shared and people[other].shared):
                key = "numbers" if subject in person.numbers else "addresses"
                lines = [line_of(text, key, table="person", nth=which) for which in (nth, other)]
                raise PersonaError(
                    f"{path}:{lines[0]}: one of these stands on line {lines[1]} too; "
                    "write 'shared = true' under both, or remove one"
                )
    return People(people)
