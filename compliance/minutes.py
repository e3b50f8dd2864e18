"""What a meeting came down to, in words: the headings under which an owner reads it, and a line for each thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from compliance.entries import MinuteEntry, MinuteKind

HEADINGS: Final[dict[MinuteKind, str]] = {
    "question": "Questions for you",
    "decision": "Decisions",
    "action": "Who does what",
    "promise": "What the twin promised",
    "statement": "What the twin said in your name",
    "unknown": "What the twin did not know",
}
"""In the order in which they are shown."""


def by_kind(minutes: Iterable[MinuteEntry]) -> Iterator[tuple[str, list[MinuteEntry]]]:
    """Each heading that has something under it, in order of time."""
    listed = list(minutes)
    for kind, heading in HEADINGS.items():
        if entries := [entry for entry in listed if entry.kind == kind]:
            yield heading, entries


def line(entry: MinuteEntry) -> str:
    """One thing in one line, with who said it or does it."""
    if entry.kind == "action":
        parts = [entry.who, entry.text, f"({entry.due})" if entry.due else ""]
        return " ".join(filter(None, (f"{parts[0]}:" if parts[0] else "", *parts[1:])))
    return f"{entry.name}: {entry.text}" if entry.name else entry.text
