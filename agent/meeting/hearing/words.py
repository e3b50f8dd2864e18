"""Whether some words are others again, as two recognitions of one sound are: alike, seldom the same. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

MOST = 60
"""Words that are compared; of a longer utterance the first ones."""
ALIKE = 0.75
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def tokens(text: str) -> tuple[str, ...]:
    return tuple(word.lower().replace("’", "'") for word in _WORD.findall(text)[:MOST])


def share(mine: Sequence[str], theirs: Sequence[str]) -> float:
    """How much of `mine` stands in `theirs` in the same order, 0 to 1, misheard words included."""
    if not mine or not theirs:
        return 0.0
    above = [0] * (len(theirs) + 1)
    for word in mine:
        row = [0]
        for column, other in enumerate(theirs):
            row.append(above[column] + 1 if _same(word, other) else max(above[column + 1], row[column]))
        above = row
    return above[-1] / len(mine)


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    if min(len(one), len(other)) < 4 or (one[0] != other[0] and one[-1] != other[-1]):
        return False
    return _alike(one, other)


@lru_cache(maxsize=4_096)
def _alike(one: str, other: str) -> bool:
    """Whether they differ in one place at most, and little."""
    most = min(len(one), len(other))
    before = next((i for i in range(most) if one[i] != other[i]), most)
    after = next((i for i in range(most - before) if one[-1 - i] != other[-1 - i]), most - before)
    return 2 * (before + after) >= ALIKE * (len(one) + len(other))
