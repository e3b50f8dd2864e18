"""How a name sounds, roughly, in English and German: what a recogniser confuses gets the same letters."""

from __future__ import annotations

import re
from functools import lru_cache

_SPELT: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        # As Irish names are spelt: Siobhan, Sean, Niamh.
        (r"bh|mh", "v"),
        (r"si(?=o)|se(?=an)", "S"),
        (r"sch|sh|tsch|tch|ch(?=[ei])|^ch(?![rl])", "S"),
        (r"ph|v|w", "f"),
        (r"ck|qu|q|c(?=[aouklr])|ch|c$|kh", "k"),
        (r"c|z|x|ts|ss", "s"),
        (r"th|dt|d", "t"),
        (r"b", "p"),
        (r"gh|g", "k"),
        (r"j", "y"),
        (r"h", ""),
        (r"m(?=n)|n(?=m)", ""),
    )
)
_VOWELS = re.compile(r"[aeiouy]+")


@lru_cache(maxsize=20_000)
def spoken(word: str) -> str:
    """Written by its sound. `word` is lower case without accents."""
    rest = word
    for pattern, to in _SPELT:
        rest = pattern.sub(to, rest)
    return rest


@lru_cache(maxsize=20_000)
def skeleton(word: str) -> str:
    """Its consonants by their sound; a vowel at the beginning is `a`. `word` is lower case without accents."""
    rest = spoken(word)
    head = "a" if rest[:1] in tuple("aeiouy") else ""
    return head + re.sub(r"(.)\1+", r"\1", _VOWELS.sub("", rest))


def missing(one: str, other: str) -> int:
    """How many letters only one of them has, in order; a letter in place of another counts twice."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row = row, [i]
        for j, b in enumerate(other, 1):
            row.append(last[j - 1] if a == b else min(last[j], row[j - 1]) + 1)
    return row[-1]


@lru_cache(maxsize=20_000)
def alike(one: str, other: str) -> float:
    """1 minus the edit distance over the longer length."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row = row, [i]
        for j, b in enumerate(other, 1):
            row.append(min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b)))
    return 1 - row[-1] / max(len(one), len(other), 1)
