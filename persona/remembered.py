"""What a caller told in earlier calls, told back to them: "what did I tell you about the roof?"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from persona.ranking import Document, Index
from persona.source import Memory
from persona.words import language_of, plain

_GENERAL = re.compile(
    r"\b(do|don t|can) you (still )?(remember|recall|know) (me|who i am)\b|\bremember me$|"
    r"\bhave we (ever )?(spoken|talked|met|been in touch)\b|\bdid (i|we) (call|ring|speak|talk)\b.*\bbefore\b|"
    r"\bwhat do you (still )?(know|remember|recall) about me\b|\bwhat did (i|we) (say|tell you|talk about)"
    r"( last time| earlier| before| the last time)?$"
)
_TOLD = re.compile(
    r"\b(?:what|did|have|had) (?:did |have |had )?(?:i|we) (?:ever )?"
    r"(?:tell|told|say|said|mention|mentioned|talk|talked)(?: to)?(?: you| him| her| them)?"
    r"(?: last time| earlier| before)?(?: about| of| that)? (?P<subject>.+)"
)
_RECALL = re.compile(
    r"\b(?:do|don t|can) you (?:still )?(?:remember|recall)(?: what i (?:said|told you)| when i told you)?"
    r"(?: about| that| of)? (?P<subject>.+)"
)
_MINE = re.compile(r"\b(my|mine|our|ours|i|me|we|us)\b")
_LATEST = 3
_FEW = 2
_ABOUT_ENOUGH = 0.3
_ANSWERS = 0.75
"""Share of an ordinary question that a memory must cover to answer it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks to be reminded of."""

    subject: str
    """Empty for "do you remember me?"."""
    surely: bool
    """False when it may as well be about the owner: "do you remember the opening hours?"."""


def asked(said: str) -> Asked | None:
    """What the caller asks to be reminded of; None for any other question."""
    words = plain(said).replace("'", " ")
    if _GENERAL.search(words):
        return Asked("", surely=True)
    if told := _TOLD.search(words):
        return Asked(told["subject"], surely=True)
    recall = _RECALL.search(words)
    return Asked(recall["subject"], surely=False) if recall else None


def about(memories: Sequence[Memory], subject: str) -> tuple[Memory, ...]:
    """The memories that the caller may mean, at most three; the latest ones when no subject is named."""
    if not subject:
        return tuple(sorted(memories, key=lambda memory: -memory.at_ms)[:_LATEST])
    matches = _index(memories).search(subject, limit=_FEW, broad=True)
    return tuple(memories[match.entry] for match in matches if match.covered >= _ABOUT_ENOUGH)


def answering(memories: Sequence[Memory], question: str) -> Memory | None:
    """The memory that answers a question of the caller about themselves: "when does my daughter start school"."""
    if not memories or not _MINE.search(plain(question).replace("'", " ")):
        return None
    of = language_of(question, ("en",))
    subject = {term for term in of.terms(question) if term not in of.asking}
    best = next(iter(_index(memories).search(question, limit=1)), None)
    if best is None or len(subject) < 2:
        return None
    memory = memories[best.entry]
    there = set(of.terms(f"{memory.about} {memory.text}"))
    return memory if len(subject & there) >= _ANSWERS * len(subject) else None


def _index(memories: Sequence[Memory]) -> Index:
    return Index([Document((memory.about.replace("_", " "),), memory.text) for memory in memories])
