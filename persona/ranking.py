"""Full-text ranking in memory: which entry answers a question, and how sure that is.

Two steps. BM25 over an inverted index finds candidates among thousands of entries in a few milliseconds. The few
best are then scored between 0 and 1 by how much of the question they cover and how close the question is to one of
the ways in which the entry is asked for; BM25's own scores cannot be compared with a threshold, because they grow
with the length of the question. A word that the index has never seen is compared by its letters with those it has,
since a recogniser writes "consolation" for "consultation".
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from persona.words import ASKING, plain, terms

_K1 = 1.2
_B = 0.6
_CANDIDATES = 24
_IN_BODY = 0.75
"""How much a word found only in the answer counts, against one found in the ways of asking."""
_ASKING = 0.45
"""How much a question word counts, against a word that names the subject."""
_UNSEEN = 0.95
"""How much a word the index has never seen counts, against the rarest it has: it may be the one that matters, or
the recogniser's mistake."""
_LETTER = 0.06
"""How much the little words decide between entries that cover the question alike."""
_WEAK_NEEDS = 0.95
"""How close to a way of asking a question must be that names no subject, as "where are you" does not."""
_ALIKE = 0.7
"""Letters in common from which an unseen word is taken for a known one."""


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that may answer the question."""

    entry: int
    """Its place in what was indexed."""
    score: float
    """0 no relation, 1 the question is one of the ways it is asked for."""
    covered: float
    """Share of the question's weight found in the entry."""


@dataclass(frozen=True, slots=True)
class Document:
    """What is indexed of an entry."""

    asked: tuple[str, ...]
    """Subject and ways of asking."""
    body: str = ""
    """The answer."""


class Index:
    """Built once, read by any number of calls. Building takes about 150 microseconds per entry."""

    def __init__(self, documents: Sequence[Document], *, names: Iterable[str] = ()) -> None:
        """`names` are the owner's: nearly every question may have them, so they name no subject."""
        self._weak = ASKING | {term for name in names for term in terms(name)}
        self._written: list[tuple[frozenset[str], ...]] = []
        self._asked: list[tuple[frozenset[str], ...]] = []
        self._heads: list[frozenset[str]] = []
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        lengths: list[int] = []
        counts: list[Counter[str]] = []
        for document in documents:
            ways = tuple(frozenset(terms(way)) for way in document.asked)
            self._asked.append(tuple(way for way in ways if way))
            self._heads.append(frozenset().union(*ways))
            self._written.append(tuple(frozenset(plain(way).split()) for way in document.asked))
            count: Counter[str] = Counter(term for way in ways for term in way)
            count.update(terms(document.body))
            counts.append(count)
            lengths.append(sum(count.values()))
        mean = (sum(lengths) / len(lengths) if lengths else 1.0) or 1.0
        for entry, count in enumerate(counts):
            norm = _K1 * (1 - _B + _B * lengths[entry] / mean)
            for term, times in count.items():
                self._postings[term].append((entry, times * (_K1 + 1) / (times + norm)))
        total = len(documents)
        self._weight = {t: math.log(1 + total / (len(p) + 0.5)) for t, p in self._postings.items()}
        self._rarest = math.log(1 + total / 1.5)
        self._spellings = _Spellings(term for term in self._postings if term not in ASKING)
        self._bodies = [frozenset(count) for count in counts]

    def search(self, question: str, *, limit: int = 5) -> list[Match]:
        """The best entries, best first."""
        wanted = self._wanted(terms(question))
        total = sum(weight for _, weight, _ in wanted)
        if not total:
            return []
        candidates: dict[int, float] = defaultdict(float)
        for term, weight, likeness in wanted:
            for entry, bm25 in self._postings.get(term, ()):
                candidates[entry] += weight * likeness * bm25
        best = sorted(candidates, key=lambda entry: (-candidates[entry], entry))[:_CANDIDATES]
        written = frozenset(plain(question).split())
        matches = [self._score(entry, wanted, total, written) for entry in best]
        return sorted(
            (match for match in matches if match.score > 0), key=lambda match: (-match.score, match.entry)
        )[:limit]

    def _wanted(self, question: Iterable[str]) -> list[tuple[str, float, float]]:
        """Term, weight and likeness (1 when it was written so) for each different word of the question."""
        wanted = []
        for term in dict.fromkeys(question):
            weight = self._weight.get(term)
            likeness = 1.0
            if weight is None:
                weight = self._rarest * _UNSEEN
                if term not in ASKING and (near := self._spellings.nearest(term)):
                    term, likeness = near
            wanted.append((term, weight * self._share(term), likeness))
        return wanted

    def _share(self, term: str) -> float:
        return _ASKING if term in self._weak else 1.0

    def _score(
        self, entry: int, wanted: list[tuple[str, float, float]], total: float, written: frozenset[str]
    ) -> Match:
        head, body = self._heads[entry], self._bodies[entry]
        covered = 0.0
        subject = False
        for term, weight, likeness in wanted:
            if term in body:
                covered += weight * likeness * (1.0 if term in head else _IN_BODY)
                subject = subject or term not in self._weak
        closest = 0.0
        for way in self._asked[entry]:
            shared = sum(weight * likeness for term, weight, likeness in wanted if term in way)
            size = sum(self._weight[term] * self._share(term) for term in way)
            closest = max(closest, 2 * shared / (total + size))
        if not subject and closest < _WEAK_NEEDS:
            return Match(entry, 0.0, covered / total)
        letter = max((len(written & way) / len(written | way) for way in self._written[entry]), default=0.0)
        score = 0.5 * covered / total + 0.5 * closest
        return Match(entry, (1 - _LETTER) * score + _LETTER * letter, covered / total)


class _Spellings:
    """Known words by their pairs of letters, to find the one that a misheard word was meant to be."""

    def __init__(self, words: Iterable[str]) -> None:
        self._pairs: dict[str, list[str]] = defaultdict(list)
        for word in words:
            if len(word) >= 4:
                for pair in _pairs(word):
                    self._pairs[pair].append(word)
        self._found: dict[str, tuple[str, float] | None] = {}

    def nearest(self, word: str) -> tuple[str, float] | None:
        """The most similar known word and how similar it is, when it is similar enough."""
        if len(word) < 5:
            return None
        if word not in self._found:
            if len(self._found) > 10_000:
                self._found.clear()
            self._found[word] = self._look(word)
        return self._found[word]

    def _look(self, word: str) -> tuple[str, float] | None:
        mine = _pairs(word)
        shared: Counter[str] = Counter()
        for pair in mine:
            shared.update(self._pairs.get(pair, ()))
        best: tuple[str, float] | None = None
        for other, count in shared.items():
            # The edit distance is dear: only words of like length that share many pairs are worth it.
            if abs(len(word) - len(other)) > (1 - _ALIKE) * max(len(word), len(other)):
                continue
            if (likeness := 2 * count / (len(mine) + len(other) + 1)) >= _ALIKE - 0.2:
                likeness = max(likeness, _alike(word, other))
                if likeness >= _ALIKE and (best is None or (likeness, other) > (best[1], best[0])):
                    best = (other, likeness)
        return best


def _pairs(word: str) -> frozenset[str]:
    return frozenset(a + b for a, b in zip(f"^{word}", f"{word}$", strict=True))


def _alike(one: str, other: str) -> float:
    """1 minus the edit distance over the longer length."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return 1 - row[-1] / max(len(one), len(other))
