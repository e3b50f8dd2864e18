"""The rules of a language, from its file: what people say when they decide, ask and take something on."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "de")
"""Others are read by the English rules, which find little in them."""
_NOBODY = r"(?!)"
"""Matches nothing."""
Rules = tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Of one language, for the people of one meeting."""

    decided: Rules
    undecided: Rules
    proposal: Rules
    assent: Rules
    to_owner: Rules
    mark: Rules
    not_to_owner: Rules
    by_speaker: Rules
    by_other: Rules
    request: Rules
    yes: Rules
    no_task: Rules
    due: Rules
    promise: Rules
    unknown: Rules


def rulebook(language: str, *, owner: Sequence[str], people: Sequence[str]) -> Rulebook:
    """`owner`: the owner's names; `people`: what those present call themselves."""
    code = language.partition("-")[0].lower()
    data = _data(code if code in LANGUAGES else "en")
    names = {"NAME": _either(_calls(owner)), "WHO": _either(_calls(people))}

    def rules(section: str, name: str) -> Rules:
        found = data[section][name]
        return tuple(_compiled(one, names) for one in ([found] if isinstance(found, str) else found))

    return Rulebook(
        decided=rules("decisions", "said"),
        undecided=rules("decisions", "not"),
        proposal=rules("decisions", "proposal"),
        assent=rules("decisions", "assent"),
        to_owner=rules("questions", "to_owner"),
        mark=rules("questions", "mark"),
        not_to_owner=rules("questions", "not"),
        by_speaker=rules("actions", "by_speaker"),
        by_other=rules("actions", "by_other"),
        request=rules("actions", "request"),
        yes=rules("actions", "yes"),
        no_task=rules("actions", "not"),
        due=rules("actions", "due"),
        promise=rules("twin", "promise"),
        unknown=rules("twin", "unknown"),
    )


def found(rules: Rules, plain: str) -> re.Match[str] | None:
    """The first rule that says something of the sentence."""
    return next((match for rule in rules if (match := rule.search(plain))), None)


def _compiled(rule: str, names: Mapping[str, str]) -> re.Pattern[str]:
    for placeholder, alternatives in names.items():
        rule = rule.replace(placeholder, alternatives)
    return re.compile(rule)


def _calls(names: Iterable[str]) -> list[str]:
    """How people are called: by the whole name, and by its first part."""
    whole = [" ".join(name.lower().split()) for name in names if name.strip()]
    return [*whole, *(name.split()[0] for name in whole)]


def _either(names: Iterable[str]) -> str:
    # The longest first, so that a whole name is not cut after its first part.
    listed = sorted({name for name in names if len(name) > 1}, key=len, reverse=True)
    return "|".join(rf"{re.escape(name)}\b" for name in listed) if listed else _NOBODY


@cache
def _data(language: str) -> dict[str, Any]:
    text = files("agent.meeting.minutes").joinpath(f"{language}.toml").read_text("utf-8")
    return tomllib.loads(text)
