"""The patterns of rules_en.toml and rules_de.toml, compiled: data only; `extraction` reads with them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "de")
_VALUES = {
    "{org}": r"(?P<org>.+?)",
    "{place}": r"(?P<place>.+?)",
    "{person}": r"(?P<person>.+?)",
    "{thing}": r"(?P<thing>.+?)",
    "{rest}": r"(?P<rest>.+?)",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of thing that people say about themselves."""

    about: str
    say: str
    """The sentence, with {name}, {names} and the groups of the patterns; empty when it only ends what was."""
    patterns: tuple[re.Pattern[str], ...]
    importance: float
    only: re.Pattern[str] | None
    """What the value must be."""
    refused: re.Pattern[str] | None
    """What the value must not be."""
    least_words: int
    request: bool
    """True when it is asked as a question: "could you call me after six?"."""
    undated: bool
    """True when "on Monday" in it means every Monday, or is no plan."""
    needs_date: bool
    needs_date_or_place: bool
    needs_digit: bool
    needs_number: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """One language's."""

    facts: tuple[Rule, ...]
    gone: tuple[Rule, ...]
    corrections: tuple[re.Pattern[str], ...]
    remember: re.Pattern[str]
    first_person: re.Pattern[str]
    remember_say: str
    unknown: str
    unknown_of: str
    of: str
    lead_in: re.Pattern[str]
    joint: re.Pattern[str]
    joint_unpunctuated: re.Pattern[str]
    elided: re.Pattern[str]
    """Verbs of a clause that shares its subject with the one before: "I live in Munich and work at Siemens"."""
    subject: str
    fillers: re.Pattern[str]
    tail: re.Pattern[str]
    value_ends: re.Pattern[str]
    question: re.Pattern[str]
    unreal: re.Pattern[str]
    reported: re.Pattern[str]
    taken_back: re.Pattern[str]
    orders: re.Pattern[str]
    secrets: re.Pattern[str]
    mine: re.Pattern[str]
    drop_words: re.Pattern[str]
    swap: dict[str, str]
    conjugated: dict[str, str]


@cache
def rules_of(language: str) -> Rules:
    """The rules of one of `LANGUAGES`."""
    name = f"rules_{language}.toml"
    table = tomllib.loads(resources.files("persona.memory").joinpath(name).read_text("utf-8"))
    jobs = table["jobs"]
    words = "|".join(sorted(jobs["words"].split(), key=len, reverse=True))
    job = rf"(?P<job>{jobs['determiner']} ?(?:[\w-]+ ){{0,3}}?(?:[\w-]*(?:{words})(?:in|innen|s)?))"
    facts = tuple(_rule(entry, job) for entry in table["fact"])
    gone = tuple(_rule(entry, job) for entry in table["gone"])
    compiled = {
        key: re.compile(table[key] if key != "lead_in" else rf"^(?:{table[key]})+", re.IGNORECASE)
        for key in (
            "lead_in", "joint", "joint_unpunctuated", "tail", "value_ends", "question", "unreal", "reported",
            "taken_back", "orders", "secrets", "mine", "drop_words", "elided", "fillers",
        )
    }  # fmt: skip
    return Rules(
        facts=facts,
        gone=gone,
        corrections=tuple(re.compile(entry["pattern"], re.IGNORECASE) for entry in table["correction"]),
        remember=re.compile(table["remember"]["pattern"], re.IGNORECASE),
        first_person=re.compile(table["remember"]["first_person"], re.IGNORECASE),
        remember_say=table["remember"]["say"],
        unknown=table["unknown"],
        unknown_of=table["unknown_of"],
        of=table["of"],
        swap=table["swap"],
        subject=table["subject"],
        conjugated=table.get("conjugated", {}),
        **compiled,
    )


def _rule(entry: dict[str, Any], job: str) -> Rule:
    return Rule(
        about=entry["about"],
        say=entry.get("say", ""),
        patterns=_compiled(entry["patterns"], job),
        importance=float(entry.get("importance", 0.5)),
        only=_optional(entry, "only"),
        refused=_optional(entry, "not"),
        least_words=int(entry.get("least_words", 1)),
        request=bool(entry.get("request")),
        undated=bool(entry.get("undated")),
        needs_date=bool(entry.get("needs_date")),
        needs_date_or_place=bool(entry.get("needs_date_or_place")),
        needs_digit=bool(entry.get("needs_digit")),
        needs_number=bool(entry.get("needs_number")),
    )


def _compiled(patterns: Sequence[str], job: str) -> tuple[re.Pattern[str], ...]:
    done = []
    for pattern in patterns:
        for mark, group in {**_VALUES, "{job}": job}.items():
            pattern = pattern.replace(mark, group)
        done.append(re.compile(pattern, re.IGNORECASE))
    return tuple(done)


def _optional(entry: dict[str, Any], key: str) -> re.Pattern[str] | None:
    return re.compile(entry[key], re.IGNORECASE) if key in entry else None
