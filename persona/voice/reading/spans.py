"""A text as it is read, and which written words each spoken one stands for. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Replacement:
    """A piece of the written text that is said in other words."""

    start: int
    end: int
    spoken: str


@dataclass(frozen=True, slots=True)
class Span:
    """Written characters and the spoken ones that stand for them; both end at the edge of a word."""

    written_start: int
    written_end: int
    spoken_start: int
    spoken_end: int


@dataclass(frozen=True, slots=True)
class Read:
    """What the voice is given, and the way back."""

    written: str
    text: str
    spans: tuple[Span, ...]
    """Without gaps: each begins where the one before ended, in both texts; the last ends with them."""

    @property
    def changed(self) -> bool:
        """False when the text is read as it is written."""
        return self.written != self.text


def rewritten(text: str, replacements: Iterable[Replacement]) -> Read:
    """`text` with the replacements, which do not overlap and may come in any order.

    A span grows to whole words on both sides, so that what hangs on a replacement (a bracket, a comma) is in it.
    """
    ordered = sorted(replacements, key=lambda r: r.start)
    pieces: list[str] = []
    changes: list[tuple[int, int, int, int]] = []
    at = length = 0
    for replacement in ordered:
        if replacement.start < at:
            raise ValueError("replacements must not overlap")
        kept = text[at : replacement.start]
        spoken = replacement.spoken
        begin = length + len(kept)
        pieces += (kept, spoken)
        length = begin + len(spoken)
        changes.append((replacement.start, replacement.end, begin, length))
        at = replacement.end
    pieces.append(text[at:])
    spoken_text = "".join(pieces)
    return Read(text, spoken_text, tuple(_spans(text, spoken_text, changes)))


def _spans(written: str, spoken: str, changes: list[tuple[int, int, int, int]]) -> list[Span]:
    """Word by word where nothing changed, and one span around each change."""
    spans: list[Span] = []
    at = out = index = 0
    while at < len(written):
        if index < len(changes) and _is_next(written, at, changes[index][0]):
            index, end, out_end = _around(written, changes, index)
        else:
            word = _WORD.search(written, at)
            end = word.end() if word else len(written)
            out_end = out + end - at
        spans.append(Span(at, end, out, out_end))
        at, out = end, out_end
    return spans


def _around(written: str, changes: list[tuple[int, int, int, int]], index: int) -> tuple[int, int, int]:
    """The next change, where the word it ends in ends, and the same place in the spoken text."""
    while True:
        _, end, _, out_end = changes[index]
        index += 1
        tail = _tail(written, end)
        if index == len(changes) or changes[index][0] >= tail:
            return index, tail, out_end + tail - end


def _is_next(written: str, at: int, start: int) -> bool:
    """Whether the change at `start` belongs to the very next word."""
    word = _WORD.search(written, at)
    return word is None or word.end() > start


def _tail(written: str, end: int) -> int:
    """Where the word that `end` stands in is over."""
    while end < len(written) and not written[end].isspace():
        end += 1
    return end
