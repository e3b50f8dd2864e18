"""Whether an answer to "may I record?" is a clear yes. Built so that a yes is never heard where none was given.

A yes is an answer that consists, from its first word to its last, of things people say to agree (`answers.toml`).
One word that is not among them, a condition, a question, somebody else's yes, leaves the answer unclear; and
unclear counts as no.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from compliance.language.plain import UNSPACED, Phrases, base, words

Answer = Literal["yes", "no", "unclear"]
Purpose = Literal["recording", "transcription", "memory"]

_LONGEST_WORDS = 16
_LONGEST_LETTERS = 30
"""A longer answer says more than yes."""
_QUESTION_MARKS = ("?", "？", "؟")


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    greeting: Phrases
    """May stand before a yes. Behind one it turns the yes into "hello?"."""
    filler: Phrases
    """May stand before a yes and after it, and means nothing."""
    yes: Phrases
    tail: Phrases
    """May follow a yes and changes nothing about it."""
    purposes: dict[Purpose, Phrases]
    """A yes that names what it is for: "you may record"."""
    brushed_off: Phrases
    """Beginnings that wave the question away: "yeah, yeah"."""
    doubtful: Phrases
    """Whole answers made of words of agreement that are none: "fine, thanks"."""
    no: Phrases


def answer(text: str, language: str, purpose: Purpose = "recording") -> Answer:
    """What `text`, an answer to the question for `purpose`, means. No language but the built-in ones has a yes."""
    code = base(language)
    vocabulary = _vocabulary(code)
    if vocabulary is None:
        return "unclear"
    said = words(text, code)
    asks = any(mark in text for mark in _QUESTION_MARKS)
    longest = _LONGEST_LETTERS if code in UNSPACED else _LONGEST_WORDS
    if said and len(said) <= longest and not asks and _agrees(said, vocabulary, purpose):
        return "yes"
    return "no" if said and not asks and _refuses(said, vocabulary, purpose, code) else "unclear"


def _agrees(said: tuple[str, ...], vocabulary: _Vocabulary, purpose: Purpose) -> bool:
    if vocabulary.brushed_off.ends(said, 0) or len(said) in vocabulary.doubtful.ends(said, 0):
        return False
    agreeing = (vocabulary.yes, vocabulary.purposes[purpose])
    # What is reached at each word: before a yes, and after one.
    before, after = [False] * (len(said) + 1), [False] * (len(said) + 1)
    before[0] = True
    for at in range(len(said)):
        if before[at] or after[at]:
            if before[at]:
                for end in vocabulary.greeting.ends(said, at):
                    before[end] = True
            for end in vocabulary.filler.ends(said, at):
                before[end] |= before[at]
                after[end] |= after[at]
            for phrases in agreeing:
                for end in phrases.ends(said, at):
                    after[end] = True
        if after[at]:
            for end in vocabulary.tail.ends(said, at):
                after[end] = True
    return after[-1]


def _refuses(said: tuple[str, ...], vocabulary: _Vocabulary, purpose: Purpose, code: str) -> bool:
    if code in UNSPACED:
        # A word of agreement is part of the refusal there: "bu xing" holds "xing".
        return bool(vocabulary.no.ends(said, 0))
    agreeing = vocabulary.yes.within(said) or vocabulary.purposes[purpose].within(said)
    return vocabulary.no.within(said) and not agreeing


def warm(language: str) -> None:
    """Read the words of `language` ahead: the first use takes some 50 ms, too long during a call."""
    _vocabulary(base(language))


@cache
def _vocabulary(language: str) -> _Vocabulary | None:
    table = _tables().get(language)
    if table is None:
        return None
    return _Vocabulary(
        greeting=Phrases(table["greeting"], language),
        filler=Phrases(table["filler"], language),
        yes=Phrases(table["yes"], language),
        tail=Phrases(table["tail"], language),
        purposes={
            "recording": Phrases(table["recording"], language),
            "transcription": Phrases(table["transcription"], language),
            "memory": Phrases(table["memory"], language),
        },
        brushed_off=Phrases(table["brushed_off"], language),
        doubtful=Phrases(table["doubtful"], language),
        no=Phrases(table["no"], language),
    )


@cache
def _tables() -> dict[str, dict[str, list[str]]]:
    data = tomllib.loads(resources.files("compliance.language").joinpath("answers.toml").read_text("utf-8"))
    return {code: table for code, table in data.items() if isinstance(table, dict)}
