"""Days as they are said become days that still mean the same next year."""

from __future__ import annotations

from datetime import date

import pytest

from persona.memory.dates import dated

SUNDAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("in May", "in May 2027"),
        ("in November", "in November 2026"),
        ("by the end of January", "by the end of January 2027"),
        ("since May", "since May 2026"),
        ("since December", "since December 2025"),
        ("on May 3rd", "on 3 May 2027"),
        ("on the 3rd of May at 5", "on 3 May 2027 at 5"),
        ("on 29 November", "on 29 November 2026"),
        ("on 3 May 2031", "on 3 May 2031"),
        ("in May 2031", "in May 2031"),
        ("on 31 June", "on 31 June"),
        ("tomorrow", "on 23 November 2026"),
        ("the day after tomorrow", "on 24 November 2026"),
        ("on Friday", "on Friday 27 November 2026"),
        ("until Friday", "until Friday 27 November 2026"),
        ("on Sunday", "on Sunday 29 November 2026"),
        ("on Fridays", "on Fridays"),
        ("next week", "in the week of 23 November 2026"),
        ("next month", "in December 2026"),
        ("next year", "in 2027"),
        ("in three days", "on 25 November 2026"),
        ("until 3 May", "until 3 May 2027"),
        ("yesterday", "on 21 November 2026"),
        ("last month", "in October 2026"),
        ("last year", "in 2025"),
        ("next spring", "in spring 2027"),
        ("in the winter", "in winter 2026"),
        ("in two months", "in January 2027"),
        ("I may go and I will march", "I may go and I will march"),
    ],
)
def test_english(said: str, written: str) -> None:
    assert dated(said, SUNDAY, "en") == written


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("im Mai", "im Mai 2027"),
        ("bis Ende Dezember", "bis Ende Dezember 2026"),
        ("am 3. Mai", "am 3. Mai 2027"),
        ("morgen früh", "am 23. November 2026"),
        ("guten Morgen", "guten Morgen"),
        ("am Morgen", "am Morgen"),
        ("am Freitag", "am Freitag, 27. November 2026"),
        ("bis 3. Dezember", "bis 3. Dezember 2026"),
        ("bis zum 3. Dezember", "bis 3. Dezember 2026"),
        ("gestern", "am 21. November 2026"),
        ("letzte Woche", "in der Woche vom 9. November 2026"),
        ("im Sommer", "im Sommer 2027"),
        ("freitags", "freitags"),
        ("nächste Woche", "in der Woche vom 23. November 2026"),
        ("nächsten Monat", "im Dezember 2026"),
        ("in drei Tagen", "am 25. November 2026"),
    ],
)
def test_german(said: str, written: str) -> None:
    assert dated(said, SUNDAY, "de") == written


def test_next_friday_said_on_a_monday_is_the_one_of_the_week_after() -> None:
    monday = date(2026, 11, 23)
    assert dated("on Friday", monday, "en") == "on Friday 27 November 2026"
    assert dated("next Friday", monday, "en") == "on Friday 4 December 2026"


def test_the_turn_of_the_year_and_leap_days() -> None:
    assert dated("next month", date(2026, 12, 31), "en") == "in January 2027"
    assert dated("last month", date(2027, 1, 1), "en") == "in December 2026"
    assert dated("on 29 February", date(2027, 3, 1), "en") == "on 29 February 2028"
    assert dated("on 29 February", date(2025, 3, 1), "en") == "on 29 February"


def test_the_marks_used_inside_are_no_way_in() -> None:
    assert dated("in May, \x000\x00 \x007\x00", SUNDAY, "en") == "in May 2027, 0 7"


def test_another_language_stays_as_it_was_said() -> None:
    assert dated("en mai", SUNDAY, "fr") == "en mai"
