"""Calls with planted identifiers: how people say and recognisers write them, in English, German and French.

Numbers are put into words by num2words, which the product does not use. `tuned` templates were in sight while the
rules were written; `held_out` ones, with names of their own, were not, and only measure. The ways to put a
number or an address into words are the same for both.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from num2words import num2words  # type: ignore[import-untyped]

LANGUAGES = ("en", "de", "fr")
KINDS = ("card", "iban", "phone", "email", "name")
_MADE_OF = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class Planted:
    kind: str
    start: int
    end: int
    way: str
    """written, spoken, or mixed."""


@dataclass(frozen=True, slots=True)
class Said:
    """One turn, with what was planted in it."""

    language: str
    text: str
    planted: tuple[Planted, ...]


FILLERS = {"en": ("uh", "um", "and then"), "de": ("äh", "ähm", "und dann"), "fr": ("euh", "et", "alors")}
AT = {"en": ("at",), "de": ("ät", "at", "Klammeraffe"), "fr": ("arobase",)}
DOT = {"en": ("dot",), "de": ("Punkt", "dot"), "fr": ("point",)}
DASH = {"en": ("dash", "hyphen"), "de": ("Bindestrich", "minus"), "fr": ("tiret",)}
UNDERSCORE = {"en": ("underscore",), "de": ("Unterstrich",), "fr": ("tiret du bas", "underscore")}
DOMAINS = {
    "en": ("gmail.com", "outlook.com", "whitfield-partners.co.uk", "example.org", "brightwater.io"),
    "de": ("gmx.de", "web.de", "t-online.de", "mueller-bau.de", "beispiel.org"),
    "fr": ("orange.fr", "wanadoo.fr", "laposte.net", "gmail.com", "cabinet-moreau.fr"),
}
LOCALS = (
    "john.smith",
    "anna_b",
    "jmeier84",
    "info",
    "s.keller",
    "marie-claire",
    "k.lindqvist",
    "bob",
    "tom.h.brook",
    "contact2024",
)
PHONES = {
    "en": ("+442079460958", "07700900123", "+12125550187", "4155550132", "02079460321"),
    "de": ("+4930901820456", "017612345678", "03012345678", "+4915123456789", "08912345678"),
    "fr": ("0612345678", "+33612345678", "0145678901", "0798765432", "+33145678901"),
}
IBANS = ("DE", "GB", "FR", "AT")


def calls(seed: int, count: int, *, held_out: bool) -> Iterator[Said]:
    """`count` turns, three in four with something planted; the same for the same seed."""
    chance = random.Random(seed)
    made_of = tomllib.loads(_MADE_OF.read_text("utf-8"))["held_out" if held_out else "tuned"]
    for _ in range(count):
        language = chance.choice(LANGUAGES)
        if chance.random() < 0.25:
            yield Said(language, _as_heard(chance, chance.choice(made_of[language]["ordinary"])), ())
            continue
        kind = chance.choice(KINDS)
        template = chance.choice(made_of[language][kind])
        way = "written" if kind == "name" else chance.choice(("written", "spoken", "spoken", "mixed"))
        value = _value(chance, language, kind, way, made_of[language])
        before, _, after = template.partition("{}")
        start = len(before)
        text = before + value + after
        planted = Planted(kind, start, start + len(value), way)
        yield Said(language, _as_heard(chance, text), (planted,))


def _as_heard(chance: random.Random, text: str) -> str:
    """Half of all recognisers write capitals and marks, the others neither; lengths stay as they are."""
    if chance.random() < 0.5:
        return text
    return "".join(" " if c in ".,!?:;" and _is_end(text, i) else c.lower() for i, c in enumerate(text))


def _is_end(text: str, at: int) -> bool:
    return at + 1 == len(text) or text[at + 1] == " "


def _value(
    chance: random.Random,
    language: str,
    kind: str,
    way: str,
    made_of: dict[str, list[str]],
) -> str:
    match kind:
        case "card":
            return _digits(chance, language, way, card_number(chance), 4)
        case "iban":
            return _iban(chance, language, way)
        case "phone":
            number = chance.choice(PHONES[language])[:-4] + f"{chance.randrange(10_000):04}"
            return _digits(chance, language, way, number, chance.choice((2, 3)))
        case "email":
            return _email(chance, language, way)
    first, last = (chance.choice(made_of[names]) for names in ("first_names", "surnames"))
    full = f"{first} {last}"
    return chance.choice((full, full, first, full))


def _digits(chance: random.Random, language: str, way: str, number: str, size: int) -> str:
    plus, digits = number.startswith("+"), number.lstrip("+")
    if way == "written":
        joiner = chance.choice((" ", "-", "", " "))
        return ("+" if plus else "") + joiner.join(_groups(digits, size))
    parts = ["plus"] if plus else []
    if chance.random() < 0.5 or digits.startswith("00"):
        parts += _one_by_one(chance, language, digits)
    else:
        for group in _groups(digits, 2):
            parts += (
                _one_by_one(chance, language, group)
                if group[0] == "0" or len(group) < 2
                else [_word(language, int(group))]
            )
    if way == "mixed":
        # Some of it was written by the recogniser, the rest not.
        cut = chance.randrange(1, len(parts)) if len(parts) > 1 else 0
        spoken_digits = sum(len(_value_of(language, part)) for part in parts[:cut] if part != "plus")
        return " ".join([*parts[:cut], " ".join(_groups(digits[spoken_digits:], 3))]).strip()
    if len(parts) > 1 and chance.random() < 0.5:
        parts.insert(chance.randrange(1, len(parts)), chance.choice(FILLERS[language]))
    return chance.choice((" ", ", ", " ")).join(parts)


@cache
def _word(language: str, value: int) -> str:
    return str(num2words(value, lang=language))


@cache
def _values(language: str) -> dict[str, str]:
    words = {_word(language, value): str(value) for value in range(100)}
    return words | {"oh": "0", "zwo": "2"}


def _value_of(language: str, part: str) -> str:
    double = {"double": 2, "doppel": 2}
    first, _, rest = part.partition(" ")
    return _values(language)[rest] * double[first] if first in double and rest else _values(language)[part]


def _one_by_one(chance: random.Random, language: str, digits: str) -> list[str]:
    said, at = [], 0
    double = {"en": "double", "de": "doppel", "fr": "double"}[language]
    while at < len(digits):
        if digits[at : at + 1] == digits[at + 1 : at + 2] and chance.random() < 0.3:
            said.append(f"{double} {_word(language, int(digits[at]))}")
            at += 2
            continue
        word = _word(language, int(digits[at]))
        if language == "en" and digits[at] == "0" and chance.random() < 0.5:
            word = "oh"
        if language == "de" and digits[at] == "2" and chance.random() < 0.3:
            word = "zwo"
        said.append(word)
        at += 1
    return said


def _groups(digits: str, size: int) -> list[str]:
    return [digits[i : i + size] for i in range(0, len(digits), size)]


def card_number(chance: random.Random) -> str:
    """A number with the right check digit."""
    body = chance.choice(("4", "51", "37", "6011")) + "".join(chance.choice("0123456789") for _ in range(15))
    body = body[: 14 if body.startswith("37") else 15]
    total = sum(sum(divmod(2 * int(d), 10)) if i % 2 == 0 else int(d) for i, d in enumerate(body[::-1]))
    return body + str(-total % 10)


def iban_number(chance: random.Random) -> str:
    """An account with the right check digits."""
    country = chance.choice(IBANS)
    size = {"DE": 18, "GB": 14, "FR": 23, "AT": 16}[country]
    bank = "NWBK" if country == "GB" else ""
    body = bank + "".join(chance.choice("0123456789") for _ in range(size))
    turned = "".join(str(int(c, 36)) for c in body + country + "00")
    return f"{country}{98 - int(turned) % 97:02}{body}"


def _iban(chance: random.Random, language: str, way: str) -> str:
    iban = iban_number(chance)
    if way == "written":
        return chance.choice((iban, " ".join(_groups(iban, 4)), iban[:2] + " " + " ".join(_groups(iban[2:], 4))))
    head = iban[:2] if way == "mixed" or chance.random() < 0.5 else " ".join(iban[:2])
    bank = "".join(c for c in iban[4:] if c.isalpha())
    digits = _digits(chance, language, "spoken", iban[2:4], 2)
    rest = iban[4 + len(bank) :]
    said = " ".join(_groups(rest, 4)) if way == "mixed" else _digits(chance, language, "spoken", rest, 4)
    return " ".join(part for part in (head, digits, " ".join(bank), said) if part)


def _email(chance: random.Random, language: str, way: str) -> str:
    local, domain = chance.choice(LOCALS), chance.choice(DOMAINS[language])
    if way == "written":
        return f"{local}@{domain}"
    spell = chance.random() < 0.3
    said = _spoken(chance, language, local, spell=spell)
    if way == "mixed":
        return chance.choice(
            (f"{said} {chance.choice(AT[language])} {domain}", f"{local} {chance.choice(AT[language])} {domain}")
        )
    return f"{said} {chance.choice(AT[language])} {_spoken(chance, language, domain, spell=False)}"


def _spoken(chance: random.Random, language: str, text: str, *, spell: bool) -> str:
    signs = {".": DOT[language], "-": DASH[language], "_": UNDERSCORE[language]}
    parts, word = [], ""
    for c in text + "\0":
        if c.isalpha() or (c.isdigit() and word.isdigit()):
            word += c
            continue
        if word:
            parts.append(_say(language, word, spell=spell))
            word = ""
        if c in signs:
            parts.append(chance.choice(signs[c]))
        elif c.isdigit():
            word = c
    return " ".join(parts)


def _say(language: str, word: str, *, spell: bool) -> str:
    if word.isdigit():
        return " ".join(_word(language, int(group)) for group in _groups(word, 2))
    return " ".join(word) if spell else word
