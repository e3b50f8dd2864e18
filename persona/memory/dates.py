"""Days as people say them, made days that still mean the same in a year: "in May" becomes "in May 2027"."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, partial
from importlib import resources
from typing import Any

LANGUAGES = ("en", "de")


@dataclass(frozen=True, slots=True)
class _Words:
    table: dict[str, Any]
    months: dict[str, int]
    weekdays: dict[str, int]
    patterns: tuple[tuple[str, re.Pattern[str]], ...]
    """In the order in which they are tried, the longer wordings first."""


def dated(text: str, today: date, language: str) -> str:
    """`text` with the days in it written out as seen from `today`; days before yesterday stay as they were said.

    A month or weekday without a year is the next one to come. Another language than `LANGUAGES` stays as it is.
    """
    if language not in LANGUAGES:
        return text
    words = _words(language)
    done: list[str] = []

    def replaced(found: re.Match[str], kind: str) -> str:
        # What is finished is only marked, so that no later pattern reads it again.
        done.append(_written(found, kind, today, words))
        return f"\x00{len(done) - 1}\x00"

    text = text.replace("\x00", "")
    for kind, pattern in words.patterns:
        text = pattern.sub(partial(replaced, kind=kind), text)
    return re.sub(r"\x00(\d+)\x00", lambda found: done[int(found[1])], text)


def _written(found: re.Match[str], kind: str, today: date, words: _Words) -> str:
    say = words.table
    make: dict[str, Callable[[], str]] = {
        "today": lambda: _on(today, words),
        "tomorrow": lambda: _on(today + timedelta(days=1), words),
        "after_tomorrow": lambda: _on(today + timedelta(days=2), words),
        "yesterday": lambda: _on(today - timedelta(days=1), words),
        "last_week": lambda: say["say_week"].format(date=_date(_monday(today) - timedelta(weeks=2), words)),
        "last_month": lambda: _month((today.month - 2) % 12 + 1, today.year - (today.month == 1), words),
        "last_year": lambda: say["say_year"].format(y=today.year - 1),
        "next_week": lambda: say["say_week"].format(date=_date(_monday(today), words)),
        "next_month": lambda: _month(today.month % 12 + 1, today.year + today.month // 12, words),
        "next_year": lambda: say["say_year"].format(y=today.year + 1),
        "span": lambda: _after(found, today, words),
        "day": lambda: _day(found, today, words),
        "month": lambda: _of_month(found, today, words),
        "season": lambda: _season(found, today, words),
        "weekday": lambda: _weekday(found, today, words),
    }
    return make[kind]()


def _after(found: re.Match[str], today: date, words: _Words) -> str:
    count = int(found["n"]) if found["n"].isdigit() else words.table["numbers"][found["n"].lower()]
    match words.table["units"][found["unit"][0].lower()]:
        case "day":
            return _on(today + timedelta(days=count), words)
        case "week":
            monday = today + timedelta(weeks=count) - timedelta(days=today.weekday())
            return str(words.table["say_week"].format(date=_date(monday, words)))
        case "month":
            month = today.month - 1 + count
            return _month(month % 12 + 1, today.year + month // 12, words)
        case _:
            return str(words.table["say_year"].format(y=today.year + count))


def _day(found: re.Match[str], today: date, words: _Words) -> str:
    parts = found.groupdict()
    number, name = int(parts["d1"] or parts["d2"]), parts["m1"] or parts["m2"]
    month = words.months[name.lower()]
    for year in (today.year, today.year + 1):
        try:
            day = date(year, month, number)
        except ValueError:  # 31 June, or 29 February in another year
            continue
        if day >= today:
            return f"{parts['before']} {_date(day, words)}" if parts["before"] else _on(day, words)
    return found[0]


def _of_month(found: re.Match[str], today: date, words: _Words) -> str:
    month = words.months[found["month"].lower()]
    if found["before"].lower() == words.table["since"]:
        year = today.year if month <= today.month else today.year - 1
    else:
        year = today.year if month >= today.month else today.year + 1
    lead = found[0][: found.start("month") - found.start()]
    return f"{lead}{_month_name(month, words)} {year}"


def _season(found: re.Match[str], today: date, words: _Words) -> str:
    begins = words.table["seasons"][found["season"].lower()]
    year = today.year if begins >= today.month else today.year + 1
    return str(words.table["say_season"].format(season=found["season"], y=year))


def _weekday(found: re.Match[str], today: date, words: _Words) -> str:
    weekday = words.weekdays[found["weekday"].lower()]
    day = today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
    said = f"{found['before']} {found['next'] or ''}".lower().split()
    if words.table["next"] in said and day < _monday(today):
        day += timedelta(days=7)
    name = words.table["weekday_names"].split()[weekday]
    full = words.table["say_weekday"].format(weekday=name, date=_date(day, words))
    stays = {"by", "until", "till", "from", "before", "after", "ab", "bis", "vor", "nach"}
    return f"{said[0]} {full}" if said[0] in stays else str(words.table["say_on"].format(date=full))


def _monday(today: date) -> date:
    """The Monday of the next week."""
    return today + timedelta(days=7 - today.weekday())


def _on(day: date, words: _Words) -> str:
    return str(words.table["say_on"].format(date=_date(day, words)))


def _date(day: date, words: _Words) -> str:
    return str(words.table["say_date"].format(d=day.day, month=_month_name(day.month, words), y=day.year))


def _month(month: int, year: int, words: _Words) -> str:
    return str(words.table["say_month"].format(month=_month_name(month, words), y=year))


def _month_name(month: int, words: _Words) -> str:
    return str(words.table["month_names"].split()[month - 1])


@cache
def _words(language: str) -> _Words:
    text = resources.files("persona.memory").joinpath("dates.toml").read_text("utf-8")
    table = tomllib.loads(text)[language]
    months = {word: i + 1 for i, ways in enumerate(table["months"]) for word in ways.split()}
    weekdays = {word: i for i, ways in enumerate(table["weekdays"]) for word in ways.split()}
    fill = {
        "{n}": r"\d{1,2}|" + "|".join(table["numbers"]),
        "{month}": "|".join(months),
        "{weekday}": "|".join(weekdays),
    }
    order = (
        *(
            "day",
            "month",
            "weekday",
            "season",
            "span",
            "next_week",
            "next_month",
            "next_year",
            "last_week",
            "last_month",
        ),
        *("last_year", "after_tomorrow", "tomorrow", "yesterday", "today"),
    )
    patterns = []
    for kind in order:
        body = table[kind]
        for mark, choice in fill.items():
            body = body.replace(mark, choice)
        patterns.append((kind, re.compile(rf"\b(?:{body})\b", re.IGNORECASE)))
    return _Words(table, months, weekdays, tuple(patterns))
