"""What people say, for the classifiers: read from `said_answers.toml` and `said_intents.toml`."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

Lines = dict[str, list[str]]
"""By language."""


def _read(name: str) -> dict[str, Lines]:
    data: dict[str, Any] = tomllib.loads((Path(__file__).parent / name).read_text("utf-8"))
    return {
        table: {language: list(dict.fromkeys(text.strip().splitlines())) for language, text in texts.items()}
        for table, texts in data.items()
        if isinstance(texts, dict)
    }


_ANSWERS = _read("said_answers.toml")
YES, NOT_YES = _ANSWERS["yes"], _ANSWERS["not_yes"]
HEADS, FRONTS, SPOILERS = _ANSWERS["heads"], _ANSWERS["fronts"], _ANSWERS["spoilers"]

_INTENTS = _read("said_intents.toml")
HUMAN, ORDINARY = _INTENTS.pop("human"), _INTENTS.pop("ordinary")
CLAIMS, HONEST = _INTENTS.pop("claims"), _INTENTS.pop("honest")
OTHER = _INTENTS
"""By the intent that is meant."""


def held_out(text: str) -> bool:
    """True for the half of a set that the words were not fitted to: it was scored once they stood.

    The same hand wrote both halves and the words, so the half says less than a stranger's would.
    """
    return hashlib.sha256(text.encode()).digest()[0] % 2 == 1


def combined(language: str) -> Iterator[str]:
    """A yes with something behind or before it that takes it back, doubts it, or puts it into another's mouth."""
    for head, spoiler in product(HEADS[language], SPOILERS[language]):
        yield f"{head} {spoiler}"
        yield f"{head.capitalize()}, {spoiler}."
    for front, head in product(FRONTS[language], HEADS[language]):
        yield f"{front} {head}"


def adversarial(language: str) -> list[str]:
    """All that must not pass for a yes, by hand and by combination."""
    made = list(combined(language)) if language in HEADS else []
    return list(dict.fromkeys([*NOT_YES[language], *made]))
