"""What the twin must understand itself, before and without a language model: "are you human?", "forget me".

The words are data (`intents.toml`), searched in what was said without capitals, accents and punctuation.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal, get_args

from compliance.language.plain import UNSPACED, base, words

Kind = Literal[
    "forget_me", "stop_recording", "stop_writing", "what_do_you_know", "human_question", "disclose_again"
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order in which they are tried: what is undone last matters most."""

FALLBACK_LANGUAGE = "en"
_OWNER = "theowner"
_LONGEST = 1_500
"""Letters that are looked at, from the end: what was said last is what is meant."""
_SENTENCE = re.compile(r"[.!?;。！？；]+")
_SPELLED_OUT = re.compile(r"\b(a )?((?:[a-z] ){3,}[a-z])\b")
_SPELLED = re.compile(r"\b([A-Za-z])\.(?=[A-Za-z]\b)")


@dataclass(frozen=True, slots=True)
class Intent:
    """What somebody wants of the twin itself.

    `human_question` is answered by `Disclosure.human`, `disclose_again` by `short`; as it also covers "are you
    recording this?", say `is_recorded` or `is_not_recorded` after it.
    """

    kind: Kind


@dataclass(frozen=True, slots=True)
class _Language:
    intents: Mapping[Kind, re.Pattern[str]]
    denies_human: re.Pattern[str]
    claims_human: re.Pattern[str]
    claims_owner: re.Pattern[str]


def intent(text: str, language: str, *, owner: str = "") -> Intent | None:
    """What `text` asks of the twin, or None for everything else.

    `owner` lets "are you really Martin?" be understood. Languages without words of their own are read as English.
    """
    code = _code(language)
    patterns = _language(code).intents
    sentences = _sentences(text, code, owner)
    for kind in KINDS:
        if any(patterns[kind].search(sentence) for sentence in sentences):
            return Intent(kind)
    return None


def claims_human(text: str, language: str, *, owner: str = "") -> bool:
    """True when a sentence of the twin says that it is a person, or no machine, or (with `owner`) the owner."""
    code = _code(language)
    patterns = _language(code)
    for sentence in _sentences(text, code, owner):
        if patterns.claims_human.search(patterns.denies_human.sub(" ", sentence)):
            return True
        if owner and patterns.claims_owner.search(sentence):
            return True
    return False


def warm(language: str) -> None:
    """Read the words of `language` ahead: the first use takes some 100 ms, too long during a call."""
    _language(_code(language))


def _code(language: str) -> str:
    code = base(language)
    return code if code in _tables() else FALLBACK_LANGUAGE


def _sentences(text: str, code: str, owner: str) -> tuple[str, ...]:
    text = _SPELLED.sub(r"\1", text[-_LONGEST:])
    between = "" if code in UNSPACED else " "
    plain = (between.join(words(part, code)) for part in _SENTENCE.split(text))
    parts = [part for part in plain if part]
    # The whole as well: "I hate robots. Are you one?" is one question in two sentences.
    whole = [between.join(parts)] if len(parts) > 1 else []
    return tuple(_without_name(_SPELLED_OUT.sub(_joined, part), owner, code) for part in parts + whole)


def _joined(spelled: re.Match[str]) -> str:
    """ "a r o b o t" as "a robot"."""
    return (spelled[1] or "") + spelled[2].replace(" ", "")


def _without_name(sentence: str, owner: str, code: str) -> str:
    """The owner's name, whole or its first or last word, as one word that the patterns know."""
    names = _names(owner, code)
    return names.sub(_OWNER, sentence) if names else sentence


@lru_cache(maxsize=64)
def _names(owner: str, code: str) -> re.Pattern[str] | None:
    name = words(owner, code)
    if not name:
        return None
    if code in UNSPACED:
        return re.compile(re.escape("".join(name)))
    listed = [" ".join(name), name[0], name[-1]]
    return re.compile(r"\b(?:" + "|".join(map(re.escape, dict.fromkeys(listed))) + r")\b")


@cache
def _language(code: str) -> _Language:
    table = _tables()[code]
    parts: dict[str, str] = {}
    for name, pattern in table["parts"].items():
        parts[name] = _filled(pattern, parts)

    def one(patterns: list[str]) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{_filled(pattern, parts)})" for pattern in patterns))

    claims = table["claims"]
    return _Language(
        {kind: one(table["intents"][kind]) for kind in KINDS},
        one(claims["denies_human"]),
        one(claims["claims_human"]),
        one(claims["claims_owner"]),
    )


def _filled(pattern: str, parts: Mapping[str, str]) -> str:
    for name, part in parts.items():
        pattern = pattern.replace("{" + name + "}", part)
    return pattern


@cache
def _tables() -> dict[str, Any]:
    data = tomllib.loads(resources.files("compliance.language").joinpath("intents.toml").read_text("utf-8"))
    return {code: table for code, table in data.items() if isinstance(table, dict)}
