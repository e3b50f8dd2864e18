"""What the owner says in their own words: `statements.md`, quotations that a person can write by hand.

    ## concrete

    > Concrete is honest, but it never forgives.

    asked: what do you think of concrete
    source: a talk in 2024
    tell: anyone

A heading names what the statements under it are about, a quotation is one statement, and the keys after a
quotation belong to it. `asked` may be given several times. `tell` is anyone, known, nobody, or names that stand in
`people.toml`, with commas between them. Text in `<!-- -->` is the owner's own note.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from compliance.errors import PersonaError
from persona.caller import Audience, Caller
from persona.files import build, read_text
from persona.people import TELL_MEANS, audience, checked_names

_KEYS = ("asked", "tell", "source")


class Statement(BaseModel):
    """Something the owner said or says, word for word."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    about: str = Field(min_length=1, max_length=200)
    """What it is about in a few words."""
    text: str = Field(min_length=1, max_length=2000)
    """The owner's words, in whole sentences."""
    asked: tuple[str, ...] = ()
    """Questions it answers."""
    tell: Audience = "anyone"
    """Who may hear it."""
    source: str = Field(default="", max_length=300)
    """When and where it was said."""

    @field_validator("tell")
    @classmethod
    def _somebody(cls, value: Audience) -> Audience:
        return checked_names(value)

    def may_hear(self, caller: Caller) -> bool:
        """True when this caller may hear it."""
        return caller.may_hear(self.tell)


class _Reader:
    """Line by line; keeps what has been read of the statement at hand."""

    def __init__(self, path: Path, names: Collection[str]) -> None:
        self.path = path
        self.names = names
        self.about = ""
        self.line = 0
        self.words: list[str] = []
        self.keys: dict[str, list[str]] = {}
        self.open = False
        """True while the lines of a quotation go on."""
        self.seen: dict[str, int] = {}
        self.statements: list[Statement] = []

    def read(self, number: int, line: str) -> None:
        line = line.strip()
        if line.startswith(">"):
            self._quote(number, line[1:].strip())
        elif line.startswith("#"):
            self.finish()
            self.about = line.lstrip("#").strip()
        elif not line:
            self.open = False
        else:
            self.open = False
            self._key(number, line)

    def _quote(self, number: int, words: str) -> None:
        if not self.open:
            self.finish()
            self.line, self.open = number, True
        self.words.append(words)

    def _key(self, number: int, line: str) -> None:
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or key not in _KEYS:
            self._complain(
                number, "write '# subject', '> quotation' or one of " + ", ".join(f"'{k}:'" for k in _KEYS)
            )
        if not self.words:
            self._complain(number, f"'{key}:' belongs under a quotation; move it there")
        if key != "asked" and key in self.keys:
            self._complain(number, f"'{key}:' stands twice under one quotation; remove one")
        if key == "tell":
            self._known(number, audience(value))
        self.keys.setdefault(key, []).append(value)

    def _known(self, number: int, tell: Audience) -> None:
        if isinstance(tell, tuple) and not set(tell) <= set(self.names):
            self._complain(number, f"{TELL_MEANS}; correct it, or add them there")

    def finish(self) -> None:
        """Take the statement at hand, if there is one."""
        text = " ".join(" ".join(self.words).split())
        if text:
            if text.lower() in self.seen:
                self._complain(self.line, f"the same words as on line {self.seen[text.lower()]}; remove one")
            self.seen[text.lower()] = self.line
            if not self.about:
                self._complain(self.line, "a quotation without a subject; write '## subject' above it")
            values: dict[str, object] = {key: values[0] for key, values in self.keys.items() if key != "asked"}
            if "tell" in self.keys:
                values["tell"] = audience(self.keys["tell"][0])
            values |= {"about": self.about, "text": text, "asked": tuple(self.keys.get("asked", ()))}
            try:
                self.statements.append(build(Statement, values, self.path, ""))
            except PersonaError as error:
                complaint = error.message.partition(":1: ")[2]
                self._complain(self.line, complaint)
        self.words, self.keys, self.open = [], {}, False

    def _complain(self, number: int, what: str) -> None:
        raise PersonaError(f"{self.path}:{number}: {what}")


def load(path: Path, *, names: Collection[str] = ()) -> tuple[Statement, ...]:
    """Read `statements.md`. `names` are those that `tell` may have.

    Raises `PersonaError` with file and line.
    """
    text = re.sub(r"<!--.*?-->", lambda note: "\n" * note[0].count("\n"), read_text(path), flags=re.DOTALL)
    reader = _Reader(path, names)
    for number, line in enumerate(text.splitlines(), 1):
        reader.read(number, line)
    reader.finish()
    return tuple(reader.statements)
