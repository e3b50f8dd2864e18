"""Money, percent, units, ranges, versions and plain numbers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from persona.voice.reading.language import Language, Unit
from persona.voice.reading.numbers import MOST_DIGITS, cardinal, digits
from persona.voice.reading.ordinals import ordinal
from persona.voice.reading.spans import Replacement

_GAP = r"[ \u00a0\u202f]?"
_BEFORE = r"(?<![\w.,:/°$€£-])"
_SIGN = r"(?:(?<![\w)])[-−](?=\d))?"
_ZERO_LED = re.compile(r"(?<![\w.,:/-])0\d+(?![\w]|[.,:/]\d)")
_VERSION = re.compile(r"(?<![\w.,:/-])(?P<v>[vV]\.?\s?)?(?P<n>\d+(?:\.\d+)+)(?![\w]|[:/]\d)")
_FRACTION = re.compile(r"(?<![\w.,:/-])(?:(?P<whole>\d{1,3}) ?)?(?P<part>\d/\d|[½¼¾])(?![\w/])")
_NUMBER_SIGN = re.compile(r"(?<!\w)(?P<sign>#|№|§§?)\s?(?=\d)")
_YEAR = re.compile(r"1[1-9]\d\d|20\d\d")
_COUNTED = {
    "en": re.compile(r" (?!(?:was|is|has|as|this|its|vs)\b)[a-z]*(?:s|people|men|women|children)\b"),
    "de": re.compile(r" [A-ZÄÖÜ][a-zäöüß]"),
}
"""What follows a bare number of four digits that counts something, and is no year."""


def money(text: str, language: Language) -> Iterator[Replacement]:
    """`$5.50`, `5,50 €`, `3 Mio. €`, `$2 million`."""
    names = _either(language.currencies)
    large = _either(language.large) if language.large else r"(?!)"
    number = rf"(?P<number>{_SIGN}{language.figure})"
    tail = r"(?![\w])"
    many = rf"{_GAP}(?P<large>{large})"
    before = _compiled(rf"(?<![\w.,])(?P<name>{names}){_GAP}{number}(?:{many}{tail})?(?![\d])")
    after = _compiled(rf"{_BEFORE}{number}(?:{many})?{_GAP}(?:d[ei] |d')?(?P<name>{names}){tail}")
    for pattern in (before, after):
        for found in pattern.finditer(text):
            unit = language.currencies[found["name"]]
            if found["large"]:
                said = _large_money(found["number"], found["large"], unit, language)
            else:
                said = _money(found["number"], unit, language)
            yield Replacement(found.start(), found.end(), said)


def _large_money(number: str, large: str, unit: Unit, language: Language) -> str:
    one, many = language.large[large]
    joint = f"{language.large_joint} " if language.large_joint else ""
    gender = "f" if one.endswith(("illion", "illiarde")) and language.code.startswith("de") else "m"
    if joint == "de " and language.code.startswith("fr") and unit.many[0] in "aeiouhé":
        joint = "d'"
    return f"{language.counted(number, Unit(one, many, gender))} {joint}{unit.many}"


def _money(number: str, unit: Unit, language: Language) -> str:
    whole, part = language.split(number)
    if len(part) != 2 or not unit.part_one:
        return language.counted(number, unit)
    change = language.counted(part.lstrip("0") or "0", Unit(unit.part_one, unit.part_many))
    if part == "00":
        return language.counted(whole, unit)
    if whole in ("0", ""):
        return change
    return f"{language.counted(whole, unit)} {language.words['and']} {change}"


def shares(text: str, language: Language) -> Iterator[Replacement]:
    """`5 %` and `3 ‰`, also of a range."""
    pattern = _compiled(rf"{_BEFORE}(?P<number>{_SIGN}{language.figure}){_GAP}(?P<sign>[%‰])")
    for found in pattern.finditer(text):
        sign = language.words["percent" if found["sign"] == "%" else "per_mille"]
        yield Replacement(found.start(), found.end(), f"{language.number(found['number'], 'm')} {sign}")


def units(text: str, language: Language) -> Iterator[Replacement]:
    """`5 km`, `20 °C`, `10-12 kg`."""
    names = _either(language.units)
    first = rf"(?:(?P<first>{language.figure}) ?[-–—] ?)?"
    pattern = _compiled(
        rf"{_BEFORE}{first}(?P<number>{_SIGN}{language.figure}){_GAP}(?P<name>{names})(?![\w/²³°])"
    )
    for found in pattern.finditer(text):
        said = language.counted(found["number"], language.units[found["name"]])
        if found["first"]:
            said = f"{language.number(found['first'])} {language.words['to']} {said}"
        if found["name"].endswith(".") and not text[found.end() :].strip():
            said += "."  # it was the full stop too
        yield Replacement(found.start(), found.end(), said)


def ranges(text: str, language: Language) -> Iterator[Replacement]:
    """`9-17`, `10–12`: a range where the second is larger, or both are hours."""
    pattern = _compiled(
        rf"(?<![\w.,:/+-])(?P<a>{language.figure})(?P<dash> ?[–—] ?|-)(?P<b>{language.figure})(?![\w/-]|[.,:]\d)"
    )
    for found in pattern.finditer(text):
        (low, _), (high, _) = language.split(found["a"]), language.split(found["b"])
        if len(low) > 4 or len(high) > 4 or (low.startswith("0") and len(low) > 1):
            continue
        if int(low) < int(high) or max(int(low), int(high)) <= 24:
            both = (found["a"], found["b"])
            years = language.dates.century_years and all(map(_YEAR.fullmatch, both))
            said = [year_words(int(value), language) if years else _bare(value, language) for value in both]
            spoken = f" {language.words['to']} ".join(said)
            yield Replacement(found.start(), found.end(), spoken)


def versions(text: str, language: Language) -> Iterator[Replacement]:
    """`v2.1`, `1.2.3`, and any number with two points that is no other thing."""
    for found in _VERSION.finditer(text):
        parts = found["n"].split(".")
        grouped = re.fullmatch(language.figure, found["n"]) is not None
        named = re.search(r"(?i)\bver(?:sion|sión|são|sione)?\.? $", text[: found.start()])
        if not (found["v"] or named) and (len(parts) < 3 or grouped):
            continue
        said = f" {language.words['point']} ".join(_part(part, language) for part in parts)
        prefix = f"{language.words['version']} " if found["v"] else ""
        yield Replacement(found.start(), found.end(), prefix + said)


def fractions(text: str, language: Language) -> Iterator[Replacement]:
    """`1/2`, `2 ½`."""
    for found in _FRACTION.finditer(text):
        if found["part"] in language.fractions:
            said = language.fractions[found["part"]]
            if found["whole"]:
                said = f"{language.number(found['whole'])} {language.words['and']} {said}"
            yield Replacement(found.start(), found.end(), said)


def ordinals(text: str, language: Language) -> Iterator[Replacement]:
    """`3rd`, `2º`, and German `im 3. Stock`."""
    if language.ordinal_marks:
        pattern = _compiled(rf"(?<![\w.,])(?P<n>\d{{1,6}})(?P<mark>{_either(language.ordinal_marks)})(?!\w)")
        for found in pattern.finditer(text):
            form = language.ordinal_marks[found["mark"]]
            said = ordinal(int(found["n"]), language.numerals, language.ordinals, form)
            yield Replacement(found.start(), found.end(), said)
    if language.ordinal_after:
        pattern = _compiled(
            rf"(?<!\w)(?:{_either(language.ordinal_after)}) (?P<n>\d{{1,3}})\.(?= [A-ZÄÖÜ])", re.IGNORECASE
        )
        for found in pattern.finditer(text):
            form = language.ordinal_after[found[0].split(" ")[0].lower()]
            said = ordinal(int(found["n"]), language.numerals, language.ordinals, form)
            yield Replacement(found.start("n"), found.end(), said)


def codes(text: str, language: Language) -> Iterator[Replacement]:
    """Digits one by one: after `PIN`, with a zero in front, or too long to count; and room numbers."""
    if language.codes:
        pattern = _compiled(rf"(?<!\w)(?:{_either(language.codes)}):? (?:is )?(?P<n>\d{{3,}})(?![\w]|[.,]\d)")
        for found in pattern.finditer(text):
            yield Replacement(found.start("n"), found.end(), digits(found["n"], language.numerals))
    if language.rooms:
        pattern = _compiled(rf"(?<!\w)(?:{_either(language.rooms)}) (?P<n>\d{{3,4}})(?![\w]|[.,]\d)")
        for found in pattern.finditer(text):
            yield Replacement(found.start("n"), found.end(), _room(found["n"], language))
    for zeros in _ZERO_LED.finditer(text):
        yield Replacement(zeros.start(), zeros.end(), digits(zeros[0], language.numerals))


def _room(number: str, language: Language) -> str:
    head, tail = number[:-2], number[-2:]
    if tail == "00":
        return cardinal(int(number), language.numerals)
    rest = cardinal(int(tail), language.numerals)
    zero = f"{language.words['zero_room']} " if tail.startswith("0") else ""
    return f"{cardinal(int(head), language.numerals)} {zero}{rest}"


def plain(text: str, language: Language) -> Iterator[Replacement]:
    """Every number that is left and stands alone, and the sign before it."""
    for sign in _NUMBER_SIGN.finditer(text):
        word = language.words["section" if sign["sign"].startswith("§") else "number"]
        yield Replacement(sign.start(), sign.end(), f"{word} ")
    pattern = _compiled(rf"(?<![\w.,:/@-])(?P<n>{_SIGN}{language.figure})(?![\w/@]|[-.,:'’]\d)")
    for found in pattern.finditer(text):
        counted = _COUNTED.get(language.code[:2])
        year = counted is not None and _YEAR.fullmatch(found["n"]) and not counted.match(text, found.end())
        said = year_words(int(found["n"]), language) if year else _bare(found["n"], language)
        yield Replacement(found.start(), found.end(), said)


def _bare(number: str, language: Language) -> str:
    whole, part = language.split(number)
    if not part and len(whole.lstrip("-")) > MOST_DIGITS:
        return digits(whole, language.numerals)
    return language.number(number)


def year_words(year: int, language: Language) -> str:
    """A year as it is said: 1998 in two halves where the language does so, else as a number."""
    century, rest = divmod(year, 100)
    numerals = language.numerals
    if not language.dates.century_years or not 1100 <= year <= 2099 or 2000 <= year <= 2009:
        return cardinal(year, numerals)
    if language.code.startswith("de"):
        if century == 20:
            return cardinal(year, numerals)
        return cardinal(century, numerals) + "hundert" + (cardinal(rest, numerals) if rest else "")
    if not rest:
        return f"{cardinal(century, numerals)} hundred"
    zero = "oh " if rest < 10 else ""
    return f"{cardinal(century, numerals)} {zero}{cardinal(rest, numerals)}"


def _part(part: str, language: Language) -> str:
    if part.startswith("0") and len(part) > 1:
        return digits(part, language.numerals)
    return cardinal(int(part), language.numerals)


def _either(names: object) -> str:
    """A pattern for any of the names, the longest first."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))  # type: ignore[call-overload]


@cache
def _compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(pattern, flags)
