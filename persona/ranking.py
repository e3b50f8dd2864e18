"""Full-text ranking in memory: which entry answers a question, and how sure that is.

Two steps. BM25 over an inverted index finds candidates among thousands of entries in a millisecond. The few best
are then scored between 0 and 1 by how much of the question they cover and how close the question is to one of the
ways in which the entry is asked for; BM25's own scores cannot be compared with a threshold, because they grow with
the length of the question. A word that the index has never seen is compared by its letters with those it has,
since a recogniser writes "consolation" for "consultation".
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persona.spelling import Compounds, Spellings
from persona.words import Language, language, language_of, plain

_K1 = 1.2
_B = 0.6
_CANDIDATES = 24
_BROAD_CANDIDATES = 48
_IN_BODY = 0.75
"""How much a word found only in the answer counts, against one found in the ways of asking."""
_MAX_WORDS = 64
"""How many different words of a question are looked up: a typed page must not keep the other calls waiting."""
_ASKING = 0.45
"""How much a question word counts, against a word that names the subject."""
_UNSEEN = 0.95
"""How much a word the index has never seen counts, against the rarest it has: it may be the one that matters, or
the recogniser's mistake."""
_LETTER = 0.06
"""How much the little words decide between entries that cover the question alike."""
_WEAK_NEEDS = 0.95
"""How close to a way of asking a question must be that names no subject, as "where are you" does not."""
_COVERED = 0.85
"""How much, in a broad search, the words of the question count against the closeness to a way of asking."""
_RELATED = 0.8
"""How much a word of near meaning counts, against the word itself."""
_KIND = 0.9
"""How much a compound counts that ends with the word: a boat shed is a shed."""
_PART = 0.5
"""How much a part of a compound counts where the compound is known as a whole."""


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that may answer the question."""

    entry: int
    """Its place in what was indexed."""
    score: float
    """0 no relation, 1 the question is one of the ways it is asked for."""
    covered: float
    """Share of the question's weight found in the entry."""
    astray: bool = False
    """True when the question also names what only other entries are about; known only of a search that is not
    broad."""


@dataclass(frozen=True, slots=True)
class Document:
    """What is indexed of an entry."""

    asked: tuple[str, ...]
    """Subject and ways of asking."""
    body: str = ""
    """The answer."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A word of the question."""

    weight: float
    weak: bool
    """It names no subject."""
    terms: tuple[tuple[str, float], ...]
    """What it is looked for as, and how like that is to what was asked; the likest first."""


