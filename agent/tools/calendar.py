"""The owner's calendar: which times are taken and which are free. What is in an entry is never read out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from typing import Any
from zoneinfo import ZoneInfo

from compliance.errors import PersonaError

LIMIT_BYTES = 5 * 1024 * 1024
MOST_TIMES = 10_000
"""Of one repeated entry, and of all together: a calendar may repeat every second for ever."""
SHORTEST = timedelta(minutes=30)
"""A free time that is worth offering."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From a time on, up to another; both with their zone."""

    begin: datetime
    end: datetime


def busy(ics: bytes, first: date, last: date, zone: ZoneInfo) -> tuple[Span, ...]:
    """The times that are taken from `first` to `last`, in order and without overlaps.

    Entries marked free or cancelled take no time; repeated ones are counted out, with their exceptions
    (RFC 5545: RRULE, RDATE, EXDATE, RECURRENCE-ID). Raises `PersonaError` for what is no calendar.
    """
    events = entries(ics)
    window = Span(datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone))
    moved = {(str(e.get("UID")), _moment(e["RECURRENCE-ID"].dt, zone)) for e in events if _moves(e)}
    spans: list[Span] = []
    for event in events:
        if str(event.get("TRANSP", "")).upper() == "TRANSPARENT" or "DTSTART" not in event:
            continue
        cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
        for span in _readable(event, window, zone):
            replaced = not _moves(event) and (str(event.get("UID")), span.begin) in moved
            if not cancelled and not replaced and span.end > window.begin and span.begin < window.end:
                spans.append(Span(max(span.begin, window.begin), min(span.end, window.end)))
        if len(spans) > MOST_TIMES:
            raise PersonaError("[tools] calendar: too many entries; export fewer years")
    return tuple(_joined(spans))


def entries(ics: bytes) -> list[Any]:
    """Its entries, repeated ones once. Raises `PersonaError` for what is no calendar."""
    from icalendar import Calendar

    if len(ics) > LIMIT_BYTES:
        raise PersonaError(f"[tools] calendar: larger than {LIMIT_BYTES // 2**20} MB; export fewer years")
    try:
        calendars = Calendar.from_ical(ics, multiple=True)
    except ValueError:
        raise PersonaError("[tools] calendar: is no iCalendar file; export it again as .ics") from None
    if not calendars:
        raise PersonaError("[tools] calendar: is no iCalendar file; export it again as .ics")
    return [event for calendar in calendars for event in calendar.walk("VEVENT")]


def free(taken: Sequence[Span], first: date, last: date, zone: ZoneInfo, hours: str) -> tuple[Span, ...]:
    """What is left of the working hours ("09:00-17:00") of weekdays, in pieces of half an hour and more."""
    begin, end = (time.fromisoformat("23:59" if at == "24:00" else at) for at in hours.split("-"))
    found = []
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        if day.weekday() >= 5:
            continue
        at, until = datetime.combine(day, begin, zone), datetime.combine(day, end, zone)
        for span in taken:
            if span.end <= at or span.begin >= until:
                continue
            if span.begin - at >= SHORTEST:
                found.append(Span(at, span.begin))
            at = max(at, span.end)
        if until - at >= SHORTEST:
            found.append(Span(at, until))
    return tuple(found)


def _moves(event: Any) -> bool:
    return "RECURRENCE-ID" in event


def _moment(value: date | datetime, zone: ZoneInfo) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(zone) if value.tzinfo else value.replace(tzinfo=zone)
    return datetime.combine(value, time(), zone)


def _readable(event: Any, window: Span, zone: ZoneInfo) -> list[Span]:
    """The times of an entry; none of one that the library calls broken, which says so by what it lacks."""
    try:
        return list(_times(event, window, zone))
    except (AttributeError, TypeError, ValueError, OverflowError):
        return []


def _times(event: Any, window: Span, zone: ZoneInfo) -> Iterator[Span]:
    from dateutil.rrule import rrulestr

    begin = _moment(event["DTSTART"].dt, zone)
    length = _length(event, begin, zone)
    if "RRULE" not in event or _moves(event):
        yield Span(begin, begin + length)
        begins: Iterable[datetime] = ()
    else:
        # The wall clock repeats, not the instant: a meeting at nine stays at nine when the clocks change.
        rules = event["RRULE"] if isinstance(event["RRULE"], list) else [event["RRULE"]]
        text = _without_zone(rules[0].to_ical().decode(), zone)
        if any(f"FREQ={often}" in text for often in ("SECONDLY", "MINUTELY")):
            # No appointment; counting it out from years ago would take for ever.
            return
        try:
            rule = rrulestr(text, dtstart=begin.replace(tzinfo=None))
        except ValueError:
            yield Span(begin, begin + length)
            return
        left_out = {_moment(value.dt, zone) for value in _dates(event, "EXDATE")}
        wall = rule.xafter((window.begin - length).replace(tzinfo=None), inc=True)
        until = window.end.replace(tzinfo=None)
        begins = (
            at
            for wall_at in takewhile(lambda wall_at: wall_at < until, islice(wall, MOST_TIMES))
            if (at := wall_at.replace(tzinfo=zone)) not in left_out
        )
    for at in begins:
        yield Span(at, at + length)
    for value in _dates(event, "RDATE"):
        at = _moment(value.dt[0] if isinstance(value.dt, tuple) else value.dt, zone)
        yield Span(at, at + length)


def _length(event: Any, begin: datetime, zone: ZoneInfo) -> timedelta:
    if "DTEND" in event:
        return max(_moment(event["DTEND"].dt, zone) - begin, timedelta())
    if "DURATION" in event:
        duration: timedelta = event["DURATION"].dt
        return max(duration, timedelta())
    all_day = not isinstance(event["DTSTART"].dt, datetime)
    return timedelta(days=1) if all_day else timedelta()


def _without_zone(rule: str, zone: ZoneInfo) -> str:
    """UNTIL is in UTC where the beginning has a zone; the wall clock has none."""
    parts = []
    for part in rule.split(";"):
        key, _, value = part.partition("=")
        if key == "UNTIL" and value.endswith("Z"):
            at = datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(zone)
            value = at.strftime("%Y%m%dT%H%M%S")
        parts.append(f"{key}={value}")
    return ";".join(parts)


def _dates(event: Any, name: str) -> Iterator[Any]:
    lists = event.get(name, ())
    for listed in lists if isinstance(lists, list) else [lists] if lists else ():
        yield from listed.dts


def _joined(spans: list[Span]) -> Iterator[Span]:
    current: Span | None = None
    for span in sorted(spans):
        if current is not None and span.begin <= current.end:
            current = Span(current.begin, max(current.end, span.end))
        else:
            if current is not None:
                yield current
            current = span
    if current is not None:
        yield current
