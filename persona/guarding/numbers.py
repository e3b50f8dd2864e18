"""Numbers in a text, in digits or in words of any of six languages, as a listener would write them down."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from compliance.language.plain import base

LANGUAGES = ("en", "de", "fr", "es", "it", "pt")
_GROUPED = re.compile(r"(?<=\d)[.,'’ \u00a0\u202f](?=\d{3}(?!\d))")
_PIECE = re.compile(r"\d+|[^\W\d_]+")
_LONGEST_PHRASE = 4
_ONE_WORD_LETTERS = 6
"""From this length on a word may be several numerals written together: "vierhunderttausend"."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a text."""

    streams: tuple[str, ...]
    """All digits one after the other, in each way of reading ("nine hundred one" is 900 1, or 901)."""
    values: tuple[int, ...]
    """The numbers as quantities, in order, without articles that only look like a one."""
    runs: tuple[str, ...] = ()
    """The digits of each group of numerals that follow one another."""


@dataclass(frozen=True, slots=True)
class _Words:
    numerals: dict[tuple[str, ...], int]
    powers: dict[str, int]
    joiners: frozenset[str]
    foreign: dict[str, int]
    """Numerals of other languages that mean something else in this one, except among other numerals."""
    repeat: dict[str, int]
    articles: frozenset[str]
    compound: re.Pattern[str]
    part: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Token:
    value: int
    digits: str
    power: int = 0
    """100, 1000 or 1000000 for the words that multiply."""
    article: bool = False


def fold(text: str) -> str:
    """Lower case without accents; full-width and circled digits as plain ones."""
    text = unicodedata.normalize("NFKC", text).casefold()
    if text.isascii():
        return text
    return "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))


@lru_cache(maxsize=4096)
def numbers(text: str, language: str) -> Numbers:
    """What numbers `text` says; numerals of other languages than `language` are understood too."""
    words = _words(base(language) if base(language) in LANGUAGES else "en")
    pieces = _PIECE.findall(_GROUPED.sub("", fold(text)))
    runs = _runs(_split(pieces, words), words)
    plain, summed = [], []
    values: list[int] = []
    for run in runs:
        plain.append("".join(token.digits for token in run))
        for value, article in _quantities(run):
            summed.append(str(value) if not _leading_zero(run) else "")
            if not article:
                values.append(value)
        if _leading_zero(run):
            summed.append(plain[-1])
    streams = ["".join(plain), "".join(summed)]
    return Numbers(
        tuple(dict.fromkeys(streams)), tuple(values), tuple(dict.fromkeys((*plain, *filter(None, summed))))
    )


def is_numeral(word: str, language: str) -> bool:
    """Whether one plain word is a number."""
    words = _words(base(language) if base(language) in LANGUAGES else "en")
    return word.isdecimal() or (word,) in words.numerals or word in words.powers or word in words.repeat


def _leading_zero(run: list[_Token]) -> bool:
    """A number that is written, as 0163 is, and no quantity."""
    return len(run) == 1 and len(run[0].digits) > 1 and run[0].digits.startswith("0")


def _split(pieces: list[str], words: _Words) -> list[str]:
    """Words that are several numerals written together, taken apart."""
    split: list[str] = []
    for piece in pieces:
        if (
            len(piece) >= _ONE_WORD_LETTERS
            and piece not in words.powers
            and (piece,) not in words.numerals
            and words.compound.fullmatch(piece)
        ):
            split.extend(words.part.findall(piece))
        else:
            split.append(piece)
    return split


def _runs(pieces: list[str], words: _Words) -> list[list[_Token]]:
    """Numerals that follow one another, with nothing but "and" between them."""
    runs: list[list[_Token]] = []
    open_run = False
    at = 0
    while at < len(pieces):
        token, end = _token(pieces, at, words)
        if token is None and open_run and pieces[at] in words.foreign:
            value = words.foreign[pieces[at]]
            power = value if value >= 100 else 0
            token, end = _Token(value, str(value)[1:] if power else str(value), power), at + 1
        if token is None:
            open_run = open_run and pieces[at] in words.joiners
            at += 1
            continue
        if open_run:
            runs[-1].append(token)
        else:
            runs.append([token])
        open_run, at = True, end
    return runs


