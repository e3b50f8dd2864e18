"""The owner's calendar, read from a real file and a real web server, and told without what is in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.tools import diary
from agent.tools.diary import FRESH_S, Diary
from compliance.errors import PersonaError

SUNDAY, MONDAY, TUESDAY = date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 24)
BERLIN = ZoneInfo("Europe/Berlin")
ICS = b"""BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:1\r
DTSTAMP:20261101T000000Z\r\nSUMMARY:Dentist Dr. Loose\r\nLOCATION:Molar Street\r
DTSTART;TZID=Europe/Berlin:20261123T100000\r\nDTEND;TZID=Europe/Berlin:20261123T120000\r
END:VEVENT\r\nEND:VCALENDAR\r\n"""


class Desk:
    """A diary and the hands of its two clocks."""

    def __init__(self, where: str, home: Path, *, days: int = 28) -> None:
        self.now_s = 0.0
        self.time = datetime(2026, 11, 22, 12, tzinfo=BERLIN)
        self.diary = Diary(
            where,
            home,
            zone="Europe/Berlin",
            hours="09:00-17:00",
            days=days,
            now=lambda: self.now_s,
            clock=lambda zone: self.time.astimezone(zone),
        )

    async def told(self, first: date, last: date, *, today: date = SUNDAY) -> str:
        return await self.diary.look_up(first, last, today=today)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "mine.ics").write_bytes(ICS)
    return Desk("mine.ics", tmp_path)


@asynccontextmanager
async def server(*answers: tuple[str, bytes]) -> AsyncIterator[tuple[str, list[str]]]:
    """A web server that gives one answer after the other, and the paths it was asked for."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status, body = answers[min(len(asked), len(answers) - 1)]
        asked.append(head.split()[1])
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode())
        writer.write(body)
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", asked


async def test_free_times_are_told_and_never_what_is_in_an_entry(desk: Desk) -> None:
    told = await desk.told(MONDAY, TUESDAY)
    assert "Monday 2026-11-23 09:00 to 10:00" in told
    assert "Monday 2026-11-23 12:00 to 17:00" in told
    assert "Tuesday 2026-11-24 09:00 to 17:00" in told
    assert not [word for word in ("Dentist", "Loose", "Molar") if word in told]


async def test_what_is_over_today_is_not_offered(desk: Desk) -> None:
    desk.time = datetime(2026, 11, 23, 13, 20, tzinfo=BERLIN)
    told = await desk.told(MONDAY, MONDAY, today=MONDAY)
    assert "13:20 to 17:00" in told
    assert "09:00 to 10:00" not in told
    desk.time = datetime(2026, 11, 23, 16, 45, tzinfo=BERLIN)
    assert "Nothing is free" in await desk.told(MONDAY, MONDAY, today=MONDAY)


async def test_the_past_is_not_looked_into(desk: Desk) -> None:
    told = await desk.told(date(2020, 1, 1), MONDAY)
    assert "2020" not in told
    assert "Monday 2026-11-23" in told
    assert "from today, 2026-11-22" in await desk.told(date(2020, 1, 1), date(2020, 1, 5))


async def test_no_further_ahead_than_the_owner_allows_and_no_more_than_two_weeks_at_once(tmp_path: Path) -> None:
    (tmp_path / "mine.ics").write_bytes(ICS)
    short = Desk("mine.ics", tmp_path, days=3)
    assert "2026-11-26" not in await short.told(MONDAY, date(2026, 12, 31))
    assert "for 3 days" in await short.told(date(2027, 3, 1), date(2027, 3, 7))
    assert "for 3 days" in await short.told(date.max, date.max)
    long = Desk("mine.ics", tmp_path, days=366)
    told = await long.told(MONDAY, date(2027, 3, 1))
    assert "2026-12-04" in told
    assert "2026-12-07" not in told


async def test_the_last_day_before_the_first_is_answered_in_words(desk: Desk) -> None:
    assert "can be looked into" in await desk.told(TUESDAY, MONDAY)


async def test_a_weekend_is_not_free(desk: Desk) -> None:
    told = await desk.told(date(2026, 11, 28), date(2026, 11, 29))
    assert told.startswith("Nothing is free from 2026-11-28")


async def test_the_file_is_read_again_after_some_minutes(desk: Desk, tmp_path: Path) -> None:
    await desk.told(MONDAY, MONDAY)
    (tmp_path / "mine.ics").write_bytes(ICS.replace(b"T100000", b"T110000"))
    assert "09:00 to 10:00" in await desk.told(MONDAY, MONDAY)
    desk.now_s = FRESH_S
    assert "09:00 to 11:00" in await desk.told(MONDAY, MONDAY)


async def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match=r"gone\.ics cannot be read"):
        await Desk("gone.ics", tmp_path).told(MONDAY, MONDAY)


async def test_what_is_no_calendar_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.ics").write_bytes(b"<html>")
    with pytest.raises(PersonaError, match="no iCalendar file"):
        await Desk("mine.ics", tmp_path).told(MONDAY, MONDAY)


async def test_a_calendar_on_a_server_is_fetched_once_in_a_while(tmp_path: Path) -> None:
    async with server(("200 OK", ICS)) as (url, asked):
        desk = Desk(f"{url}/a.ics", tmp_path)
        assert "09:00 to 10:00" in await desk.told(MONDAY, MONDAY)
        await desk.told(TUESDAY, TUESDAY)
        assert asked == ["/a.ics"]
        desk.now_s = FRESH_S
        await desk.told(TUESDAY, TUESDAY)
        assert asked == ["/a.ics"] * 2


async def test_a_server_that_sends_on_is_followed(tmp_path: Path) -> None:
    async with server(("302 Found\r\nlocation: /real.ics", b""), ("200 OK", ICS)) as (url, asked):
        assert "12:00 to 17:00" in await Desk(f"{url}/a.ics", tmp_path).told(MONDAY, MONDAY)
        assert asked == ["/a.ics", "/real.ics"]


@pytest.mark.parametrize("status", ["403 Forbidden", "500 Oops"])
async def test_a_server_that_refuses_is_told_by_its_status(tmp_path: Path, status: str) -> None:
    async with server((status, b"the owner's secret page")) as (url, _):
        with pytest.raises(PersonaError, match=f"HTTP {status[:3]}") as raised:
            await Desk(f"{url}/a.ics", tmp_path).told(MONDAY, MONDAY)
        assert "secret" not in raised.value.message


async def test_a_server_that_is_gone_or_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(("200 OK", ICS)) as (url, _):
        pass
    with pytest.raises(PersonaError, match="does not answer"):
        await Desk(f"{url}/a.ics", tmp_path).told(MONDAY, MONDAY)

    done = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    monkeypatch.setattr(diary, "LIMIT_S", 0.05)
    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(PersonaError, match="does not answer"):
            await Desk(f"http://127.0.0.1:{port}/a.ics", tmp_path).told(MONDAY, MONDAY)
        done.set()
        await asyncio.sleep(0)


async def test_a_shared_webcal_address_is_an_https_one(tmp_path: Path) -> None:
    """Nobody listens there; what counts is that it is asked, and not refused as an unknown kind of address."""
    with pytest.raises(PersonaError, match="does not answer"):
        await Desk("webcal://127.0.0.1:1/a.ics", tmp_path).told(MONDAY, MONDAY)


async def test_a_calendar_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    large = ICS + b" " * (6 * 1024 * 1024)
    (tmp_path / "mine.ics").write_bytes(large)
    with pytest.raises(PersonaError, match="larger than 5 MB"):
        await Desk("mine.ics", tmp_path).told(MONDAY, MONDAY)
