"""Whether somebody takes their leave: then it is the last moment to ask them something."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from compliance.language.plain import UNSPACED, Phrases, base, words

_LONGEST_WORDS = 14
_LONGEST_LETTERS = 30
_QUESTION_MARKS = ("?", "？", "؟")


def leaving(text: str, language: str) -> bool:
    """True when `text` ends with a goodbye, asks nothing and is short. Languages without data have no goodbye."""
    code = base(language)
    phrases = _phrases(code)
    if phrases is None or any(mark in text for mark in _QUESTION_MARKS):
        return False
    said = words(text, code)
    if not said or len(said) > (_LONGEST_LETTERS if code in UNSPACED else _LONGEST_WORDS):
        return False
    return any(len(said) in phrases.ends(said, at) for at in range(len(said)))


@cache
def _phrases(code: str) -> Phrases | None:
    data = tomllib.loads(resources.files("compliance.language").joinpath("leaving.toml").read_text("utf-8"))
    return Phrases(data[code], code) if code in data else None
