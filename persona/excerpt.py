"""The sentence or two of a document that answer a question.

A passage of a hundred words has something in common with most questions. So it answers only when all that the
question names stands in it, and most of that in the one or two sentences that are read out.
"""

from __future__ import annotations

from persona.documents import Passage, sentences
from persona.words import language_of

_MOST = 0.6
"""Share of the question's words, without those of the title, that must stand in what is read out."""
_MAX_WORDS = 60
"""Longer than this nobody listens to on the telephone."""


def excerpt(passage: Passage, question: str, *, languages: tuple[str, ...], names: frozenset[str]) -> str:
    """What to read out of the passage; empty when it does not answer the question.

    `names` are words, as stems, that name no subject: the owner's own.
    """
    of = language_of(passage.text, languages)
    wanted = set(of.terms(question)) - names
    subject = wanted - of.asking
    above = set(of.terms(passage.about))
    if not subject or not subject <= above | set(of.terms(passage.text)):
        return ""
    within = subject - above
    if len(subject) < 2 and within:
        return ""
    said = sentences(passage.text)
    best, best_share = "", 0.0
    for at, first in enumerate(said):
        for text in (first, " ".join(said[at : at + 2])):
            if len(text.split()) > _MAX_WORDS:
                continue
            here = set(of.terms(text))
            share = len(within & here) / len(within) if within else float(bool(subject & here))
            # Among those that say as much, the shorter one; words that the title has as well count less.
            share += 0.1 * len(subject & here) / len(subject) - 0.001 * len(text.split())
            if share > best_share:
                best, best_share = text, share
    return best if best_share >= _MOST else ""
