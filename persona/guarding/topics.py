"""What the twin does not talk about: the owner's own list, and kinds of advice by name."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from compliance.language.plain import base, words
from persona.guarding.settings import GuardSettings


@dataclass(frozen=True, slots=True)
class Banned:
    """One topic, ready to be searched."""

    name: str
    pattern: re.Pattern[str]
    reply: str = ""
    """The owner's own words for it; empty: the fixed ones."""


class Topics:
    """The topics of one owner; the advice among them is in one language and English."""

    def __init__(self, settings: GuardSettings, language: str) -> None:
        self._banned = [
            _of_owner(topic.name, topic.words, topic.patterns, topic.reply) for topic in settings.topics
        ]
        for code in dict.fromkeys((base(language), "en")):
            for advice in settings.no_advice:
                patterns = _advice().get(code, {}).get(advice, [])
                if patterns:
                    self._banned.append(Banned(advice, re.compile("|".join(patterns))))

    def find(self, plain: str) -> Banned | None:
        """The first topic that the plain words are about."""
        return next((banned for banned in self._banned if banned.pattern.search(plain)), None)


def _of_owner(name: str, listed: tuple[str, ...], patterns: tuple[str, ...], reply: str) -> Banned:
    phrases = [" ".join(words(phrase, "en")) for phrase in listed]
    found = [rf"\b{re.escape(phrase)}\w{{0,2}}\b" for phrase in phrases if phrase]
    return Banned(
        name,
        re.compile("|".join((*found, *(f"(?:{p})" for p in patterns))) if found or patterns else "(?!)"),
        reply,
    )


@cache
def _advice() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(resources.files("persona.guarding").joinpath("topics.toml").read_text("utf-8"))
