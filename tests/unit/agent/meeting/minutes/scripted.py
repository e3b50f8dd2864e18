"""Scripted meetings, and how well a digest finds what they come down to."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.meeting.minutes.digest import digest
from compliance.entries import MinuteEntry, MinuteKind, TurnEntry, WordEntry

RATE_HZ = 48_000
OWNER = ("Martin Alder",)
_KINDS: dict[str, MinuteKind] = {
    "q": "question", "d": "decision", "a": "action", "s": "statement", "p": "promise", "u": "unknown",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Meeting:
    id: str
    language: str
    turns: tuple[TurnEntry, ...]
    expected: frozenset[tuple[MinuteKind, int]]
    """Kind, and the sequence of the turn that it comes from."""
    actions: dict[int, tuple[str, str]]
    """Who and by when, by the turn."""


@dataclass(slots=True)
class Score:
    """How much was found, by kind."""

    right: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    wanted: Counter[str] = field(default_factory=Counter)
    who: int = 0
    """Actions found with the right person."""
    due: int = 0
    """Actions found with the right date."""
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def precision(self, kind: str) -> float:
        return self.right[kind] / self.found[kind] if self.found[kind] else 1.0

    def recall(self, kind: str) -> float:
        return self.right[kind] / self.wanted[kind] if self.wanted[kind] else 1.0


def meetings(which: str) -> list[Meeting]:
    """`tuning` or `scoring`."""
    data = tomllib.loads((Path(__file__).parent / "meetings.toml").read_text("utf-8"))
    return [_meeting(one) for one in data["meeting"] if one["set"] == which]


def score(
    listed: Iterable[Meeting],
    make: Callable[[Meeting], Sequence[MinuteEntry]] = lambda meeting: digest(
        meeting.turns, owner=OWNER, language=meeting.language
    ),
) -> Score:
    """Count what `make` finds in the meetings."""
    done = Score()
    for meeting in listed:
        texts = {turn.start_samples: turn for turn in meeting.turns}
        found: set[tuple[MinuteKind, int]] = set()
        for entry in make(meeting):
            turn = texts[entry.start_samples]
            found.add((entry.kind, turn.sequence))
            if (entry.kind, turn.sequence) in meeting.expected and entry.kind == "action":
                who, due = meeting.actions[turn.sequence]
                done.who += entry.who == who
                done.due += entry.due.lower() == due.lower()
        for kind, sequence in sorted(found | meeting.expected):
            label = f"{meeting.id} {kind}: {meeting.turns[sequence].text}"
            done.found[kind] += (kind, sequence) in found
            done.wanted[kind] += (kind, sequence) in meeting.expected
            done.right[kind] += (kind, sequence) in found & meeting.expected
            if (kind, sequence) not in found:
                done.missed.append(label)
            if (kind, sequence) not in meeting.expected:
                done.wrong.append(label)
    return done


def _meeting(data: dict[str, object]) -> Meeting:
    turns: list[TurnEntry] = []
    expected: set[tuple[MinuteKind, int]] = set()
    actions: dict[int, tuple[str, str]] = {}
    lines = data["lines"]
    assert isinstance(lines, list)
    for number, (who, text, labels) in enumerate(lines):
        start, end = number * 4 * RATE_HZ, (number * 4 + 3) * RATE_HZ
        if who == "twin":
            provenance = "fact" if "s" in labels.split(";") else "notice"
            words = _words(text, start, provenance)
            turns.append(TurnEntry(number, "twin", text, start, end, RATE_HZ, provenance=provenance, words=words))
        else:
            turns.append(TurnEntry(number, "caller", text, start, end, RATE_HZ, speaker=who.lower(), name=who))
        for label in filter(None, labels.split(";")):
            kind, _, rest = label.partition("=")
            expected.add((_KINDS[kind], number))
            if kind == "a":
                who_does, _, due = rest.partition("/")
                actions[number] = (who_does, due)
    return Meeting(str(data["id"]), str(data["language"]), tuple(turns), frozenset(expected), actions)


def _words(text: str, start: int, provenance: str) -> tuple[WordEntry, ...]:
    words: list[WordEntry] = []
    sentence = 0
    for number, word in enumerate(text.split()):
        words.append(WordEntry(word, start + number * 100, start + number * 100 + 90, sentence, provenance))
        sentence += word.endswith((".", "?", "!"))
    return tuple(words)
