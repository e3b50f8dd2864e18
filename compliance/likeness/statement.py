"""What the owner says to allow a clone, and whether it was said: terms, challenge, judgement. Pure."""

from __future__ import annotations

import hashlib
import random
import re
import secrets
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import SequenceMatcher
from functools import cache
from importlib import resources
from typing import Any, Literal

from compliance.proofs.canonical import canonical

Likeness = Literal["voice", "face"]
LIKENESSES: tuple[Likeness, ...] = ("voice", "face")
Use = Literal["calls", "meetings", "messages", "videos"]
USES: tuple[Use, ...] = ("calls", "meetings", "messages", "videos")
EVERYWHERE = ""

FRESH_MS = 600_000
"""The statement is spoken within so long after the challenge was drawn."""
LONGEST_MS = 2 * 366 * 86_400_000
"""No consent holds for longer than two years."""
WORDS = 6
_WORDS_NEEDED = 5
_LEAST_OF_STATEMENT = 0.75
_LEAST_ALIKE = 0.75
_COUNTRY = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the owner allows."""

    likeness: Likeness
    uses: tuple[Use, ...]
    """Named one by one: a consent to everything is none."""
    expires_ms: int
    territory: tuple[str, ...] = ()
    """Countries or states, as `DE` or `US-CA`; none is everywhere."""

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        if not self.uses or not set(self.uses) <= set(USES) or self.likeness not in LIKENESSES:
            raise ValueError(f"Name a likeness (voice, face) and at least one use of {', '.join(USES)}.")
        if not all(_COUNTRY.fullmatch(place) for place in self.territory):
            raise ValueError("A territory is a country or state, as DE or US-CA; none is everywhere.")

    def covers(self, likeness: Likeness, use: Use, territory: str, now_ms: int) -> bool:
        """Whether a use is allowed; a state is within its country, and an unknown place only in everywhere."""
        within = not self.territory or any(
            territory == place or territory.startswith(f"{place}-") for place in self.territory
        )
        return likeness == self.likeness and use in self.uses and within and now_ms < self.expires_ms

    def as_json(self) -> dict[str, Any]:
        """For `from_json`."""
        return {
            "likeness": self.likeness,
            "uses": list(self.uses),
            "expires_ms": self.expires_ms,
            "territory": list(self.territory),
        }

    @property
    def digest(self) -> str:
        """What a receipt binds them with: 32 hexadecimal digits."""
        return hashlib.sha256(canonical(self.as_json())).hexdigest()[:32]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Terms:
        """What `as_json` gave. Raises `ValueError`, `KeyError` or `TypeError` for anything else."""
        return cls(value["likeness"], tuple(value["uses"]), int(value["expires_ms"]), tuple(value["territory"]))


@dataclass(frozen=True, slots=True)
class Challenge:
    """A statement with words that nobody could have recorded before."""

    id: str
    terms: Terms
    language: str
    text: str
    """What the owner reads aloud."""
    words: tuple[str, ...]
    made_ms: int
    version: str
    """Of the texts."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was heard, and by whom as far as that can be told."""

    transcript: str
    at_ms: int
    """When it was spoken."""
    likeness: float
    """How alike the speaker of the statement and of the training sound are."""
    threshold: float
    """From where on they count as the same person."""


def languages() -> tuple[str, ...]:
    """The languages a statement can be spoken in."""
    return tuple(name for name, value in _table().items() if isinstance(value, dict))


def vocabulary(language: str) -> tuple[str, ...]:
    """All the words that a challenge in this language may have. Raises `ValueError`."""
    if language not in languages():
        raise ValueError(f"The statement can be spoken in {', '.join(languages())}.")
    return tuple(str(_table()[language]["words"]).split())


