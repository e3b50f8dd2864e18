"""What a caller may not hear, and whether a sentence gives it away.

A private entry is recognised by what is in it and in nothing that this caller may hear: numbers of four digits and
more, quantities, names, rows of words, and enough of its other words. Texts are tried in every reading that
`views` finds, and together with the sentence before, because a secret may be said in two.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from persona.documents import Passage
from persona.facts import Fact
from persona.guarding.context import Context
from persona.guarding.numbers import Numbers, fold, numbers
from persona.guarding.rules import Names, plain
from persona.guarding.views import views
from persona.guarding.wording import content
from persona.profile import Profile
from persona.statements import Statement

Entry = Fact | Statement | Passage

_CODE_DIGITS = 4
_TAIL_DIGITS = 6
"""So many last digits of a longer number give it away: the first ones are shared by a whole network or town."""
_ROW = 4
"""So many words in a row are nobody else's."""
_LARGE = 1000
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[^\W\d_a-zäöüß][^\W\d_]+")
_SQUASHED = 5
"""So long a name has to be to count without spaces around it."""


@dataclass(frozen=True, slots=True)
class _Secret:
    codes: tuple[str, ...]
    values: frozenset[int]
    names: frozenset[str]
    terms: frozenset[str]
    topic: frozenset[str]
    small: bool
    """True when it has numbers at all."""


