"""Which of the written words a speaker would stress."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from avatar.timeline import Said

SENTENCE_END: Final = re.compile(r"[.!?。！？…؟।]+[\"'”’»)\]]*$")
CLAUSE_END: Final = re.compile(r"[,;:、，；：—–]+[\"'”’»)\]]*$")
QUESTION: Final = re.compile(r"[?？؟]")
_EXCLAIMED: Final = re.compile(r"[!！]")
_LETTERS: Final = re.compile(r"\W+|_")
_CJK: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_GAP_MS: Final = 900.0
_LEAST: Final = 0.35
_QUIET_MS: Final = 150.0
"""A word shorter than this is not stressed, whatever it says."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A stressed word."""

    t_ms: float
    strength: float
    """From 0 to 1."""


def beats(words: Sequence[Said], zero_ms: float) -> tuple[Beat, ...]:
    """The stressed words of a clause, at least 0.9 s apart; `zero_ms` is where its utterance begins."""
    found: list[Beat] = []
    for word in words:
        strength = _strength(word)
        t_ms = zero_ms + word.start_ms
        if strength < _LEAST:
            continue
        if found and t_ms - found[-1].t_ms < _GAP_MS:
            if strength > found[-1].strength + 0.25:
                found[-1] = Beat(t_ms, strength)
            continue
        found.append(Beat(t_ms, strength))
    return tuple(found)


def _strength(word: Said) -> float:
    """Long, slow, numeric, shouted and exclaimed words weigh; a little word hardly ever does."""
    lasts_ms = word.end_ms - word.start_ms
    text = _LETTERS.sub("", word.text)
    if not text or lasts_ms < _QUIET_MS:
        return 0.0
    letters = len(text) * 4 if _CJK.search(text) else len(text)
    strength = 0.07 * min(letters - 3, 7) + 0.3 * min(max(lasts_ms - 250.0, 0.0) / 400.0, 1.0)
    if text.isupper() and len(text) > 2:
        strength += 0.3
    if any(character.isdigit() for character in text):
        strength += 0.25
    if _EXCLAIMED.search(word.text):
        strength += 0.25
    return min(max(strength, 0.0), 1.0)
