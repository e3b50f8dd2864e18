"""The rules, which are data: patterns in plain words, per language, for what is heard and for what is said."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal

from compliance.language.plain import UNSPACED, base, words
from persona.profile import Profile

OWNER = "theowner"
FALLBACK_LANGUAGE = "en"
NEVER = re.compile(r"(?!)")
Files = Literal["heard", "said"]


class Rules:
    """The patterns of one file in one language, by name; a name that is not there never matches."""

    def __init__(self, language: str, table: Mapping[str, list[str]], parts: Mapping[str, str]) -> None:
        self.language = language
        self._patterns = {
            name: re.compile("|".join(f"(?:{_filled(pattern, parts)})" for pattern in patterns))
            for name, patterns in table.items()
        }

    def has(self, name: str, plain: str) -> bool:
        """Whether one of the patterns called `name` is in the plain words."""
        return self._patterns.get(name, NEVER).search(plain) is not None

    def without(self, name: str, plain: str) -> str:
        """The plain words without what the patterns called `name` fit."""
        return self._patterns.get(name, NEVER).sub(" ", plain)


def rules(file: Files, language: str) -> Rules:
    """The rules for `language`; English where it has none of its own."""
    code = base(language)
    return _rules(file, code if code in _tables(file) else FALLBACK_LANGUAGE)


def languages(file: Files) -> tuple[str, ...]:
    """The languages the file has rules for."""
    return tuple(_tables(file))


def warm(language: str) -> None:
    """Read what a call in `language` needs ahead: compiling takes some 100 ms, too long during a call."""
    for code in languages("heard"):
        rules("heard", code)
    for code in languages("said"):
        rules("said", code)


class Names:
    """The owner's names, found in plain words."""

    def __init__(self, profile: Profile) -> None:
        full = words(profile.name, "en")
        called = words(profile.called, "en")
        # A name without a letter has no words, and is found nowhere.
        listed = [" ".join(full), " ".join(called), *full[:1], *full[-1:]]
        listed = sorted(dict.fromkeys(name for name in listed if name), key=len, reverse=True)
        self._pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, listed or [OWNER])) + r")s?\b")
        self.words = frozenset(word for name in listed for word in name.split())

    def plain(self, text: str, language: str) -> str:
        """The text in plain words, with `theowner` for the owner's names."""
        return self._pattern.sub(OWNER, plain(text, language))


@lru_cache(maxsize=1024)
def plain(text: str, language: str) -> str:
    """The text in plain words, as the patterns want them."""
    code = base(language)
    return ("" if code in UNSPACED else " ").join(words(text, code))


@cache
def _rules(file: Files, code: str) -> Rules:
    table = _tables(file)[code]
    return Rules(
        code, {name: patterns for name, patterns in table.items() if name != "parts"}, table.get("parts", {})
    )


def _filled(pattern: str, parts: Mapping[str, str]) -> str:
    for name, part in parts.items():
        pattern = pattern.replace("{" + name + "}", part)
    return pattern


@cache
def _tables(file: Files) -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("persona.guarding").joinpath(f"{file}.toml").read_text("utf-8"))