class Secrets:
    """The entries that one audience may not hear. Built once per audience; about 100 microseconds an entry."""

    def __init__(self, hidden: Sequence[Entry], told: Sequence[Entry], profile: Profile, names: Names) -> None:
        self._language = profile.languages[0]
        self._owner = names
        open_texts = [f"{said(entry)} {entry.about}" for entry in told]
        open_texts.append(
            f"{profile.name} {profile.called} {profile.role} {profile.office} {profile.introduction}"
        )
        self._open_words = frozenset(word for text in open_texts for word in plain(text, self._language).split())
        self._open_terms = frozenset(term for text in open_texts for term in content(text, self._language))
        self._open_streams = " ".join(run for text in open_texts for run in numbers(text, self._language).runs)
        self._open_values = frozenset(v for text in open_texts for v in numbers(text, self._language).values)
        self._open_topics: dict[str, set[int]] = defaultdict(set)
        for place, entry in enumerate(told):
            for term in self._topic(entry):
                self._open_topics[term].add(place)
        open_rows = {row for text in open_texts for row in _rows(plain(text, self._language).split())}
        self._secrets = [self._secret(entry) for entry in hidden]
        self._rows = {
            row
            for entry in hidden
            for row in _rows(plain(said(entry), self._language).split())
            if row not in open_rows
        }
        self._by_name: dict[str, list[int]] = defaultdict(list)
        self._by_term: dict[str, list[int]] = defaultdict(list)
        self._by_topic: dict[str, list[int]] = defaultdict(list)
        for place, secret in enumerate(self._secrets):
            for name in secret.names:
                self._by_name[name].append(place)
            for term in secret.terms:
                self._by_term[term].append(place)
            for term in secret.topic:
                self._by_topic[term].append(place)
        self._values = frozenset(value for secret in self._secrets for value in secret.values if value >= _LARGE)
        self._codes = tuple({code for secret in self._secrets for code in secret.codes})
        long = sorted((name for name in self._by_name if len(name) >= _SQUASHED), key=len, reverse=True)
        self._squashed = re.compile("|".join(map(re.escape, long))) if long else None

    def asked(self, context: Context) -> frozenset[int]:
        """The secrets that the caller's last words ask for, better than for anything that may be told."""
        wanted = context.last_terms
        if not wanted:
            return frozenset()
        secret, open_ = _counted(wanted, self._by_topic), _counted(wanted, self._open_topics)
        best = max(secret.values(), default=0)
        if best == 0 or best / len(wanted) < 0.5 or best < max(open_.values(), default=0):
            return frozenset()
        if best == max(open_.values(), default=0) and best < len(wanted):
            return frozenset()
        return frozenset(place for place, count in secret.items() if count == best)

    def told_by(self, text: str, language: str) -> bool:
        """Whether the caller's words have a secret in them, so that a bare yes would confirm it."""
        return self.leak(text, "", language, Context()) is not None

    def leak(self, sentence: str, before: str, language: str, context: Context) -> str | None:
        """Which disguise gives a secret away in `sentence`, said after `before`; None when nothing does."""
        if not self._secrets:
            return None
        asked = self.asked(context) if context.last else frozenset()
        both = f"{before} {sentence}" if before else sentence
        found = self._plain_leak(sentence, both, language, context, asked)
        if found:
            return found
        for disguise, other in views(both):
            if self._hidden_leak(disguise, other, language):
                return disguise
        return None

    def _plain_leak(
        self, sentence: str, both: str, language: str, context: Context, asked: frozenset[int]
    ) -> str | None:
        said_now, heard = numbers(sentence, language), numbers(both, language)
        if self._digits(heard, context, asked) or self._digits(said_now, context, asked):
            return "digits"
        if any(value in self._values and value not in self._open_values for value in said_now.values):
            return "quantity"
        words = plain(sentence, language).split()
        terms = content(both, self._language) if both else frozenset()
        if self._named(words, terms, context, asked):
            return "name"
        if any(row in self._rows for row in _rows(words)):
            return "words"
        return "content" if self._covered(content(sentence, self._language), terms, context, asked) else None

    def _hidden_leak(self, disguise: str, text: str, language: str) -> bool:
        words = fold(text)
        if self._squashed and self._squashed.search(re.sub(r"[\W_]+", "", words)):
            return True
        if disguise == "initials":
            return False
        if any(self._has(code, stream) for stream in numbers(text, language).streams for code in self._codes):
            return True
        pieces = plain(text, language).split()
        if disguise != "reversed words" and any(word in self._by_name for word in pieces):
            return True
        return any(row in self._rows for row in _rows(pieces))

    def _digits(self, heard: Numbers, context: Context, asked: frozenset[int]) -> bool:
        for stream in heard.streams:
            for code in self._codes:
                if self._has(code, stream):
                    return True
                tail = code[-_TAIL_DIGITS:]
                if (
                    len(code) > _TAIL_DIGITS
                    and tail in stream
                    and not any(tail in s for s in context.numbers.streams)
                ):
                    return True
        if not asked:
            return False
        numbered = [self._secrets[place] for place in asked if self._secrets[place].small]
        stream = heard.streams[0]
        heard_from_caller = " ".join(context.numbers.streams)
        return any(
            any(_within(code, stream) for code in secret.codes)
            or any(
                value in secret.values or value not in self._open_values
                for value in heard.values
                if str(value) not in heard_from_caller
            )
            for secret in numbered
        )

    def _has(self, code: str, stream: str) -> bool:
        return code in stream or code[::-1] in stream

    def _named(self, words: Iterable[str], terms: frozenset[str], context: Context, asked: frozenset[int]) -> bool:
        for word in words:
            for name in (word, word[:-1] if word.endswith("s") else word, re.sub(r"(.)\1", r"\1", word)):
                for place in self._by_name.get(name, ()):
                    near = place in asked or not self._secrets[place].topic.isdisjoint(terms)
                    if name not in context.words or near:
                        return True
        return False

    def _covered(self, now: frozenset[str], both: frozenset[str], context: Context, asked: frozenset[int]) -> bool:
        hits: dict[int, int] = defaultdict(int)
        for term in both - context.terms:
            for place in self._by_term.get(term, ()):
                hits[place] += 1
        for place, count in hits.items():
            terms = self._secrets[place].terms
            if now.isdisjoint(terms):
                continue
            if place in asked or (count >= 2 and count >= 0.5 * len(terms)):
                return True
        return False

    def _secret(self, entry: Entry) -> _Secret:
        text = said(entry)
        found = numbers(text, self._language)
        codes = tuple(
            run
            for run in dict.fromkeys((*found.runs, *found.streams))
            if len(run) >= _CODE_DIGITS and run not in self._open_streams
        )
        topic = self._topic(entry)
        words = (
            frozenset(fold(name) for name in _NAME.findall(text)) if not self._nouns_are_capital else frozenset()
        )
        return _Secret(
            codes,
            frozenset(found.values),
            frozenset(word for word in words if len(word) >= 3 and word not in self._open_words),
            content(text, self._language) - self._open_terms - topic - self._owner.words,
            topic,
            bool(found.runs),
        )

    @property
    def _nouns_are_capital(self) -> bool:
        return self._language.startswith("de")

    def _topic(self, entry: Entry) -> frozenset[str]:
        asked = entry.asked if not isinstance(entry, Passage) else ()
        return (
            frozenset().union(*(content(way, self._language) for way in (entry.about, *asked))) - self._owner.words
        )


def said(entry: Entry) -> str:
    """The words of an entry."""
    return entry.say if isinstance(entry, Fact) else entry.text


def _rows(words: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return (tuple(words[at : at + _ROW]) for at in range(len(words) - _ROW + 1))


def _counted(wanted: Iterable[str], index: dict[str, list[int]] | dict[str, set[int]]) -> dict[int, int]:
    counts: dict[int, int] = defaultdict(int)
    for term in wanted:
        for place in index.get(term, ()):
            counts[place] += 1
    return counts


def _within(code: str, stream: str) -> bool:
    """Whether the digits of `code` come in `stream` in their order, with not too much between them."""
    if len(stream) > 3 * len(code):
        return False
    rest = iter(stream)
    return all(digit in rest for digit in code)
