from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from persona.when import roughly

TODAY = date(2026, 11, 22)


def at(year: int, month: int, day: int, hour: int = 12) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ((2026, 11, 22), "today"),
        ((2026, 11, 21), "yesterday"),
        ((2026, 11, 18), "a few days ago"),
        ((2026, 11, 12), "last week"),
        ((2026, 10, 20), "a few weeks ago"),
        ((2026, 7, 1), "in summer"),
        ((2026, 4, 3), "in spring"),
        ((2025, 10, 3), "in autumn last year"),
        ((2024, 10, 3), "in 2024"),
        ((2026, 11, 23), "today"),
    ],
)
def test_it_is_said_as_people_say_it(day: tuple[int, int, int], words: str) -> None:
    assert roughly(at(*day), TODAY, "Europe/London") == words


def test_spring_is_when_it_is_spring_there() -> None:
    assert roughly(at(2026, 7, 1), TODAY, "Australia/Sydney") == "in winter"


def test_the_day_is_the_owners() -> None:
    assert roughly(at(2026, 11, 21, 23), TODAY, "Asia/Tokyo") == "today"


def test_a_time_that_cannot_be_is_no_mistake() -> None:
    assert roughly(10**18, TODAY, "UTC") == "at some time"
