"""The first page: is all well, what waits for a decision, who is talking to the twin now. No personal data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import ColumnElement, Table, func, select

from compliance.console.desk import Desk
from compliance.console.views import PageVisit, Visit
from compliance.store.schema import calls, consents, messages, recordings, requests
from compliance.store.transaction import Transaction

_DAY_MS = 86_400_000
_SOON_MS = 7 * _DAY_MS
_MOST_LIVE = 20


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call that goes on now."""

    id: str
    channel: str
    language: str
    started_ms: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """The store in a few numbers."""

    live: tuple[LiveCall, ...]
    calls_today: int
    recordings_kept: int
    messages_week: int
    consents_kept: int
    requests_open: int
    requests_overdue: int
    next_due_ms: int | None
    """When the next open request must be answered."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the health list."""

    part: str
    why: str
    """Why it is not well; empty when it is."""


def count(transaction: Transaction) -> Numbers:
    """Count what is kept, from columns in the clear."""
    connection, now_ms = transaction.connection, transaction.now_ms
    live = (
        select(calls.c.id, calls.c.channel, calls.c.language, calls.c.started_ms)
        .where(calls.c.state == "live")
        .order_by(calls.c.started_ms.desc(), calls.c.id)
        .limit(_MOST_LIVE)
    )

    def number(table: Table, *where: ColumnElement[bool]) -> int:
        return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())

    is_open = requests.c.closed_ms.is_(None)
    return Numbers(
        live=tuple(LiveCall(*row) for row in connection.execute(live)),
        calls_today=number(calls, calls.c.started_ms > now_ms - _DAY_MS),
        recordings_kept=number(recordings),
        messages_week=number(messages, messages.c.at_ms > now_ms - 7 * _DAY_MS),
        consents_kept=number(consents),
        requests_open=number(requests, is_open),
        requests_overdue=number(requests, is_open, requests.c.due_ms <= now_ms),
        next_due_ms=connection.execute(select(func.min(requests.c.due_ms)).where(is_open)).scalar(),
    )


def checks(desk: Desk) -> tuple[Check, ...]:
    """What every part says of itself, the store first."""
    parts = {"Store": desk.vault.health, **desk.health}
    return tuple(Check(part, ask() or "") for part, ask in parts.items())


def router(desk: Desk) -> APIRouter:
    """The routes of the home page."""
    routes = APIRouter()

    async def values(visit: PageVisit) -> dict[str, Any]:
        numbers = await desk.vault.run(count)
        soon = numbers.next_due_ms is not None and numbers.next_due_ms < visit.now_ms + _SOON_MS
        return {"numbers": numbers, "checks": checks(desk), "soon": soon, "now_ms": visit.now_ms}

    @routes.get("/")
    async def home(visit: Visit) -> Response:
        return await visit.page("home.html", title="Home", here="/", **await values(visit))

    @routes.get("/now")
    async def now(visit: Visit) -> Response:
        """The part of the home page that keeps itself up to date."""
        return await visit.part("home-now.html", **await values(visit))

    return routes
