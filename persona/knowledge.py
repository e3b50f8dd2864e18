"""Everything the owner has written down, searched: facts, statements and documents.

Full text, in the owner's languages, without any model; where an embedder is given, what it finds near is mixed in
by rank, because its scores and those of the full text cannot be compared.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from compliance.errors import EngineError
from persona.caller import Caller
from persona.documents import Passage
from persona.facts import Fact
from persona.home import Persona
from persona.memory.embedder import Embedder
from persona.prompt import Entry, may_say
from persona.ranking import Document, Index, Match
from persona.source import Source
from persona.statements import Statement

logger = logging.getLogger(__name__)

_RANK_OFFSET = 20
"""Of reciprocal rank fusion: the greater, the less the first places count over the next ones."""
_NEAR_WEIGHT = 0.4
"""How much a place by nearness counts against one by words."""
_DEPTH = 30
"""How many of each ranking are mixed."""
_EMBED_CHARS = 2000


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that has to do with the question."""

    entry: Entry
    score: float
    """Between 0 and 1, the same for the same question; not a probability."""


class Knowledge:
    """One persona, indexed once, shared by all calls."""

    def __init__(self, persona: Persona, *, embedder: Embedder | None = None) -> None:
        """Takes about 200 microseconds per entry, with an embedder as long as that takes: build it in a thread."""
        self.persona = persona
        self.entries: tuple[Entry, ...] = (*persona.facts, *persona.statements, *persona.documents)
        profile = persona.profile
        self.index = Index(
            [Document((entry.about, *entry.asked), words_of(entry)) for entry in self.entries],
            names=(profile.name, profile.called),
            languages=profile.languages,
        )
        self._embedder = embedder
        self._vectors: NDArray[np.float32] | None = None
        if embedder is not None and self.entries:
            texts = [" ".join((e.about, *e.asked, words_of(e)))[:_EMBED_CHARS] for e in self.entries]
            self._vectors = embedder.embed(texts)

    def search(self, question: str, *, today: date, caller: Caller, limit: int = 5) -> tuple[Found, ...]:
        """What has to do with the question, holds today and may be told to the caller, best first.

        Takes a few milliseconds for thousands of entries, and blocks for the embedder where there is one.
        """

        def among(entry: int) -> bool:
            return may_say(self.entries[entry], today=today, caller=caller)

        matches = self.index.search(question, limit=max(limit, _DEPTH), among=among, broad=True)
        if self._vectors is not None and self._embedder is not None:
            try:
                matches = self._mixed(matches, question, among)
            except EngineError as error:
                # What the full text finds is better than no answer at all.
                logger.warning("the embedder failed; full text alone", extra={"code": error.code})
        return tuple(Found(self.entries[match.entry], match.score) for match in matches[:limit])

    def strict(
        self, question: str, *, limit: int = 5, among: Callable[[Entry], bool] | None = None
    ) -> list[tuple[Entry, Match]]:
        """What answers the question by its own words, with scores that thresholds can be set on."""
        entries = self.entries
        matches = self.index.search(
            question, limit=limit, among=None if among is None else lambda entry: among(entries[entry])
        )
        return [(entries[match.entry], match) for match in matches]

    def source(self, entry: Entry) -> Source:
        """What a brain that was shown the entry may say."""
        return source_of(entry)

    def _mixed(self, matches: list[Match], question: str, among: Callable[[int], bool]) -> list[Match]:
        """The matches with those that the embedder finds near, by reciprocal rank."""
        assert self._embedder is not None
        assert self._vectors is not None
        likeness = self._vectors @ self._embedder.embed([question[:_EMBED_CHARS]])[0]
        near = [int(entry) for entry in np.argsort(-likeness, kind="stable")[: 4 * _DEPTH] if among(int(entry))]
        best = {match.entry: match for match in matches}
        points: dict[int, float] = {}
        for weight, order in ((1.0, [match.entry for match in matches]), (_NEAR_WEIGHT, near[:_DEPTH])):
            for rank, entry in enumerate(order):
                points[entry] = points.get(entry, 0.0) + weight / (_RANK_OFFSET + rank)
        ranked = sorted(points, key=lambda entry: (-points[entry], entry))
        return [best.get(entry) or Match(entry, max(0.0, float(likeness[entry])), 0.0) for entry in ranked]


def words_of(entry: Entry) -> str:
    """What is said when the entry is the answer."""
    return entry.say if isinstance(entry, Fact) else entry.text


def holds(entry: Entry, day: date) -> bool:
    """True when it is so on that day; what was said or written stays said."""
    return not isinstance(entry, Fact) or entry.holds(day)


def source_of(entry: Entry) -> Source:
    """What a brain that was shown the entry may say."""
    match entry:
        case Fact():
            return Source("fact", entry.about, entry.say)
        case Statement():
            return Source("statement", entry.about, entry.text)
        case Passage():
            return Source("document", entry.about, entry.text)
