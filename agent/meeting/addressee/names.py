"""Who is meant by a name, as a recogniser may have spelt it: `Martin`, `martins twin`, `marten`, `mar tin`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from agent.meeting.addressee.sounds import alike, missing, skeleton, spoken
from agent.meeting.addressee.tokens import Token
from agent.meeting.addressee.wording import DESCRIBED, listed
from persona.words import language, plain

Whose = Literal["twin", "owner", "other"]

_LIKE = 0.7
"""Likeness in letters from which a word with one consonant more or less is taken for a name."""
_SAME_SOUND = 0.5
"""The same where the consonants are those of the name."""
_SHORTEST_MISHEARD = 4
_SHORT_LIKE = 0.8
_SOUNDS = 3
"""A name with fewer consonants has to be that like: "habe" is no "Hape"."""
_YOU = ("you", "du")
_TITLES = frozenset(
    (
        "mr",
        "mrs",
        "ms",
        "miss",
        "dr",
        "herr",
        "herrn",
        "frau",
        "sir",
        "madam",
        "von",
        "van",
        "de",
        "doctor",
        "prof",
    )
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in an utterance."""

    whose: Whose
    first: int
    """Index of its first token."""
    last: int
    sure: float
    """1 for the name as it is written, less for what may be a misheard one."""
    possessive: bool
    """Something of theirs is meant and not they themselves: `Martin's draft`."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the owner and their twin are called."""

    owner: str
    """The owner's full name."""
    called: tuple[str, ...] = ()
    """What the owner is called besides: short names, nicknames."""
    twin: tuple[str, ...] = ()
    """Names that mean the twin alone, besides "twin", "AI" and the like: `Martin Two`, `Robo`."""


