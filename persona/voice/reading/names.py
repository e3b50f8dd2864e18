"""Abbreviations and Roman numerals. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from persona.voice.reading.language import Language
from persona.voice.reading.numbers import cardinal
from persona.voice.reading.ordinals import ordinal
from persona.voice.reading.spans import Replacement

_ROMAN = r"(?P<r>M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3}))"
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_CENTURY = re.compile(r"(?<!\w)(?P<r>[XVI]{1,5})(?P<mark>e|ème|º|°)(?= (?:siècle|secolo))")


def abbreviations(text: str, language: Language) -> Iterator[Replacement]:
    """`Dr.`, `z. B.`; `St.` by what stands beside it. A full stop that ends the text stays one."""
    for found in _pattern(tuple(language.before_name)).finditer(text):
        if re.match(r" [^\W\d_]", text[found.end() :]) and text[found.end() + 1].isupper():
            yield Replacement(found.start(), found.end(), language.before_name[found[0]])
    for found in _pattern(tuple(language.before_number)).finditer(text):
        if re.match(r"\s?\d", text[found.end() :]):
            yield Replacement(found.start(), found.end(), language.before_number[found[0]])
    for found in _pattern(tuple(language.after_name)).finditer(text):
        if re.search(r"[A-Z0-9][\w']* $", text[: found.start()]):
            yield _stopped(text, found, language.after_name[found[0]])
    for found in _pattern(tuple(language.abbreviations)).finditer(text):
        yield _stopped(text, found, language.abbreviations[found[0]])


def _stopped(text: str, found: re.Match[str], said: str) -> Replacement:
    last = found[0].endswith(".") and not text[found.end() :].strip(" \"'”’»)")
    return Replacement(found.start(), found.end(), f"{said}." if last else said)


def roman(text: str, language: Language) -> Iterator[Replacement]:
    """Only where they are sure: after a ruler's name or a word such as `chapter`, and before a century."""
    for kind, names in (("ruler", language.rulers), ("part", language.roman_after)):
        if not names:
            continue
        either = "|".join(map(re.escape, names))
        for found in _compiled(rf"(?<!\w)(?:{either}) {_ROMAN}(?!\w)").finditer(text):
            if not found["r"]:
                continue
            number = roman_value(found["r"])
            shape = language.roman_form if kind == "ruler" and number <= language.roman_limit else "{cardinal}"
            # German writes `Karl V. kam`; at the end of a sentence the point stays.
            point = (
                kind == "ruler"
                and language.code.startswith("de")
                and re.match(r"\. [a-zäöü]", text[found.end() :])
            )
            end = found.end() + 1 if point else found.end()
            yield Replacement(found.start("r"), end, _said(number, shape, language))
    for found in _CENTURY.finditer(text):
        said = ordinal(roman_value(found["r"]), language.numerals, language.ordinals)
        yield Replacement(found.start(), found.end(), said)


def roman_value(text: str) -> int:
    """`XIV` is 14."""
    total = 0
    for letter, after in zip(text, [*text[1:], ""], strict=True):
        value = _VALUES[letter]
        total += -value if after and value < _VALUES[after] else value
    return total


def _said(number: int, shape: str, language: Language) -> str:
    first = number == 1 and shape == "{cardinal}" and language.code.startswith("fr")
    spoken = ordinal(number, language.numerals, language.ordinals)
    if "der {ordinal}" in shape:
        spoken = spoken[:1].upper() + spoken[1:]
    return spoken if first else shape.format(ordinal=spoken, cardinal=cardinal(number, language.numerals))


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the names as a word of its own, in exactly this case."""
    either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or r"(?!)"
    return re.compile(rf"(?<![\w.@/-])(?:{either})(?![\w@])")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
