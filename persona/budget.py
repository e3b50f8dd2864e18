"""How much of a model's prompt a text takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

_T = TypeVar("_T")


def tokens(text: str) -> int:
    """A cautious estimate of how many tokens a model makes of `text`; no tokeniser fits all models."""
    return len(text.encode(errors="replace")) // 3 + 1


def within(lines: Iterable[tuple[_T, str]], budget: int) -> list[tuple[_T, str]]:
    """The first lines, best first, as far as their tokens fit into `budget`. What comes after one that does not
    fit is left out too: it is worth less."""
    kept: list[tuple[_T, str]] = []
    for item, line in lines:
        budget -= tokens(line)
        if budget < 0:
            break
        kept.append((item, line))
    return kept