def _token(pieces: list[str], at: int, words: _Words) -> tuple[_Token | None, int]:
    piece = pieces[at]
    if piece.isdecimal():
        return _Token(int(piece[:18]), "".join(str(int(digit)) for digit in piece)), at + 1
    if piece in words.repeat and at + 1 < len(pieces):
        following, end = _token(pieces, at + 1, words)
        if following is not None and len(following.digits) == 1 and not following.power:
            digits = following.digits * words.repeat[piece]
            return _Token(int(digits), digits), end
    for length in range(min(_LONGEST_PHRASE, len(pieces) - at), 0, -1):
        value = words.numerals.get(tuple(pieces[at : at + length]))
        if value is not None:
            return _Token(value, str(value), article=piece in words.articles), at + length
    if piece in words.powers:
        power = words.powers[piece]
        return _Token(power, str(power)[1:], power), at + 1
    return None, at


def _quantities(run: list[_Token]) -> list[tuple[int, bool]]:
    """The numbers of a run as quantities, and whether each is only an article."""
    found: list[tuple[int, bool]] = []
    total = current = 0
    empty, article = True, False
    for token, following in zip(run, (*run[1:], None), strict=True):
        if not token.power and following and following.power == 100 and current >= 100:
            # "Nine hundred, one hundred eighty-six" is two numbers.
            found.append((total + current, article))
            total = current = 0
            empty = True
        if token.power:
            article = False
            if token.power == 100:
                current = (current or 1) * 100
            else:
                total += (current or 1) * token.power
                current = 0
            empty = False
            continue
        fits = (current == 0 and total == 0) or (current % 100 == 0 and token.value < 100 and (current or total))
        if not empty and not fits:
            found.append((total + current, article))
            total = current = 0
        elif not empty and current == 0 and total == 0:
            found.append((0, article))
        current += token.value
        empty, article = False, token.article and len(run) == 1
    if not empty:
        found.append((total + current, article))
    return found


@cache
def _words(language: str) -> _Words:
    """The numerals of all languages; where two share a word, the call's own means it, then English."""
    numerals: dict[tuple[str, ...], int] = {}
    powers: dict[str, int] = {}
    repeat: dict[str, int] = {}
    strange: dict[str, int] = {}
    tables = _tables()
    for code in dict.fromkeys((language, "en", *LANGUAGES)):
        table = tables[code]
        foreign = set() if code == language else set(table["foreign"])
        for entry in table["numerals"].split():
            phrase, _, value = entry.partition("=")
            if phrase in foreign:
                strange.setdefault(phrase, int(value))
            else:
                numerals.setdefault(tuple(phrase.split("_")), int(value))
        for power, name in ((100, "hundred"), (1000, "thousand"), (1_000_000, "million")):
            for word in table[name]:
                if word in foreign:
                    strange.setdefault(word, power)
                else:
                    powers.setdefault(word, power)
        for word, times in table["repeat"].items():
            repeat.setdefault(word, times)
    single = [phrase[0] for phrase in numerals if len(phrase) == 1 and len(phrase[0]) > 2]
    longest_first = "|".join(sorted({*powers, *single} - {"k"}, key=lambda word: (-len(word), word)))
    own = tables[language]
    return _Words(
        numerals,
        powers,
        frozenset(own["joiners"]) | {"and"},
        strange,
        repeat,
        frozenset(own["article"]) | {"one"},
        re.compile(f"(?:(?:{longest_first})(?:und)?)+"),
        re.compile(longest_first),
    )


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(resources.files("persona.guarding").joinpath("numbers.toml").read_text("utf-8"))