def draw(
    owner: str, terms: Terms, language: str, *, now_ms: int, chance: random.Random | None = None
) -> Challenge:
    """A new challenge. Raises `ValueError` for a language without a text, or terms that are too long or over."""
    if language not in languages():
        raise ValueError(f"The statement can be spoken in {', '.join(languages())}.")
    if not now_ms < terms.expires_ms <= now_ms + LONGEST_MS:
        raise ValueError("A consent ends within two years, and not before it begins.")
    texts = _table()[language]
    words = tuple((chance or random.SystemRandom()).sample(str(texts["words"]).split(), WORDS))
    until = datetime.fromtimestamp(terms.expires_ms / 1000, UTC).date().isoformat()
    text = _statement(texts, owner, terms, until=until, words=", ".join(words))
    return Challenge(secrets.token_hex(16), terms, language, text, words, now_ms, str(_table()["version"]))


def judge(challenge: Challenge, spoken: Spoken) -> tuple[str, ...]:
    """Why the statement does not count, in one line each; nothing when it does."""
    texts = _table()[challenge.language]
    heard = _tokens(spoken.transcript)
    # Names, places and dates are recognised badly; the words that make it a consent are compared.
    expected = _tokens(_statement(texts, "", challenge.terms, until="", words="", territory=""))
    problems = []
    if not 0 <= spoken.at_ms - challenge.made_ms <= FRESH_MS:
        problems.append("It was not spoken within ten minutes of the challenge; draw a new one.")
    if _in_order(challenge.words, spoken.transcript) < _WORDS_NEEDED:
        problems.append("The words of today were not heard; read the statement to its end.")
    if _part_of(expected, heard) < _LEAST_OF_STATEMENT or not all(
        _said(w, spoken.transcript) for w in texts["must"]
    ):
        problems.append("The statement was not heard as it stands; read it word by word.")
    if any(_count(word, spoken.transcript) > _count(word, challenge.text) for word in texts["never"]):
        problems.append("A word was heard that takes the consent back; read the statement as it stands.")
    if not spoken.likeness >= spoken.threshold:
        problems.append("The statement was not spoken by the person whose recordings are to be used.")
    return tuple(problems)


def _statement(
    texts: Mapping[str, Any], owner: str, terms: Terms, *, until: str, words: str, territory: str | None = None
) -> str:
    uses = [str(texts["uses"][use]) for use in terms.uses]
    if territory is None:
        places = str(texts["within"]).format(places=_listed(terms.territory, texts))
        territory = places if terms.territory else str(texts["everywhere"])
    return str(texts["statement"]).format(
        owner=owner,
        likeness=texts["likeness"][terms.likeness],
        uses=_listed(uses, texts),
        territory=territory,
        until=until,
        words=words,
    )


def _listed(parts: Sequence[str], texts: Mapping[str, Any]) -> str:
    return f" {texts['and']} ".join(parts)


def _tokens(text: str) -> list[str]:
    """Words in lower case without accents; in Chinese and Japanese characters."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    # Marks on Latin letters go; those that make another Japanese letter stay.
    bare = "".join(c for c in plain if not unicodedata.combining(c) or c in "\u3099\u309a")
    return _TOKEN.findall(unicodedata.normalize("NFC", bare))


def _part_of(expected: Sequence[str], heard: Sequence[str]) -> float:
    """How much of what was expected was heard, in its order."""
    blocks = SequenceMatcher(None, expected, heard, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / max(len(expected), 1)


def _in_order(words: Sequence[str], transcript: str) -> int:
    """How many of the words were heard, each after the one before."""
    heard, at, found = _tokens(transcript), 0, 0
    for word in words:
        parts = _tokens(word)
        for i in range(at, len(heard) - len(parts) + 1):
            if _alike("".join(parts), "".join(heard[i : i + len(parts)])):
                at, found = i + len(parts), found + 1
                break
    return found


def _alike(one: str, other: str) -> bool:
    return one == other or (
        len(one) > 3 and SequenceMatcher(None, one, other, autojunk=False).ratio() > _LEAST_ALIKE
    )


def _said(word: str, text: str) -> bool:
    return _count(word, text) > 0


def _count(word: str, text: str) -> int:
    parts, heard = _tokens(word), _tokens(text)
    return sum(heard[i : i + len(parts)] == parts for i in range(len(heard) - len(parts) + 1))


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("compliance.likeness").joinpath("clone.toml").read_text("utf-8"))
