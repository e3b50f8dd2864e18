"""Words by their letters: the known word that a misheard one was meant to be, and those that a long one joins."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice, takewhile

_ALIKE = 0.7
"""Letters in common from which an unseen word is taken for a known one."""
_SHARED = 0.4
"""Pairs of letters in common from which it is worth counting edits."""
_NEAR = 3
_CACHED = 10_000
_ENDING = 50
"""How many words with the same last part are followed."""
_MIN_PART = 4
_MIN_WORD = 7
_PREFIXES = ("miss", "nach", "wieder", "unter", "uber", "hinter", "durch")


class Spellings:
    """Known words by their pairs of letters."""

    def __init__(self, words: Iterable[str]) -> None:
        self._pairs: dict[str, list[str]] = defaultdict(list)
        for word in dict.fromkeys(words):
            if len(word) >= 4:
                for pair in _pairs(word):
                    self._pairs[pair].append(word)
        self._found: dict[str, tuple[tuple[str, float], ...]] = {}

    def nearest(self, word: str) -> tuple[str, float] | None:
        """The most similar known word and how similar it is, when it is similar enough."""
        near = self.near(word, limit=1) if len(word) >= 5 else ()
        return near[0] if near else None

    def near(self, word: str, *, limit: int = 3) -> tuple[tuple[str, float], ...]:
        """The most similar known words and how similar they are, the most similar first."""
        if word not in self._found:
            if len(self._found) > _CACHED:
                self._found.clear()
            self._found[word] = self._look(word)
        return self._found[word][:limit]

    def _look(self, word: str) -> tuple[tuple[str, float], ...]:
        mine = _pairs(word)
        shared: Counter[str] = Counter()
        for pair in mine:
            shared.update(self._pairs.get(pair, ()))
        found: list[tuple[str, float]] = []
        for other, count in shared.items():
            # The edit distance is dear: only words of like length that share many pairs are worth it.
            if abs(len(word) - len(other)) > (1 - _ALIKE) * max(len(word), len(other)):
                continue
            if (likeness := 2 * count / (len(mine) + len(other) + 1)) >= _SHARED:
                likeness = max(likeness, _alike(word, other))
                if likeness >= _ALIKE:
                    found.append((other, likeness))
        return tuple(sorted(found, key=lambda near: (-near[1], near[0]))[:_NEAR])


class Compounds:
    """Words made of known words: `Dachfenster`, `Arbeitszimmer`."""

    def __init__(
        self, known: Mapping[str, int], stem: Callable[[str], str], *, short: Collection[str] = ()
    ) -> None:
        """`known` is how often each stem stands somewhere; `stem` also takes the letters between two parts off.
        Parts have four letters or are in `short`."""
        self._known = known
        self._stem = stem
        self._short = short
        self._backwards = sorted(word[::-1] for word in known)
        self._parts: dict[str, tuple[str, ...]] = {}

    def parts(self, word: str) -> tuple[str, ...]:
        """Stems of its two parts, or of the last one where the first is not known; empty for other words."""
        if len(word) < _MIN_WORD:
            return ()
        if word not in self._parts:
            if len(self._parts) > 5 * _CACHED:
                self._parts.clear()
            self._parts[word] = self._cut(word)
        return self._parts[word]

    def ending_with(self, part: str) -> list[str]:
        """Known words of which `part` is the last part, when it is long enough to be one."""
        if not self._may_be_part(part):
            return []
        start = bisect_left(self._backwards, part[::-1])
        near = islice(self._backwards, start, start + _ENDING)
        found = takewhile(lambda word: word.startswith(part[::-1]), near)
        return [word[::-1] for word in found]

    def _cut(self, word: str) -> tuple[str, ...]:
        whole = self._stem(word)
        best: tuple[str, ...] = ()
        best_score = 0
        for at in range(3, len(word) - 2):
            if not (self._may_be_part(word[:at]) and self._may_be_part(word[at:])):
                continue
            head, tail = self._stem(word[:at]), self._stem(word[at:])
            score = self._known.get(head, 0) * self._known.get(tail, 0)
            if score > best_score and whole not in (head, tail):
                best, best_score = (head, tail), score
        if best or whole in self._known:
            return best
        # The last part says what kind of thing it is, and may be all that is known.
        ends = (word[at:] for at in range(3, len(word) - 2))
        tails = (self._stem(end) for end in ends if self._may_be_part(end))
        return next(((tail,) for tail in tails if tail in self._known), ())

    def _may_be_part(self, part: str) -> bool:
        return (len(part) >= _MIN_PART and part not in _PREFIXES) or part in self._short


def _pairs(word: str) -> frozenset[str]:
    return frozenset(a + b for a, b in zip(f"^{word}", f"{word}$", strict=True))


def _alike(one: str, other: str) -> float:
    """1 minus the edit distance over the longer length; two letters swapped are one edit."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, 1):
            edits = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                edits = min(edits, last[j - 2] + 1)
            row.append(edits)
    return 1 - row[-1] / max(len(one), len(other))
