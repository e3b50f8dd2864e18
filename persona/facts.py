"""What is true about the owner: `facts.toml`, one `[[fact]]` after another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from compliance.errors import PersonaError
from persona.files import build, line_of, read_toml

Audience = Literal["anyone", "known", "nobody"]
"""Who may hear it: any caller, a caller the twin knows, or no caller at all."""


class Fact(BaseModel):
    """One thing that is true, with the sentence the twin says when it is asked about it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    about: str = Field(min_length=1, max_length=200)
    """What it is about in a few words; no two facts that hold on the same day are about the same."""
    say: str = Field(min_length=1, max_length=2000)
    """One or a few whole sentences, ready to be spoken."""
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

    @field_validator("say")
    @classmethod
    def _one_line(cls, value: str) -> str:
        return " ".join(value.split())

    @model_validator(mode="after")
    def _days_in_order(self) -> Fact:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("'valid_to' is before 'valid_from'; swap them")
        return self

    def holds(self, today: date) -> bool:
        """True when it is valid on that day."""
        return (self.valid_from or date.min) <= today <= (self.valid_to or date.max)

    def may_hear(self, *, known: bool) -> bool:
        """True when a caller may hear it; `known`: the twin knows who calls."""
        return self.tell == "anyone" or (known and self.tell == "known")


def load(path: Path) -> tuple[Fact, ...]:
    """Read `facts.toml`. Raises `PersonaError` with file and line, also for facts that contradict each other."""
    text, values = read_toml(path)
    for key in values:
        if key != "fact":
            raise PersonaError(f"{path}:{line_of(text, key)}: unknown key '{key}'; write facts as [[fact]]")
    entries = values.get("fact", [])
    if not isinstance(entries, list):
        raise PersonaError(f"{path}:{line_of(text, 'fact')}: write [[fact]] with two brackets")
    facts = tuple(build(Fact, entry, path, text, table="fact", nth=nth) for nth, entry in enumerate(entries))
    twins = _contradiction(facts)
    if twins:
        earlier, later = (line_of(text, "about", table="fact", nth=nth) for nth in twins)
        raise PersonaError(
            f"{path}:{later}: a second fact about the same as on line {earlier}, valid on the same days; "
            "remove one, or give the old one 'valid_to' and the new one 'valid_from'"
        )
    return facts


def _contradiction(facts: Iterable[Fact]) -> tuple[int, int] | None:
    seen: dict[str, list[tuple[int, Fact]]] = {}
    for nth, fact in enumerate(facts):
        same = seen.setdefault(" ".join(fact.about.lower().split()), [])
        for earlier, other in same:
            begins = max(fact.valid_from or date.min, other.valid_from or date.min)
            if begins <= min(fact.valid_to or date.max, other.valid_to or date.max):
                return earlier, nth
        same.append((nth, fact))
    return None
