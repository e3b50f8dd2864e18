"""The owner's sources, sentence by sentence, prepared to be compared with what a model says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from persona.guarding.numbers import Numbers, numbers
from persona.guarding.rules import plain, rules
from persona.guarding.wording import content
from persona.prompt import Prompt
from persona.source import Source

_MINUTES = {
    "half": 30,
    "quarter": 15,
    "halb": 30,
    "viertel": 15,
    "demie": 30,
    "quart": 15,
    "media": 30,
    "mezza": 30,
    "meia": 30,
}
_HOUR_TO_COME = re.compile(r"\b(?:halb|quarter to|viertel vor|moins le quart|menos cuarto|meno un quarto)\b")
"""The hour that is named is not the one it is: halb sechs is 5:30."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One sentence of a source."""

    kind: Literal["fact", "statement", "document", "memory"]
    about: frozenset[str]
    terms: frozenset[str]
    words: frozenset[str]
    numbers: Numbers
    values: frozenset[int]
    negated: bool


def numbers_in(found: Numbers, units: tuple[Unit, ...]) -> bool:
    """Whether every number of a sentence stands in these sentences of sources."""
    if not found.values:
        return True
    values = frozenset().union(*(unit.values for unit in units))
    streams = [stream for unit in units for stream in unit.numbers.streams]
    return all(
        value in values or (value >= 10 and any(str(value) in stream for stream in streams))
        for value in found.values
    ) or all(len(run) >= 2 and any(run in stream for stream in streams) for run in found.runs)


def units_of(prompt: Prompt, language: str) -> tuple[Unit, ...]:
    """The sentences of everything the brain was shown, read in the owner's language."""
    return _of_sources(prompt.sources, language)


@lru_cache(maxsize=256)
def _of_sources(sources: tuple[Source, ...], language: str) -> tuple[Unit, ...]:
    return tuple(unit for source in sources for unit in _of_source(source, language))


@lru_cache(maxsize=16_384)
def _of_source(source: Source, language: str) -> tuple[Unit, ...]:
    known = rules("said", language)
    about = content(source.about, language)
    parts = [part for part in re.split(r"(?<=[.!?])\s+", source.text) if part.strip()] or [source.text]
    whole = [source.text] if len(parts) > 1 else []
    units = []
    for part in (*parts, *whole):
        words = plain(part, language)
        found = numbers(part, language)
        units.append(
            Unit(
                source.kind,
                about,
                content(part, language) | about,
                frozenset(words.split()),
                found,
                _said_otherwise(found, words),
                known.has("negation", words),
            )
        )
    return tuple(units)


def _said_otherwise(found: Numbers, words: str) -> frozenset[int]:
    """The numbers of a source, and what a clock makes of them: half past five is 5, 30 and 17."""
    values = set(found.values)
    for word, minutes in _MINUTES.items():
        if word in words.split():
            values |= {minutes, 60 - minutes}
    if _HOUR_TO_COME.search(words):
        values |= {value - 1 for value in found.values if 1 < value <= 24}
    values |= {value + 12 for value in values if 0 < value < 12}
    # A lone "one" is mostly an article and is read as no number; and o'clock is often written with noughts.
    return frozenset(values | {0, 1, 13})
