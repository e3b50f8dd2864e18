"""What can be counted in somebody's words: sentences, contractions, fillers, favourite turns, small words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from persona.commonplace import Commonplace

_MAX_WORDS = 200_000
"""More tell nothing new."""
_IN_TEXTS = 3
"""A favourite stands in at least so many different texts."""
_OFTENER = 2.0
"""A filler is the owner's when they say it so many times as often as people do."""
_BEYOND_CHANCE = 30.0
"""A turn is the owner's when it is said so many times as often as its words would meet by chance."""
_TWO_WORDS = 10.0
"""Two words alone must stand out so many times more: grammar joins them often enough."""
_MOST = 6
"""Favourites that are kept of each kind."""
_PLACES = 5
"""Places where a choice was made, from which its share means something."""
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+|\n+")
_CLAUSE = re.compile(r"[,;:.!?…–—()\"“”„]+|\s-\s")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|'\w+")
_FAMILIAR = re.compile(r"\b(?:du|dich|dir|dein\w{0,2}|euch|euer|eure\w?)\b", re.IGNORECASE)
_POLITE = re.compile(r"(?<![.!?…] )(?<!^)\b(?:Sie|Ihnen|Ihr(?:e[nmrs]?)?)\b")


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    clauses: tuple[tuple[str, ...], ...]
    """Words in lower case."""
    written: tuple[tuple[str, ...], ...]
    """The same words as they are written."""

    def __len__(self) -> int:
        return sum(map(len, self.clauses))


def read(texts: Iterable[str]) -> list[list[Sentence]]:
    """Texts as sentences as clauses as words, of the first `_MAX_WORDS`."""
    parted: list[list[Sentence]] = []
    count = 0
    for text in texts:
        sentences = []
        for part in _SENTENCE.split(text.replace("’", "'").strip()):
            written = tuple(tuple(_WORD.findall(clause)) for clause in _CLAUSE.split(part))
            written = tuple(clause for clause in written if clause)
            if written:
                lower = tuple(tuple(word.lower() for word in clause) for clause in written)
                sentences.append(Sentence(part.strip(), lower, written))
                count += sum(map(len, written))
        parted.append(sentences)
        if count >= _MAX_WORDS:
            break
    return parted


def contractions(sentences: Sequence[str], common: Commonplace, places: int = _PLACES) -> float | None:
    contracted = sum(len(common.contracted.findall(sentence)) for sentence in sentences)
    full = sum(len(common.full.findall(sentence)) for sentence in sentences)
    return contracted / (contracted + full) if contracted + full >= places else None


def familiar(sentences: Sequence[Sentence], places: int = _PLACES) -> float | None:
    familiar = sum(len(_FAMILIAR.findall(sentence.text)) for sentence in sentences)
    polite = sum(len(_POLITE.findall(sentence.text)) for sentence in sentences)
    return familiar / (familiar + polite) if familiar + polite >= places else None


def fillers(sentences: Sequence[str], common: Commonplace, words: int) -> tuple[tuple[str, ...], float]:
    """Those said more often than people say them; and how many there are of all in a hundred words."""
    joined = " . ".join(" ".join(_WORD.findall(sentence)) for sentence in sentences)
    # The longest first: the "ja" of "na ja" is no "ja".
    longest = "|".join(map(re.escape, sorted(common.fillers, key=len, reverse=True)))
    counts = Counter(re.findall(rf"(?<![\w'])(?:{longest})(?![\w'])", joined))
    own = [
        filler
        for filler, count in counts.items()
        if count >= _IN_TEXTS and count * 1000 / words >= _OFTENER * common.fillers[filler]
    ]
    own.sort(key=lambda filler: (-counts[filler], filler))
    return tuple(own[:_MOST]), 100 * sum(counts.values()) / words


def phrases(texts: Sequence[Sequence[Sentence]], common: Commonplace) -> tuple[str, ...]:
    """Turns of two to five words, within a clause and at one of its ends, that stand out.

    Only commonplace words, in lower case wherever they do not begin a sentence: a turn that holds a name or names
    a subject is no manner, and might tell what was said to somebody else."""
    said: Counter[tuple[str, ...]] = Counter()
    stands_in: Counter[tuple[str, ...]] = Counter()
    total = 0
    for text in texts:
        here: set[tuple[str, ...]] = set()
        for sentence in text:
            for nth, clause in enumerate(sentence.clauses):
                total += len(clause)
                named = {
                    at
                    for at, word in enumerate(sentence.written[nth])
                    if (at or nth) and word[0].isupper() and not word.startswith(("I'", "I"))
                }
                for turn in _turns(clause, named, common):
                    said[turn] += 1
                    here.add(turn)
        stands_in.update(here)
    telling = {
        turn: math.log(count * beyond)
        for turn, count in said.items()
        if stands_in[turn] >= _IN_TEXTS
        and (beyond := count / (total * _chance(turn, common))) >= _BEYOND_CHANCE
        and (len(turn) > 2 or beyond >= _TWO_WORDS * _BEYOND_CHANCE)
    }
    kept: list[tuple[str, ...]] = []
    for turn in sorted(telling, key=lambda turn: (-len(turn), -telling[turn], turn)):
        # "the thing" adds nothing to "the thing is" unless it is also said without it.
        if not any(_inside(turn, longer) and said[turn] < 2 * said[longer] for longer in kept):
            kept.append(turn)
    kept.sort(key=lambda turn: (-said[turn] * len(turn), turn))
    return tuple(" ".join(turn) for turn in kept[:_MOST])


def _turns(clause: Sequence[str], named: set[int], common: Commonplace) -> Iterable[tuple[str, ...]]:
    for size in range(2, 6):
        for start in {0, len(clause) - size} if len(clause) >= size else ():
            turn = tuple(clause[start : start + size])
            if (
                all(word in common.ranks for word in turn)
                and not named.intersection(range(start, start + size))
                and " ".join(turn) not in common.phrases
                and " ".join(turn) not in common.fillers
            ):
                yield turn


def _chance(turn: Sequence[str], common: Commonplace) -> float:
    return math.prod(common.share(word) for word in turn)


def _inside(turn: Sequence[str], longer: Sequence[str]) -> bool:
    return any(tuple(longer[at : at + len(turn)]) == tuple(turn) for at in range(len(longer) - len(turn) + 1))


def frequencies(words: Sequence[str], common: Commonplace) -> tuple[float, ...]:
    counts = Counter(words)
    return tuple(counts[word] / len(words) for word in common.words[:80])


def apart(one: Sequence[float], other: Sequence[float]) -> float:
    """1 minus the cosine."""
    product = sum(a * b for a, b in zip(one, other, strict=True))
    size = math.sqrt(sum(a * a for a in one) * sum(b * b for b in other))
    return 1 - product / size if size else 1.0
