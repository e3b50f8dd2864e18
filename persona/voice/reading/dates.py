"""Days, years and times of the day. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from persona.voice.reading.amounts import year_words
from persona.voice.reading.language import Language
from persona.voice.reading.numbers import cardinal, digits
from persona.voice.reading.ordinals import ordinal
from persona.voice.reading.spans import Replacement

_ISO = re.compile(r"(?<![\w.-])(?P<y>[12]\d{3})-(?P<m>0[1-9]|1[0-2])-(?P<d>0[1-9]|[12]\d|3[01])(?![\w-])")
_FIGURES = re.compile(
    r"(?<![\w.,/-])(?P<a>\d{1,2})(?P<s>[./-])(?P<b>\d{1,2})(?P=s)(?P<y>\d{4}|\d{2})(?![\w/-]|\.\d)"
)
_DOTTED = re.compile(r"(?<![\w.,/-])(?P<a>\d{1,2})\.(?P<b>\d{1,2})\.(?!\d)")
_CLOCK = r"(?P<h>[01]?\d|2[0-4]){mark}(?P<m>[0-5]\d)(?::(?P<s>[0-5]\d))?"
_HOUR = r"(?P<h>[01]?\d|2[0-4])"


def figures(text: str, language: Language) -> Iterator[Replacement]:
    """`2025-03-14`, `14.3.2025`, `3/14/25`, and `14.3.` where days are written with points."""
    for found in _ISO.finditer(text):
        yield from _date(found, int(found["d"]), int(found["m"]), found["y"], language)
    for found in _FIGURES.finditer(text):
        first, second = int(found["a"]), int(found["b"])
        if found["s"] == "-" and len(found["y"]) == 2:
            continue
        month_first = language.dates.order == "mdy" and found["s"] != "."
        day, month = (second, first) if month_first and first <= 12 else (first, second)
        yield from _date(found, day, month, found["y"], language)
    if language.dates.dative:
        for found in _DOTTED.finditer(text):
            yield from _date(found, int(found["a"]), int(found["b"]), "", language)


def written(text: str, language: Language) -> Iterator[Replacement]:
    """`March 14, 2025`, `14. März 2025`, `1er mars`, `14 de marzo de 2025`."""
    dates = language.dates
    names = {name.lower(): number for number, name in enumerate(dates.months, 1)}
    names |= {name.lower(): number for number, name in enumerate(dates.short_months, 1) if name}
    either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    month = rf"(?P<m>{either})(?:\.(?=\s?[\d,a-z])|(?!\w))"
    marks = "|".join(re.escape(mark) for mark in (*language.ordinal_marks, "."))
    day = rf"(?P<d>[12]?\d|3[01])(?:{marks})?"
    joint = rf" (?:{dates.day_joint} )?" if dates.day_joint else " ?(?:of )?"
    year = r"(?:,? (?:d[eo] )?(?P<y>[12]\d{3})(?![\w%€$]|[.,]\d))?"
    for pattern in (rf"(?<![\w.,/-]){day}{joint}{month}{year}", rf"(?<!\w){month} {day}(?![\w.:/]\d|\w){year}"):
        for found in _compiled(pattern, re.IGNORECASE).finditer(text):
            number = names[found["m"].lower()]
            if found["m"].lower() == "may" and found["m"] != "May":
                continue
            yield from _date(found, int(found["d"]), number, found["y"] or "", language)


def years(text: str, language: Language) -> Iterator[Replacement]:
    """A bare number after a word that makes it a year, and `the 1990s`."""
    if language.dates.year_words:
        words = "|".join(map(re.escape, language.dates.year_words))
        for found in _compiled(rf"(?i)(?<!\w)(?:{words}) (?P<y>1[1-9]\d\d|20\d\d)(?![\w%]|[.,]\d)").finditer(text):
            yield Replacement(found.start("y"), found.end(), year_words(int(found["y"]), language))
    if language.code.startswith("en"):
        for found in _compiled(r"(?<![\w.,-])(?P<y>1[1-9]|20)?(?P<t>[1-9]0)s(?!\w)").finditer(text):
            tens = cardinal(int(found["t"]), language.numerals)
            decade = tens[:-1] + "ies" if tens.endswith("y") else tens + "s"
            century = f"{cardinal(int(found['y']), language.numerals)} " if found["y"] else ""
            yield Replacement(found.start(), found.end(), century + decade)


def times(text: str, language: Language) -> Iterator[Replacement]:
    """`9:30 pm`, `14.05 Uhr`, `14h30`, and ranges of them."""
    clocks = "|".join(re.escape(word) for word in sorted(language.times.clock, key=len, reverse=True))
    clock = rf"(?: ?(?P<clock>{clocks})(?![\w/²³]))"
    mark = "[:h]" if language.times.hour_mark else ":"
    before, after = r"(?<![\w.,:/-])", r"(?![\w:]|[.,]\d)"
    full = before + _CLOCK.format(mark=mark) + rf"(?:{clock}|{after})"
    # "1 h" is how long something takes, except where `14 h` is the way to write a time.
    bare = before + _HOUR + (clock if language.times.hour_mark else clock.replace("|h)", ")"))
    ranged = before + rf"(?P<from>[01]?\d|2[0-4])(?::(?P<fm>[0-5]\d))? ?[-–—] ?{_HOUR}(?::(?P<m>[0-5]\d))?{clock}"
    both = before + r"(?P<from>[01]?\d|2[0-4]):(?P<fm>[0-5]\d) ?[-–—] ?" + _CLOCK.format(mark=":") + after
    patterns = [ranged, both, full, bare]
    if language.times.dotted:
        patterns.insert(1, before + _CLOCK.format(mark=r"\.") + (clock if clocks != "h" else after))
    for pattern in patterns:
        for found in _compiled(pattern).finditer(text):
            said = _time(found, language)
            if "from" in found.groupdict():
                first = _hour_only(found["from"], found["fm"], language)
                said = f"{first} {language.words['to']} {said}"
            if found[0].endswith(".") and not text[found.end() :].strip():
                said += "."  # it was the full stop too
            yield Replacement(found.start(), found.end(), said)


def _time(found: re.Match[str], language: Language) -> str:
    times, groups = language.times, found.groupdict()
    hour, minute, clock = int(groups["h"]), groups.get("m"), groups.get("clock") or ""
    word = times.clock_spoken.get(clock, "")
    plain = cardinal(hour, language.numerals)
    if minute is None or minute == "00":
        shape = times.full_with_clock if clock and clock != "o'clock" else times.full
        said = times.one if hour == 1 and times.one else shape.format(hour=_of_hours(plain, language))
    else:
        shape = times.part
        if minute.startswith("0") and times.zero_minutes:
            spoken = f"{times.zero_minutes} {cardinal(int(minute), language.numerals)}"
        else:
            spoken = cardinal(int(minute), language.numerals)
        if hour == 1 and times.one:
            said = shape.replace(_noun(times.full, shape), times.one).format(minute=spoken)
        else:
            said = shape.format(hour=_of_hours(plain, language), minute=spoken)
    if groups.get("s"):
        said += f" {language.words['and']} {language.counted(str(int(groups['s'])), language.units['s'])}"
    return f"{said} {word}".strip() if word else said


def _noun(full: str, part: str) -> str:
    """`{hour}` with the noun that both shapes begin with."""
    return full if part.startswith(full) else "{hour}"


def _of_hours(hour: str, language: Language) -> str:
    """Hours are feminine where the language says `duas horas`, `vinte e uma horas`."""
    if language.code[:2] not in ("pt", "fr"):
        return hour
    for before, after in language.feminine:
        if hour == before or hour.endswith(f" {before}"):
            return hour[: len(hour) - len(before)] + after
    return hour


def _hour_only(hour: str, minute: str | None, language: Language) -> str:
    said = cardinal(int(hour), language.numerals)
    if not minute or minute == "00":
        return said
    zero = language.times.zero_minutes
    rest = cardinal(int(minute), language.numerals)
    return f"{said} {zero} {rest}" if minute.startswith("0") and zero else f"{said} {rest}"


def _date(found: re.Match[str], day: int, month: int, year: str, language: Language) -> Iterator[Replacement]:
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return
    dates = language.dates
    said = dates.spoken.format(day=_day(day, found, language), month=dates.months[month - 1])
    if year:
        said += dates.year_join + _year(year, language)
    yield Replacement(found.start(), found.end(), said)


def _year(year: str, language: Language) -> str:
    if len(year) == 2:
        return digits(year, language.numerals) if year.startswith("0") else cardinal(int(year), language.numerals)
    return year_words(int(year), language)


def _day(day: int, found: re.Match[str], language: Language) -> str:
    dates = language.dates
    if dates.day == "cardinal" or (dates.day == "first" and day > 1):
        return cardinal(day, language.numerals)
    if not dates.dative:
        return ordinal(day, language.numerals, language.ordinals)
    words = re.findall(r"\w+", found.string[: found.start()])
    before = words[-1].lower() if words else ""
    # "Montag, den 3. Mai" but "der 3. Mai"; a day of the week passes on what stands before it.
    form = "definite" if before in dates.definite else "dative" if before in dates.dative else "alone"
    if form == "alone" and len(words) > 1 and before.endswith(("tag", "woch", "abend")):
        form = "dative" if words[-2].lower() in dates.dative else form
    return ordinal(day, language.numerals, language.ordinals, form)


@cache
def _compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(pattern, flags)
