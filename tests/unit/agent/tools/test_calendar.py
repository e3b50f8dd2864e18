"""Which times are taken and which are free, from real iCalendar text."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from agent.tools.calendar import Span, busy, free
from compliance.errors import PersonaError

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY, SUNDAY = date(2026, 11, 23), date(2026, 11, 29)


def ics(*events: str) -> bytes:
    body = "".join(
        f"BEGIN:VEVENT\nUID:{nth}\nDTSTAMP:20261101T000000Z\n{e}\nEND:VEVENT\n" for nth, e in enumerate(events)
    )
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{body}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


def at(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


def taken(*events: str, first: date = MONDAY, last: date = SUNDAY) -> tuple[Span, ...]:
    return busy(ics(*events), first, last, BERLIN)


def test_an_appointment_takes_its_time_and_says_nothing_else() -> None:
    event = "SUMMARY:Dentist\nDTSTART;TZID=Europe/Berlin:20261124T100000\nDTEND;TZID=Europe/Berlin:20261124T110000"
    assert taken(event) == (Span(at(24, 10), at(24, 11)),)


def test_utc_is_told_in_the_owners_zone() -> None:
    assert taken("DTSTART:20261124T090000Z\nDURATION:PT30M") == (Span(at(24, 10), at(24, 10, 30)),)


def test_a_whole_day_is_a_whole_day() -> None:
    assert taken("DTSTART;VALUE=DATE:20261125") == (Span(at(25, 0), at(26, 0)),)


def test_a_weekly_meeting_with_a_day_left_out_and_one_moved() -> None:
    weekly = (
        "DTSTART;TZID=Europe/Berlin:20261102T090000\nDTEND;TZID=Europe/Berlin:20261102T093000\n"
        "RRULE:FREQ=DAILY;UNTIL=20261231T235959Z\nEXDATE;TZID=Europe/Berlin:20261124T090000"
    )
    moved = (
        "RECURRENCE-ID;TZID=Europe/Berlin:20261125T090000\nDTSTART;TZID=Europe/Berlin:20261125T150000\n"
        "DTEND;TZID=Europe/Berlin:20261125T153000"
    )
    text = ics(weekly, moved).replace(b"UID:1", b"UID:0")
    spans = busy(text, MONDAY, date(2026, 11, 26), BERLIN)
    assert [span.begin for span in spans] == [at(23, 9), at(25, 15), at(26, 9)]


def test_nine_o_clock_stays_nine_o_clock_when_the_clocks_change() -> None:
    event = "DTSTART;TZID=Europe/Berlin:20261019T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY"
    spans = taken(event, first=date(2026, 10, 19), last=date(2026, 10, 27))
    assert [span.begin.hour for span in spans] == [9, 9]
    assert spans[0].begin.utcoffset() != spans[1].begin.utcoffset()


@pytest.mark.parametrize("mark", ["TRANSP:TRANSPARENT", "STATUS:CANCELLED"])
def test_what_is_free_or_cancelled_takes_no_time(mark: str) -> None:
    assert taken(f"DTSTART:20261124T090000Z\nDURATION:PT30M\n{mark}") == ()


def test_overlapping_appointments_are_one_time() -> None:
    one = "DTSTART:20261124T090000Z\nDURATION:PT60M"
    other = "DTSTART:20261124T093000Z\nDURATION:PT60M"
    assert taken(one, other) == (Span(at(24, 10), at(24, 11, 30)),)


def test_an_entry_that_repeats_every_second_is_left_out() -> None:
    assert taken("DTSTART:19900101T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY") == ()


def test_a_broken_entry_costs_only_itself() -> None:
    good = "DTSTART:20261124T090000Z\nDURATION:PT30M"
    assert taken("DTSTART:tomorrow", good) == (Span(at(24, 10), at(24, 10, 30)),)


@pytest.mark.parametrize("data", [b"<html>sign in</html>", b"\xff\xfe\x00", b"BEGIN:VCALENDAR", b""])
def test_what_is_no_calendar_is_one_clear_line(data: bytes) -> None:
    with pytest.raises(PersonaError, match=r"^\[tools\] calendar: .*export"):
        busy(data, MONDAY, SUNDAY, BERLIN)


def test_free_times_are_working_hours_without_what_is_taken() -> None:
    spans = (Span(at(23, 8), at(23, 10)), Span(at(23, 10, 15), at(23, 16)))
    assert free(spans, MONDAY, MONDAY, BERLIN, "09:00-17:00") == (Span(at(23, 16), at(23, 17)),)


def test_weekends_are_not_offered() -> None:
    assert free((), date(2026, 11, 28), SUNDAY, BERLIN, "09:00-17:00") == ()
