"""How long ago something was, roughly, as people say it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_SEASONS = ("winter", "spring", "summer", "autumn")
_SOUTHERN = (
    "Australia/",
    "Antarctica/",
    "Pacific/Auckland",
    "America/Argentina",
    "America/Buenos",
    "America/Sao_",
)
_SOUTHERN_TOO = (
    "America/Santiago",
    "America/Montevideo",
    "America/Asuncion",
    "Africa/Johannesburg",
    "Africa/Harare",
)


def roughly(at_ms: int, today: date, time_zone: str) -> str:
    """`at_ms` in Unix milliseconds, seen from `today` in the time zone: "yesterday", "in spring", "in 2023".

    Seasons are those of the half of the earth in which the time zone lies.
    """
    try:
        day = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(time_zone)).date()
    except (OverflowError, ValueError, OSError):
        return "at some time"
    days = (today - day).days
    for limit, words in ((1, "today"), (2, "yesterday"), (7, "a few days ago"), (14, "last week")):
        if days < limit:
            return words
    if days < 45:
        return "a few weeks ago"
    season = _season(day, time_zone)
    if days < 300:
        return f"in {season}"
    if days < 550 and day.year == today.year - 1:
        return f"in {season} last year"
    return f"in {day.year}"


def _season(day: date, time_zone: str) -> str:
    half_a_year = 2 if time_zone.startswith((*_SOUTHERN, *_SOUTHERN_TOO)) else 0
    return _SEASONS[(day.month % 12 // 3 + half_a_year) % 4]
