"""The owner's calendar as the calls of one process share it: read when asked for, and again after some minutes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx

from agent.tools import calendar
from compliance.errors import PersonaError

FRESH_S = 300.0
LIMIT_S = 5.0
WEBCAL = "webcal://"
MOST_DAYS = 14
"""So many days are told at once."""


class Diary:
    """`where` is a file, below `home` unless it is absolute, or an address."""

    def __init__(
        self,
        where: str,
        home: Path,
        *,
        zone: str,
        hours: str,
        days: int,
        now: Callable[[], float] = time.monotonic,
        clock: Callable[[ZoneInfo], datetime] = datetime.now,
    ) -> None:
        """`now` counts seconds, for how old what was read is; `clock` tells the time in a zone."""
        # Calendars are shared as webcal addresses, which are https ones that open another program.
        self._where = f"https://{where.removeprefix(WEBCAL)}" if where.startswith(WEBCAL) else where
        self._home = home
        self._zone = ZoneInfo(zone)
        self._hours = hours
        self._days = days
        self._now = now
        self._clock = clock
        self._data: tuple[float, bytes] | None = None

    async def look_up(self, first: date, last: date, *, today: date) -> str:
        """Which working hours are free, in words for a model. Raises `PersonaError` in one line."""
        first, horizon = max(first, today), today + timedelta(days=self._days)
        last = min(last, horizon)
        if last < first:
            return f"The calendar can be looked into from today, {today}, for {self._days} days."
        last = min(last, first + timedelta(days=MOST_DAYS - 1))
        data = await self._read()
        taken = await asyncio.to_thread(calendar.busy, data, first, last, self._zone)
        now = self._clock(self._zone)
        if now.date() >= first:
            # What is over can be offered to nobody.
            taken = (calendar.Span(datetime.combine(first, datetime.min.time(), self._zone), now), *taken)
        spans = calendar.free(taken, first, last, self._zone, self._hours)
        if not spans:
            return f"Nothing is free from {first} to {last} within the working hours {self._hours}."
        lines = [f"{span.begin:%A %Y-%m-%d %H:%M} to {_clock(span.end)}" for span in spans]
        return "Free, in the owner's time zone (nothing is booked by asking): " + "; ".join(lines)

    async def count(self) -> int:
        """How many entries there are, repeated ones once. Raises `PersonaError` in one line."""
        return len(await asyncio.to_thread(calendar.entries, await self._read()))

    async def _read(self) -> bytes:
        if self._data is not None and self._now() - self._data[0] < FRESH_S:
            return self._data[1]
        data = await self._fetch() if "://" in self._where else await asyncio.to_thread(self._open)
        self._data = self._now(), data
        return data

    def _open(self) -> bytes:
        path = self._home / self._where
        try:
            with path.open("rb") as file:
                return file.read(calendar.LIMIT_BYTES + 1)
        except OSError as error:
            raise PersonaError(f"[tools] calendar: {path.name} cannot be read ({error.strerror})") from None

    async def _fetch(self) -> bytes:
        data = b""
        try:
            async with (
                asyncio.timeout(LIMIT_S),
                httpx.AsyncClient(timeout=LIMIT_S, follow_redirects=True) as client,
                client.stream("GET", self._where) as response,
            ):
                if not response.is_success:
                    raise PersonaError(f"[tools] calendar: its server answered HTTP {response.status_code}")
                async for piece in response.aiter_bytes():
                    data += piece
                    if len(data) > calendar.LIMIT_BYTES:
                        break
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL):
            raise PersonaError("[tools] calendar: its server does not answer") from None
        return data


def _clock(at: datetime) -> str:
    return f"{at:%H:%M}"
