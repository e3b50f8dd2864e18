"""Whether a person is who they say: a code sent to their number, and what only who was in the call knows.

The code alone proves too little: numbers are given to somebody else after a while. The call alone proves too
little as well: a phone shows when it was called, and how long. So both are asked for, and of the call at least
two things, one of them words that were said in it and in hardly any other call. Pure: nothing here reads or
writes; times are Unix milliseconds.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from math import comb
from typing import Any

CODE_DIGITS = 6
CODE_MS = 10 * 60_000
"""A code is good for so long."""
CODE_TRIES = 5
"""Wrong codes after which the code is worthless."""
CODES = 3
"""Codes sent for one request; then only the owner can verify it."""
CLAIM_TRIES = 3
"""How often somebody may say what they know of the call."""

MOST_WORDS = 3
"""Words that may be named at once; more would be guessing."""
_WORD_LETTERS = 5
_UNLIKELY_WORDS = 1 / 400
"""The words alone must be this hard to guess, since who holds the phone can read the rest from it."""
_UNLIKELY = 1 / 5_000
"""All that was named together must be this hard to guess."""
_RARE = 0.02
"""A word that is said in more calls than this share proves nothing."""
_LEAST_CHANCE = 1 / 200
"""However rare a word: topics are guessed more easily than words."""
_DATE_CHANCE, _TIME_CHANCE, _LENGTH_CHANCE = 3 / 90, 1 / 7, 1 / 3
"""A day of the last quarter give or take one; an hour of the waking day; how long calls are."""
_TIME_MINUTES = 60
_LENGTH_SHARE = 0.3
_LENGTH_MINUTES = 1.0

_LETTERS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Code:
    """A code that was sent: what of it is kept, and what became of it."""

    salt: str
    digest: str
    """HMAC-SHA256 of the code; the code itself is kept nowhere."""
    expires_ms: int
    tries: int = 0

    def usable(self, now_ms: int) -> bool:
        """Whether the right digits would still be taken."""
        return now_ms < self.expires_ms and self.tries < CODE_TRIES


def new_code(now_ms: int) -> tuple[str, Code]:
    """Six random digits to send, and what to keep of them."""
    digits = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    salt = secrets.token_hex(16)
    return digits, Code(salt, _digest(salt, digits), now_ms + CODE_MS)


def check_code(code: Code | None, said: str, now_ms: int) -> tuple[bool, Code | None]:
    """Whether these are the digits, in a time that does not depend on them; and the code to keep from now on.

    A right code is spent: it is None afterwards. A wrong one costs a try, and so does one of the wrong shape.
    """
    digits = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", said))
    # Also without a code the same is computed, so that an answer's time does not tell whether one was sent.
    kept = code or Code("0" * 32, "0" * 64, 0)
    right = hmac.compare_digest(_digest(kept.salt, digits[:64]), kept.digest)
    if code is None:
        return False, None
    if right and code.usable(now_ms):
        return True, None
    return False, replace(code, tries=code.tries + 1)


@dataclass(frozen=True, slots=True)
class Known:
    """A call as its caller would remember it."""

    started_ms: int
    length_s: float
    words: frozenset[str]
    """What was said in it by either side, as `telling` gives it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody says they know of a call; None is not said."""

    day: date | None = None
    minute: int | None = None
    """Of the day, 0 to 1439."""
    length_minutes: float | None = None
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, *, day: str = "", time: str = "", minutes: str = "", words: str = "") -> Claim:
        """Out of a form's fields: 2026-11-22, 14:30, 5, `roof, invoice`. What cannot be read is not said."""
        return cls(_day(day), _minute(time), _number(minutes), tuple(telling(words))[: MOST_WORDS + 1])


def knows(claim: Claim, calls: Iterable[Known], *, common: Callable[[str], float], zone: tzinfo = UTC) -> bool:
    """Whether the claim fits one of the calls so well that it cannot have been guessed.

    `common` is the share of other people's calls in which a word is said; `zone` is where the claim's clock is.
    """
    return any(_fits(claim, call, common, zone) for call in calls)


