"""What is remembered of the caller, found in RAM while they speak: by their words, and by what is like them.

recall = await library.recall(subject)          # while it rings
recall.find("How is my daughter?", limit=3)     # some hundred microseconds
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persona.memory.embedder import Embedder, weight, words
from persona.source import Memory

_K1 = 1.2
_B = 0.5
"""The usual constants of BM25: how soon a repeated word stops counting, and how much a long sentence loses."""
_STEM = 5
"""Words with the same beginning of so many letters (school, schools; Schule, schulisch) count in part."""
_LEAST_PART, _LEAST_REST = 4, 3
"""A word that another ends with (Zaun, Gartenzaun) counts in part as well: letters of it, and of the rest."""
_PART_WEIGHT = 0.6
_UNKNOWN = 0.3
"""A word of the question that nobody ever said lowers every score by so much of the rarest word's."""
_WORDS = 0.6
"""The share of the words in the result; the rest is the vectors'."""
_LEAST = 0.12
"""What is less like the question than that is not about it."""
_SAME = 0.02
"""Memories whose scores differ by less are equally good: then the newer one counts."""


class Recall:
    """The memories of one caller. Pure and immutable; making it takes a moment, so it is made in a thread."""

    def __init__(
        self,
        memories: Sequence[Memory],
        *,
        embedder: Embedder,
        vectors: NDArray[np.float32] | None = None,
    ) -> None:
        """`vectors` are the memories', (n, dims), where they are known; else they are made if that is quick."""
        order = sorted(range(len(memories)), key=lambda at: (memories[at].at_ms, memories[at].id))
        self._every = tuple(memories[at] for at in order)
        self.memories = self._every
        """The oldest first."""
        self._hidden: NDArray[np.intp] | None = None
        self._embedder = embedder
        texts = [memory.text for memory in self._every]
        if vectors is not None:
            vectors = vectors[order]
        elif embedder.in_ram and texts:
            vectors = embedder.embed(texts)
        self._vectors = vectors
        self._index = _Index(texts)

    def __len__(self) -> int:
        return len(self.memories)

    def find(
        self, question: str, *, limit: int = 5, vector: NDArray[np.float32] | None = None
    ) -> tuple[Memory, ...]:
        """What may answer the question, the best first; nothing when nothing is about it.

        `vector` is the question's, where the embedder is too slow to be asked now; without it words alone count.
        """
        if not self.memories or limit < 1 or not any(weight(word) == 1 for word in words(question)):
            return ()
        scores = self._index.scores(question)
        if self._vectors is not None:
            if vector is None and self._embedder.in_ram:
                vector = self._embedder.embed([question])[0]
            if vector is not None:
                # Not `@`, whose threads wait for one another: on a busy machine for tens of milliseconds.
                alike: NDArray[np.float32] = np.vecdot(self._vectors, vector)
                scores = (_WORDS * scores + (1 - _WORDS) * np.maximum(alike, 0)).astype(np.float32)
        if self._hidden is not None:
            scores[self._hidden] = 0
        # Positions grow with the time: of what is equally good, the later is the newer.
        rank = np.rint(scores / _SAME).astype(np.int64) * len(scores) + np.arange(len(scores))
        some = np.argpartition(-rank, limit)[:limit] if limit < len(rank) else np.arange(len(rank))
        best = some[np.argsort(-rank[some])]
        return tuple(self._every[at] for at in best if scores[at] >= _LEAST)

    def latest(self, limit: int = 5) -> tuple[Memory, ...]:
        """The newest first: what the last calls were about."""
        return self.memories[::-1][:limit]

    def of(self, person: str) -> Recall:
        """The same of one of several people who share a number; what nobody is known to have said is left out.

        Where all that is known was said by one person, or by somebody unknown, it is theirs.
        """
        one = copy.copy(self)
        one.memories = of_person(self.memories, person)
        theirs = {memory.id for memory in one.memories}
        hidden = [at for at, memory in enumerate(self._every) if memory.id not in theirs]
        one._hidden = np.array(hidden, dtype=np.intp)
        return one


def of_person(memories: Iterable[Memory], person: str) -> tuple[Memory, ...]:
    """What that person told. Of several people on a line nobody hears what another, or somebody unknown, said."""
    every = tuple(memories)
    name = person.casefold()
    others = {memory.person.casefold() for memory in every if memory.person} - {name}
    return tuple(
        memory for memory in every if memory.person.casefold() == name or (not memory.person and not others)
    )


class _Index:
    """BM25 over words, their beginnings and their endings, with all weights worked out beforehand."""

    def __init__(self, texts: Sequence[str]) -> None:
        said = [words(text) for text in texts]
        mean = sum(map(len, said)) / max(1, len(said))
        self._count = len(texts)
        postings: dict[str, tuple[list[int], list[float]]] = {}
        for at, of_text in enumerate(said):
            norm = _K1 * (1 - _B + _B * len(of_text) / max(1.0, mean))
            counts = Counter(term for word in of_text for term in _terms(word))
            for term, count in counts.items():
                where, how_much = postings.setdefault(term, ([], []))
                where.append(at)
                how_much.append(count * (_K1 + 1) / (count + norm))
        self._postings = {
            term: _Posting(
                np.array(where, dtype=np.intp), np.array(how_much, dtype=np.float32), self._idf(len(where))
            )
            for term, (where, how_much) in postings.items()
        }

    def scores(self, question: str) -> NDArray[np.float32]:
        """How much of the question's words each memory has, 0 to about 1."""
        scores = np.zeros(self._count, dtype=np.float32)
        most = 0.0
        for word in dict.fromkeys(words(question)):
            # What a word has in common with another counts once, and as the closest of the ways.
            ways = [(self._postings[term], share) for term, share in _ways(word) if term in self._postings]
            of_word = np.zeros(self._count, dtype=np.float32)
            for posting, share in ways:
                worth = posting.how_much * np.float32(posting.idf * share * weight(word))
                of_word[posting.where] = np.maximum(of_word[posting.where], worth)
            scores += of_word
            known = max((posting.idf * share for posting, share in ways), default=_UNKNOWN * self._idf(0))
            most += weight(word) * known
        return scores / np.float32(most) if most else scores

    def _idf(self, count: int) -> float:
        return math.log(1 + (self._count - count + 0.5) / (count + 0.5))


@dataclass(frozen=True, slots=True)
class _Posting:
    """The memories in which a term is."""

    where: NDArray[np.intp]
    how_much: NDArray[np.float32]
    idf: float


def _terms(word: str) -> Iterator[str]:
    """What a word of a memory is found by."""
    yield word
    if len(word) > _STEM:
        yield word[:_STEM] + "*"
    for ending in _endings(word):
        yield "*" + ending


def _ways(word: str) -> Iterator[tuple[str, float]]:
    """What a word of a question looks for, and how much finding that is worth."""
    yield word, 1.0
    if len(word) > _STEM:
        yield word[:_STEM] + "*", _PART_WEIGHT
    if len(word) >= _LEAST_PART:
        yield "*" + word, _PART_WEIGHT
    for ending in _endings(word):
        yield ending, _PART_WEIGHT


def _endings(word: str) -> Iterator[str]:
    for start in range(_LEAST_REST, len(word) - _LEAST_PART + 1):
        yield word[start:]