class Index:
    """Built once, read by any number of calls. Building takes about 200 microseconds per entry."""

    def __init__(
        self, documents: Sequence[Document], *, names: Iterable[str] = (), languages: Sequence[str] = ("en",)
    ) -> None:
        """`names` are the owner's: nearly every question may have them, so they name no subject. `languages` are
        those in which the documents are expected to be, the usual one first."""
        written = [language_of(" ".join((*d.asked, d.body)), languages) for d in documents]
        share = Counter(written)
        self._languages = sorted(share, key=lambda each: -share[each]) or [language(languages[0])]
        self._weak = frozenset[str]().union(*(each.asking for each in self._languages))
        self._weak |= {term for name in names for each in self._languages for term in each.terms(name)}
        self._compounds = {
            each: self._joined(each, [d for d, of in zip(documents, written, strict=True) if of is each])
            for each in self._languages
        }
        self._families: dict[Language, dict[str, list[str]]] = {each: {} for each in self._languages}
        self._common = {
            each: Spellings((*each.lexicon, *self._vocabulary(each, documents, written)))
            for each in self._languages
        }
        self._written: list[tuple[frozenset[str], ...]] = []
        self._asked: list[tuple[frozenset[str], ...]] = []
        self._heads: list[frozenset[str]] = []
        self._bodies: list[frozenset[str]] = []
        self._fill(documents, written)

    def _fill(self, documents: Sequence[Document], written: Sequence[Language]) -> None:
        counts: list[Counter[str]] = []
        for document, of in zip(documents, written, strict=True):
            ways = [frozenset(self._terms(way, of)) for way in document.asked]
            self._asked.append(tuple(way for way in ways if way))
            self._heads.append(frozenset().union(*ways))
            self._written.append(tuple(frozenset(plain(way).split()) for way in document.asked))
            count: Counter[str] = Counter(term for way in ways for term in way)
            count.update(self._terms(document.body, of))
            counts.append(count)
            self._bodies.append(frozenset(count))
        lengths = [sum(count.values()) for count in counts]
        mean = (sum(lengths) / len(lengths) if lengths else 1.0) or 1.0
        postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for entry, count in enumerate(counts):
            norm = _K1 * (1 - _B + _B * lengths[entry] / mean)
            for term, times in count.items():
                postings[term].append((entry, times * (_K1 + 1) / (times + norm)))
        total = len(documents)
        self._size = total
        self._weight = {t: math.log(1 + total / (len(p) + 0.5)) for t, p in postings.items()}
        self._rarest = math.log(1 + total / 1.5)
        self._postings = {
            term: (
                np.array([entry for entry, _ in found], dtype=np.int32),
                np.array([self._weight[term] * bm25 for _, bm25 in found], dtype=np.float32),
            )
            for term, found in postings.items()
        }
        for each, families in self._families.items():
            for term in postings:
                families.setdefault(each.root(term), []).append(term)
        asking = frozenset[str]().union(*(each.asking for each in self._languages))
        self._asking = asking
        self._spellings = Spellings(term for term in postings if term not in asking)

    def search(
        self,
        question: str,
        *,
        limit: int = 5,
        among: Callable[[int], bool] | None = None,
        broad: bool = False,
    ) -> list[Match]:
        """The best entries, best first, of those that `among` is true for.

        `broad` also follows words of near meaning: it finds more, and a score then says less.
        """
        wanted = self._wanted(question, broad=broad)
        total = sum(word.weight for word in wanted)
        if not total or not self._size:
            return []
        candidates = self._candidates(wanted, _BROAD_CANDIDATES if broad else _CANDIDATES, among)
        written = frozenset(plain(question).split())
        if broad:
            matches = [self._broad_score(entry, wanted, total) for entry in candidates]
        else:
            matches = [self._score(entry, wanted, total, written) for entry in candidates]
        return sorted(
            (match for match in matches if match.score > 0), key=lambda match: (-match.score, match.entry)
        )[:limit]

    def _candidates(self, wanted: Sequence[_Wanted], limit: int, among: Callable[[int], bool] | None) -> list[int]:
        sums: NDArray[np.float32] = np.zeros(self._size, dtype=np.float32)
        for word in wanted:
            factor = _ASKING if word.weak else 1.0
            best: NDArray[np.float32] = np.zeros(self._size, dtype=np.float32)
            for term, likeness in word.terms:
                if term in self._postings:
                    entries, bm25 = self._postings[term]
                    best[entries] = np.maximum(best[entries], bm25 * np.float32(likeness * factor))
            sums += best
        order = np.argsort(-sums, kind="stable")
        found: list[int] = []
        for entry in map(int, order):
            if not sums[entry] or len(found) == limit:
                break
            if among is None or among(entry):
                found.append(entry)
        return found

    def _wanted(self, question: str, *, broad: bool) -> list[_Wanted]:
        """Each different word of the question."""
        of = self._language(question)
        wanted: dict[str, _Wanted] = {}
        for word in of.words(question):
            term = of.stem(word)
            if term in wanted:
                continue
            if len(wanted) >= _MAX_WORDS:
                break
            parts = self._compounds[of].parts(word) if of.compounds else ()
            whole = self._word(term, of, written=word, broad=broad)
            known = term in self._weight or (broad and bool(self._related(term, of)))
            if known or not parts:
                wanted[term] = whole
            for part in parts:
                if part not in wanted:
                    wanted[part] = self._word(part, of, broad=broad, share=_PART if known else 1.0)
        return list(wanted.values())

    def _word(self, term: str, of: Language, *, written: str = "", broad: bool, share: float = 1.0) -> _Wanted:
        weight = self._weight.get(term)
        found = [(term, 1.0)] if weight is not None else []
        if broad:
            found += self._related(term, of)
        if weight is None:
            weight = self._rarest * _UNSEEN
            if broad:
                found = found or self._misspelt(written, of)
                weight = max((self._weight[other] for other, _ in found), default=weight)
            elif term not in self._asking and (near := self._spellings.nearest(term)):
                found.append(near)
        weak = term in self._weak or any(other in self._weak for other, _ in found)
        return _Wanted(weight * share * (_ASKING if weak else 1.0), weak, tuple(found))

    def _related(self, term: str, of: Language) -> list[tuple[str, float]]:
        """Words of near meaning that the index has; where it has none, words that are near those."""
        near = dict.fromkeys(of.related(term), _RELATED)
        near |= dict.fromkeys(self._families[of].get(of.root(term), ()), _KIND)
        near = dict.fromkeys(self._compounds[of].ending_with(term), _KIND) | near
        known = [(other, like) for other, like in near.items() if other in self._weight and other != term]
        if known or term in self._weight:
            return sorted(known, key=lambda each: -each[1])
        further = dict.fromkeys(other for word in near for other in of.related(word))
        return [(other, _RELATED * _RELATED) for other in further if other in self._weight]

    def _misspelt(self, word: str, of: Language) -> list[tuple[str, float]]:
        """What an unknown word may have been meant to be: a word of the index, or one near in meaning to some."""
        found: dict[str, float] = {}
        for other, likeness in self._common[of].near(word):
            stem = of.stem(other)
            for near, like in ((stem, 1.0), *((each, _RELATED) for each in of.related(stem))):
                if near in self._weight:
                    found[near] = max(found.get(near, 0.0), likeness * like)
        return sorted(found.items(), key=lambda near: (-near[1], near[0]))

    def _score(self, entry: int, wanted: Sequence[_Wanted], total: float, written: frozenset[str]) -> Match:
        head, body = self._heads[entry], self._bodies[entry]
        covered = 0.0
        subject = astray = False
        for word in wanted:
            for term, likeness in word.terms:
                if term in body:
                    covered += word.weight * likeness * (1.0 if term in head else _IN_BODY)
                    subject = subject or not word.weak
                    break
            else:
                astray = astray or (not word.weak and any(likeness == 1 for _, likeness in word.terms))
        closest = self._closest(entry, wanted, total)
        if not subject and closest < _WEAK_NEEDS:
            return Match(entry, 0.0, covered / total)
        letter = max((len(written & way) / len(written | way) for way in self._written[entry]), default=0.0)
        score = 0.5 * covered / total + 0.5 * closest
        return Match(entry, (1 - _LETTER) * score + _LETTER * letter, covered / total, astray)

    def _broad_score(self, entry: int, wanted: Sequence[_Wanted], total: float) -> Match:
        """Mostly how much is covered, by a related word as much as that one is worth itself."""
        body = self._bodies[entry]
        covered = sum(
            max((min(w.weight, self._worth(term)) * like for term, like in w.terms if term in body), default=0.0)
            for w in wanted
        )
        score = _COVERED * covered / total + (1 - _COVERED) * self._closest(entry, wanted, total)
        return Match(entry, score, covered / total)

    def _closest(self, entry: int, wanted: Sequence[_Wanted], total: float) -> float:
        """How close the question is to the closest way of asking."""
        closest = 0.0
        for way in self._asked[entry]:
            shared = sum(w.weight * next((like for term, like in w.terms if term in way), 0.0) for w in wanted)
            closest = max(closest, 2 * shared / (total + sum(map(self._worth, way))))
        return closest

    def _worth(self, term: str) -> float:
        return self._weight[term] * (_ASKING if term in self._weak else 1.0)

    def _language(self, question: str) -> Language:
        """The language of the question: by its little words, else the one in which its words are known."""
        if len(self._languages) == 1:
            return self._languages[0]
        words = plain(question).split()

        def fits(each: Language) -> tuple[int, int]:
            return each.marked(words), sum(term in self._weight for term in each.terms(question))

        return max(self._languages, key=fits)

    def _terms(self, text: str, of: Language) -> list[str]:
        """Stems, and those of the parts of compounds."""
        found = []
        for word in of.words(text):
            found.append(of.stem(word))
            if of.compounds:
                found += self._compounds[of].parts(word)
        return found

    @staticmethod
    def _vocabulary(of: Language, documents: Sequence[Document], written: Sequence[Language]) -> Iterable[str]:
        """Every word of the documents in that language, as it is written."""
        for document, language_written in zip(documents, written, strict=True):
            if language_written is of:
                for text in (*document.asked, document.body):
                    yield from of.words(text)

    @staticmethod
    def _joined(of: Language, documents: Iterable[Document]) -> Compounds:
        known = Counter(map(of.stem, of.lexicon))
        for document in documents:
            for text in (*document.asked, document.body):
                known.update(of.terms(text))
        return Compounds(known, of.stem, short=of.short)