class NameFinder:
    """Finds names in the words of an utterance. `kinds` are words that mean a twin: `twin`, `avatar`; one of
    `asking` after a name that is also a word says that it is a name: "bishop when is it"."""

    def __init__(
        self, names: Names, kinds: Iterable[str], prefixes: Iterable[str], asking: Iterable[str] = ()
    ) -> None:
        self._asking = frozenset(asking)
        self._kinds = frozenset(kinds)
        self._prefixes = frozenset(prefixes)
        self._owner = _parts((names.owner, *names.called))
        self._phrases = tuple(tuple(plain(name).split()) for name in names.twin if plain(name))

    def find(self, words: Sequence[Token], others: Sequence[str]) -> tuple[Mention, ...]:
        """Every mention, in order. `others`: the names of the other people here, as they call themselves."""
        known = _known_others(tuple(others), self._owner)
        found: list[Mention] = []
        at = 0
        while at < len(words):
            mention = self._at(words, at, known)
            if mention is None:
                at += 1
                continue
            begins = at
            while begins and words[begins - 1].word in _TITLES and (not found or found[-1].last < begins - 1):
                begins -= 1
            if begins == at and mention.whose == "twin" and self._somebodys(words, at, known):
                begins, mention = at - 1, replace(mention, sure=0.8)
            found.append(replace(mention, first=begins))
            at = mention.last + 1
        return tuple(found)

    def _somebodys(self, words: Sequence[Token], at: int, others: frozenset[str]) -> bool:
        """Before a word for a twin stands a name in the genitive that nobody has here: the owner's, misheard."""
        if not at or words[at].word not in self._kinds:
            return False
        before = words[at - 1]
        return before.possessive and not before.ends and before.word not in others and not common(before.word)

    def _at(self, words: Sequence[Token], at: int, others: frozenset[str]) -> Mention | None:
        for phrase in self._phrases:
            if tuple(each.word for each in words[at : at + len(phrase)]) == phrase:
                return Mention("twin", at, at + len(phrase) - 1, 1.0, words[at + len(phrase) - 1].possessive)
        kind = self._kind_at(words, at)
        if kind is not None:
            return kind
        owner, others_like = self._likeness(words, at, self._owner), self._likeness(words, at, others)
        whose: Whose = "owner" if owner >= others_like else "other"
        sure = max(owner, others_like)
        if not sure:
            return self._joined(words, at)
        last = at
        while last + 1 < len(words) and not words[last].ends and not words[last].comma_after:
            if self._likeness(words, last + 1, self._owner if whose == "owner" else others) < 1:
                break
            last += 1
        return self._twin_of(words, at, last, sure) if whose == "owner" else self._mention(words, at, last, sure)

    def _kind_at(self, words: Sequence[Token], at: int) -> Mention | None:
        """`twin`, `AI twin`, `digital twin of Martin`."""
        last = at
        while last < len(words) - 1 and words[last].word in self._prefixes:
            last += 1
        if last > at and self._likeness(words, last, self._owner) == 1:
            return Mention("twin", at, last, 1.0, words[last].possessive)
        if last > at and words[last].word not in self._kinds:
            last -= 1
        if words[last].word not in self._kinds:
            return None
        while last + 1 < len(words) and words[last + 1].word in self._kinds and not words[last].comma_after:
            last += 1
        whole = last
        of = last + 2 < len(words) and words[last + 1].word in ("of", "von")
        if of and self._likeness(words, last + 2, self._owner):
            whole = last + 2
        return Mention("twin", at, whole, 1.0, words[last].possessive)

    def _twin_of(self, words: Sequence[Token], first: int, last: int, sure: float) -> Mention:
        """The owner's name, or the beginning of `Martin's AI twin`."""
        after = last + 1
        if after < len(words) and not (words[last].ends or words[last].comma_after):
            twin = self._kind_at(words, after)
            if twin is not None:
                return Mention("twin", first, twin.last, 1.0, twin.possessive)
        genitive = words[last].possessive or (
            words[last].word not in self._owner and words[last].word.removesuffix("s") in self._owner
        )
        return Mention("owner", first, last, sure, genitive)

    def _mention(self, words: Sequence[Token], first: int, last: int, sure: float) -> Mention:
        return Mention("other", first, last, sure, words[last].possessive)

    def _joined(self, words: Sequence[Token], at: int) -> Mention | None:
        """A name that was taken for two words: `mar tin`."""
        if at + 1 >= len(words) or words[at].ends or words[at].comma_after:
            return None
        together = words[at].word + words[at + 1].word
        if len(together) > _SHORTEST_MISHEARD and together in self._owner:
            return Mention("owner", at, at + 1, 0.8, words[at + 1].possessive)
        return None

    def _likeness(self, words: Sequence[Token], at: int, names: frozenset[str]) -> float:
        token = words[at]
        bare = token.word.removesuffix("s")
        if token.word in names or (bare in names and len(bare) > 2):
            written = token.word if token.word in names else bare
            # "will" and "mark" are words: a name only where it is written as one, or stands as one is called.
            titled = at > 0 and words[at - 1].word in _TITLES
            asked = self._asked(words, at)
            as_name = titled or asked or token.capital or token.comma_after or token.ends
            return 1.0 if as_name or not common(written) else 0.0
        if len(token.word) < _SHORTEST_MISHEARD or common(token.word):
            return 0.0
        asked = self._asked(words, at)
        return max(
            (_like(token.word, name, asked) for name in names if len(name) >= _SHORTEST_MISHEARD), default=0.0
        )

    def _asked(self, words: Sequence[Token], at: int) -> bool:
        """It begins the sentence and somebody is asked after it: "bishop when is it", "mena can you"."""
        if not words[at].begins or at + 2 >= len(words):
            return False
        return words[at + 1].written in self._asking or words[at + 2].written in _YOU


def _parts(names: Iterable[str]) -> frozenset[str]:
    """Each word of the names that can stand for them."""
    return frozenset(
        word for name in names for word in plain(name).split() if len(word) > 1 and word not in _TITLES
    )


@lru_cache(maxsize=256)
def _known_others(others: tuple[str, ...], owner: frozenset[str]) -> frozenset[str]:
    return _parts(others) - owner


@lru_cache(maxsize=20_000)
def _like(word: str, name: str, called: bool) -> float:
    """0 when it is another word. `called`: it stands where a name would."""
    letters = alike(word, name)
    apart = missing(skeleton(word), skeleton(name))
    if not apart and len(skeleton(name)) >= _SOUNDS:
        letters = max(letters, alike(spoken(word), spoken(name)))
    if not apart and called and letters >= _LIKE:
        return letters
    # A consonant may be lost or added in hearing, but one for another makes another word: "margin", "market".
    if letters < _SHORT_LIKE and len(skeleton(name)) < _SOUNDS:
        return 0.0
    enough = letters >= _SAME_SOUND if not apart else apart == 1 and letters >= _LIKE
    return letters if enough and skeleton(word)[:1] == skeleton(name)[:1] else 0.0


@lru_cache(maxsize=20_000)
def common(word: str) -> bool:
    """Whether it is an everyday word."""
    return any(
        word in language(code).lexicon or language(code).marked((word,)) or word in listed(code)
        for code in DESCRIBED
    )
