"""What was said, as plain words: what a recogniser adds or leaves out (capitals, commas) must not matter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import product

UNSPACED = ("ja", "zh")
"""Languages written without spaces: their words are taken letter by letter."""

_UNJOINED = {
    "thats": "that s", "its": "it s", "lets": "let s", "im": "i m", "id": "i d", "ive": "i ve", "dont": "don t",
    "doesnt": "doesn t", "cant": "can t", "wont": "won t", "youre": "you re", "isnt": "isn t", "arent": "aren t",
    "didnt": "didn t", "wouldnt": "wouldn t", "shouldnt": "shouldn t", "whats": "what s", "ofcourse": "of course",
}  # fmt: skip
"""What some recognisers write without an apostrophe, as the rest is read."""
_NOT_A_WORD = re.compile(r"[\W_]+")


def base(language: str) -> str:
    """The language of a code: `pt` of `pt-BR`."""
    return re.split("[-_]", language)[0].lower()


def words(text: str, language: str) -> tuple[str, ...]:
    """Lower case, without accents and punctuation; an apostrophe parts words. Letters, for `ja` and `zh`."""
    text = unicodedata.normalize("NFKC", text).casefold()
    if language in UNSPACED:
        return tuple(_NOT_A_WORD.sub("", text))
    text = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    plain = _NOT_A_WORD.sub(" ", text).split()
    if language == "en":
        plain = " ".join(_UNJOINED.get(word, word) for word in plain).split()
    return tuple(plain)


def phrases(pattern: str, language: str) -> Iterator[tuple[str, ...]]:
    """Every wording of `pattern`, in which `(a|b)` is a choice and `[a|b]` one that may be left out.

    Raises `ValueError` when a bracket is not closed or not opened.
    """
    wordings, end = _choice(pattern, 0)
    if end != len(pattern):
        raise ValueError(f"a bracket was not opened: {pattern!r}")
    for wording in wordings:
        yield words(wording, language)


def _choice(pattern: str, at: int) -> tuple[list[str], int]:
    """The wordings of what stands between two brackets, and where the closing one is."""
    wordings: list[str] = []
    so_far = [""]
    while at < len(pattern) and pattern[at] not in ")]":
        mark = pattern[at]
        if mark in "([":
            inner, end = _choice(pattern, at + 1)
            if pattern[end : end + 1] != {"(": ")", "[": "]"}[mark]:
                raise ValueError(f"a bracket was not closed: {pattern!r}")
            options = inner if mark == "(" else ["", *inner]
            so_far = [left + right for left, right in product(so_far, options)]
            at = end
        elif mark == "|":
            wordings, so_far = wordings + so_far, [""]
        else:
            so_far = [left + mark for left in so_far]
        at += 1
    return wordings + so_far, at


class Phrases:
    """Many phrases, and where one of them begins in a text."""

    def __init__(self, patterns: list[str], language: str) -> None:
        self._by_first: dict[str, set[tuple[str, ...]]] = {}
        for pattern in patterns:
            for phrase in phrases(pattern, language):
                if phrase:
                    self._by_first.setdefault(phrase[0], set()).add(phrase)

    def ends(self, said: tuple[str, ...], at: int) -> list[int]:
        """Where the phrases that begin at `at` end."""
        starting = self._by_first.get(said[at], ())
        return [at + len(phrase) for phrase in starting if said[at : at + len(phrase)] == phrase]

    def within(self, said: tuple[str, ...]) -> bool:
        """True when one of them stands anywhere in `said`."""
        return any(self.ends(said, at) for at in range(len(said)))
