"""The words of a text that can be compared: stems without numerals, which are compared as numbers."""

from __future__ import annotations

from functools import lru_cache

from persona.guarding.numbers import is_numeral
from persona.words import language as words_of


@lru_cache(maxsize=16_384)
def content(text: str, language: str) -> frozenset[str]:
    """Stems of the words that say something, without numerals."""
    known = words_of(language)
    return frozenset(known.stem(word) for word in known.words(text) if not is_numeral(word, language))
