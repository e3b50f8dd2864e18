"""What the owner says in their own words: `statements.md`, quotations that a person can write by hand.

    ## concrete

    > Concrete is honest, but it never forgives.

    asked: what do you think of concrete
    source: a talk in 2024
    tell: anyone

A heading names what the statements under it are about, a quotation is one statement, and the keys after a
quotation belong to it. `asked` may be given several times. Text in `<!-- -->` is the owner's own note.
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from compliance.errors import PersonaError
from persona.facts import Audience
from persona.files import build, read_text

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

    def may_hear(self, *, known: bool) -> bool:
        """True when a caller may hear it; `known`: the twin knows who calls."""
        return self.tell == "anyone" or (known and self.tell == "known")


class _Reader:
    """Line by line; keeps what has been read of the statement at hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
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
        self.keys.setdefault(key, []).append(value)

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
            values |= {"about": self.about, "text": text, "asked": tuple(self.keys.get("asked", ()))}
            try:
                self.statements.append(build(Statement, values, self.path, ""))
            except PersonaError as error:
                complaint = error.message.partition(":1: ")[2]
                self._complain(self.line, complaint)
        self.words, self.keys, self.open = [], {}, False

    def _complain(self, number: int, what: str) -> None:
        raise PersonaError(f"{self.path}:{number}: {what}")


def load(path: Path) -> tuple[Statement, ...]:
    """Read `statements.md`. Raises `PersonaError` with file and line."""
    text = re.sub(r"<!--.*?-->", lambda note: "\n" * note[0].count("\n"), read_text(path), flags=re.DOTALL)
    reader = _Reader(path)
    for number, line in enumerate(text.splitlines(), 1):
        reader.read(number, line)
    reader.finish()
    return tuple(reader.statements)
