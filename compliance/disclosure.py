"""What every caller hears first, in the call's language: that it is an AI, in whose likeness, what is kept.

The texts are data (`disclosure.toml`), so that counsel can check them and a language is added by adding a table.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

FALLBACK_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The fixed texts of one language, with the owner's name filled in."""

    language: str
    text: str
    """Played first and whole."""
    apology: str
    """The last thing that sounds when the outlet has to close."""
    human: str
    """The true answer to "are you a human?"."""


def languages() -> tuple[str, ...]:
    """The languages there are texts for."""
    return tuple(name for name, value in _texts().items() if isinstance(value, dict))


def disclosure(language: str, *, owner: str) -> Disclosure:
    """The texts for `language` (`de`, `de-CH`), or English where there are none for it."""
    base = language.split("-")[0].lower()
    code = base if base in languages() else FALLBACK_LANGUAGE
    texts = _texts()[code]
    filled = {key: str(texts[key]).replace("{owner}", owner) for key in ("text", "apology", "human")}
    return Disclosure(code, **filled)


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(resources.files("compliance").joinpath("disclosure.toml").read_text("utf-8"))
