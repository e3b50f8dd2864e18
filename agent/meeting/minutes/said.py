"""What was said in a meeting, as the digest reads it: sentences with whose they are. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from compliance.entries import TurnEntry

TURN_CHARS = 4_000
"""How much of one turn is read: a typed page must not keep the house waiting."""
_ENDS = re.compile(r"(?<=[.!?…])\s+")


@dataclass(frozen=True, slots=True)
class Spoken:
    """One sentence."""

    turn: TurnEntry
    text: str
    """As it was said."""
    plain: str
    """In small letters, with one kind of apostrophe and single spaces, for the rules."""
    first: bool
    """Whether it begins its turn."""
    provenance: str = ""
    """Of the twin's: where it comes from."""

    @property
    def twin(self) -> bool:
        return self.turn.who == "twin"

    @property
    def speaker(self) -> str:
        return self.turn.speaker

    @property
    def name(self) -> str:
        return self.turn.name


def sentences(turns: Iterable[TurnEntry]) -> list[Spoken]:
    """Everything said, in the order in which it began, sentence by sentence."""
    ordered = sorted(turns, key=lambda turn: (turn.start_samples, turn.sequence))
    return [
        Spoken(turn, text, plain(text), number == 0, provenance)
        for turn in ordered
        for number, (text, provenance) in enumerate(_cut(turn))
    ]


def plain(text: str) -> str:
    """A text as the rules look into it."""
    return " ".join(text.lower().replace("’", "'").replace("`", "'").split())


def _cut(turn: TurnEntry) -> Iterator[tuple[str, str]]:
    if turn.who == "twin" and turn.sentences:
        for sentence in turn.sentences:
            yield sentence.text, sentence.provenance
        return
    for part in _ENDS.split(turn.text[:TURN_CHARS]):
        if part.strip():
            yield part.strip(), turn.provenance
