"""What is stored of somebody, told without the parts of their name that they have not given."""

from __future__ import annotations

import re
from collections.abc import Iterable

from persona.introduced import base, same_name

_UNNAMED = {"en": ("the caller", "the caller"), "de": ("die anrufende Person", "der anrufenden Person")}
"""What stands for the name, as subject and after "von"."""
_UNSPACED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
"""Scripts that put nothing between words."""


def as_given(said: str, stored: str) -> str:
    """As many parts of the name as they gave, in the spelling that is stored: "Ana" of "Anna Schmidt" is Anna."""
    parts = stored.split()
    if len(said.split()) >= len(parts):
        return stored
    fitting = [part for part in (parts[0], parts[-1]) if same_name(said, part)]
    return fitting[0] if fitting else said


def without_names(text: str, stored: Iterable[str], *, given: str, language: str) -> str:
    """`text` with every stored name, and each part of it, replaced by `given`, or by "the caller"."""
    spoken = given.casefold().split()
    for name in sorted(set(stored) - {""}, key=len, reverse=True):
        for part in (name, *name.split()):
            if part.casefold() not in spoken:
                known_by = given if part == name or same_name(given, part) else ""
                text = _replaced(text, part, known_by, language)
    return text[:1].upper() + text[1:]


def _replaced(text: str, name: str, by: str, language: str) -> str:
    unnamed, of_unnamed = _UNNAMED.get(base(language), _UNNAMED["en"])
    edge = "" if _UNSPACED.search(name) else r"\b"
    text = re.sub(rf"(?i)\bvon {re.escape(name)}{edge}", lambda _: f"von {by or of_unnamed}", text)
    return re.sub(rf"(?i){edge}{re.escape(name)}{edge}", lambda _: by or unnamed, text)