def telling(text: str) -> list[str]:
    """The words of a text that may prove something, in small letters and without accents, each once."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return list(dict.fromkeys(word for word in _LETTERS.findall(plain) if len(word) >= _WORD_LETTERS))


def _fits(claim: Claim, call: Known, common: Callable[[str], float], zone: tzinfo) -> bool:
    if not 0 < len(claim.words) <= MOST_WORDS:
        return False
    chances = [max(common(word), _LEAST_CHANCE) for word in claim.words if word in call.words]
    rare = [chance for chance in chances if chance <= _RARE]
    words_chance = float(comb(len(claim.words), len(rare)))
    for chance in rare:
        words_chance *= chance
    if not rare or words_chance > _UNLIKELY_WORDS:
        return False
    begun = datetime.fromtimestamp(call.started_ms / 1000, zone)
    chance, matched = words_chance, 0
    if claim.day is not None and abs(claim.day - begun.date()) <= timedelta(days=1):
        chance, matched = chance * _DATE_CHANCE, matched + 1
    if claim.minute is not None and _apart(claim.minute, begun.hour * 60 + begun.minute) <= _TIME_MINUTES:
        chance, matched = chance * _TIME_CHANCE, matched + 1
    if claim.length_minutes is not None:
        length = call.length_s / 60
        if abs(claim.length_minutes - length) <= max(_LENGTH_MINUTES, length * _LENGTH_SHARE):
            chance, matched = chance * _LENGTH_CHANCE, matched + 1
    return matched >= 1 and chance <= _UNLIKELY


def _apart(one: int, other: int) -> int:
    between = abs(one - other)
    return min(between, 24 * 60 - between)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _minute(text: str) -> int | None:
    found = re.fullmatch(r"\s*([01]?\d|2[0-3])(?:[:.h ]([0-5]\d))?\s*", text)
    return int(found[1]) * 60 + int(found[2] or 0) if found else None


def _number(text: str) -> float | None:
    found = re.fullmatch(r"\s*(\d{1,4}(?:[.,]\d{1,2})?)\s*", text)
    return float(found[1].replace(",", ".")) if found else None


def _digest(salt: str, digits: str) -> str:
    return hmac.new(bytes.fromhex(salt), digits.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Proof:
    """How far a request's verification has come; kept with the request, sealed."""

    code: Code | None = None
    codes_sent: int = 0
    number_proved: bool = False
    """Whoever asks reads what is sent to the number."""
    claims: int = 0
    """How often they said what they know."""
    call_proved: bool = False

    @property
    def complete(self) -> bool:
        return self.number_proved and self.call_proved

    def as_json(self) -> dict[str, Any]:
        """As a value of JSON, for `from_json`."""
        code = (
            None
            if self.code is None
            else [self.code.salt, self.code.digest, self.code.expires_ms, self.code.tries]
        )
        return {
            "code": code,
            "codes_sent": self.codes_sent,
            "number_proved": self.number_proved,
            "claims": self.claims,
            "call_proved": self.call_proved,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Proof:
        """What `as_json` gave."""
        code = value.get("code")
        return cls(**{**value, "code": Code(*code) if code else None})


@dataclass(slots=True)
class Commonness:
    """In what share of calls a word is said, counted over other people's calls as they are added."""

    calls: int = 0
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, words: Iterable[str]) -> None:
        """One more call, with its telling words."""
        self.calls += 1
        for word in set(words):
            self._counts[word] = self._counts.get(word, 0) + 1

    def __call__(self, word: str) -> float:
        """One call more than there are is counted, in which every word is said."""
        return 1.0 if word in _EVERYDAY else (self._counts.get(word, 0) + 1) / (max(self.calls, _FEW) + 1)


_FEW = 50
"""With fewer calls to go by, a word that is not an everyday one is taken to be in one of so many."""
_EVERYDAY = frozenset(
    telling("""
    about after again almost already although always another answer anything appointment around available
    because become before begin believe better between business callback called calling cannot certainly
    company contact could david delete email address evening every everything father first friday friend
    friends goodbye great happy hello house hundred information interested invoice later leave listen little
    looking maybe meeting message minute minutes moment monday money morning mother mister mobile months
    needed never nothing number office order other people perhaps person phone please possible price private
    problem project question questions quick quite ready really regarding reason reply right saturday
    service should since somebody someone something sometimes speak speaking started still street sunday
    talking telephone thank thanks their there these thing things think thought three through thursday today
    together tomorrow tonight trying tuesday twenty understand until urgent video visit voice wanted weather
    wednesday weekend welcome where whether which while without wonderful world would write wrong years
    yesterday
    aber alles anderen anfrage angebot anrufen anruf antwort arbeit auftrag bitte danke dankeschon dienstag
    dieser donnerstag eigentlich einfach einmal email entschuldigung erreichen etwas firma frage fragen
    freitag freund freundin genau gerade gesprach gestern guten hallo haben heute hilfe immer jemand kommen
    konnen konnte lassen leider machen mailen minuten mittag mittwoch mochte mochten montag morgen mussen
    mutter nachricht nachste nachster natuerlich naturlich nicht nichts niemand nummer oder problem projekt
    rechnung ruckruf rufen sagen samstag schon schreiben sonntag sprechen stunde tagen telefon telefonnummer
    termin treffen vater vielen vielleicht warten wegen welche werden wieder wissen woche wochen wollen
    wollte wurde zeit zuruck zusammen
    apres aujourd aujourdhui aussi autre avant avoir beaucoup bonjour bonsoir cette chose comme comment
    compris contacter demain depuis dimanche encore entendu entreprise facture faire jeudi jours lundi
    madame maintenant mardi matin merci mercredi message minute moment monsieur nouvelle numero parce parler
    personne peut petit possible pour pouvez pouvoir probleme projet quand quelque question rappel rappeler
    rendez revoir salut samedi semaine service telephone temps toujours travail trois vendredi voudrais
    votre vouloir
    """)
)
"""Said in so many calls that it proves nothing, in the languages in which most of them are."""
