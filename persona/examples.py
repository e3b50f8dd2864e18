"""Real exchanges of the owner with people: `examples.jsonl`, one JSON object on each line.

    {"they": "Can you do it by Friday?", "me": "Friday's tight. Monday?", "to": "client", "language": "en"}

They show a model how the owner talks; what stands in them is never said as a fact. What was said to one person, or
to one kind of people, is shown only in calls with the same: an exchange with a friend is nobody else's business.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from compliance.errors import PersonaError
from persona.caller import Caller
from persona.files import explain, read_text
from persona.ranking import Document, Index

MAX_EXAMPLES = 5000
"""More are refused: some thousands show a manner as well, and every one costs memory in every process."""


class Example(BaseModel):
    """What somebody said, and what the owner answered."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    they: str = Field(min_length=1, max_length=2000)
    """The other person's words."""
    me: str = Field(min_length=1, max_length=2000)
    """The owner's answer, word for word."""
    to: str = Field(default="", max_length=100)
    """To whom: a name or a relation as in people.toml; empty: it could have been anybody."""
    language: str = Field(default="", max_length=20)
    """The language code; empty: not said, and used in every language."""

    @field_validator("they", "me", "to")
    @classmethod
    def _one_line(cls, value: str) -> str:
        return " ".join(value.split())


def load(path: Path) -> tuple[Example, ...]:
    """Read `examples.jsonl`; none when there is no such file. Raises `PersonaError` with file and line."""
    if not path.exists():
        return ()
    examples: list[Example] = []
    # Not `splitlines`: it also splits at characters that may stand within a JSON string.
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        if len(examples) == MAX_EXAMPLES:
            raise PersonaError(f"{path}:{number}: more than {MAX_EXAMPLES} examples; remove some")
        examples.append(_example(path, number, line))
    return tuple(examples)


def _example(path: Path, number: int, line: str) -> Example:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise PersonaError(
            f'{path}:{number}: broken JSON; write one {{"they": "...", "me": "..."}} on each line'
        ) from None
    if not isinstance(values, dict):
        raise PersonaError(f'{path}:{number}: no JSON object; write {{"they": "...", "me": "..."}}')
    try:
        return Example.model_validate(values)
    except ValidationError as error:
        raise PersonaError(f"{path}:{number}: {explain(error, Example)[1]}") from None


@dataclass(frozen=True, slots=True)
class _Group:
    """The examples to one person or kind of people, indexed by what was said to the owner."""

    examples: tuple[Example, ...]
    index: Index


class Examples:
    """Indexed once, about 150 microseconds per example, and read by any number of calls."""

    def __init__(
        self, examples: Iterable[Example] = (), *, strangers: str = "", languages: Sequence[str] = ("en",)
    ) -> None:
        """`strangers`: the relation whose examples are also used with callers of whom nothing is known.
        `languages` are those in which examples are expected to be, the usual one first."""
        grouped: dict[str, list[Example]] = {}
        for example in examples:
            grouped.setdefault(example.to.casefold(), []).append(example)
        self._groups = {
            to: _Group(tuple(group), Index([Document((one.they,), one.me) for one in group], languages=languages))
            for to, group in grouped.items()
        }
        self._strangers = strangers.casefold()

    def find(self, said: str, caller: Caller, language: str, limit: int = 3) -> tuple[Example, ...]:
        """Examples that fit the caller, best first: those to the same person, then to the same kind of people,
        then to anybody; each with those where something similar was said to the owner before the others."""
        found: list[Example] = []
        for to in self._audience(caller):
            if len(found) >= limit:
                break
            if group := self._groups.get(to):
                found.extend(_first(_ranked(group, said), language, limit - len(found)))
        return tuple(found)

    def _audience(self, caller: Caller) -> Sequence[str]:
        known = [to.casefold() for to in (caller.person, caller.relation) if to]
        return [*(known or ([self._strangers] if self._strangers else [])), ""]


def _ranked(group: _Group, said: str) -> Iterator[Example]:
    """Those that match, best first, then the others, newest last line first."""
    matches = [match.entry for match in group.index.search(said, limit=len(group.examples))] if said else []
    yield from (group.examples[entry] for entry in matches)
    matched = set(matches)
    for entry in range(len(group.examples) - 1, -1, -1):
        if entry not in matched:
            yield group.examples[entry]


def _first(examples: Iterator[Example], language: str, limit: int) -> Iterator[Example]:
    wanted = language.split("-")[0].lower()
    for example in examples:
        if limit <= 0:
            return
        if not example.language or example.language.split("-")[0].lower() == wanted:
            yield example
            limit -= 1
