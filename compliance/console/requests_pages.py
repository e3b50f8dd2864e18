"""What people ask about their data: how long there is, who asks, what would go, yes or no, and the receipt."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Response

from compliance.console.desk import Desk
from compliance.console.inventory import count
from compliance.console.masks import Masks, caller
from compliance.console.views import OwnerVisit, PageVisit, Visit
from compliance.errors import RequestError
from compliance.requests import Request, Requests

HERE = "/requests"
UNMASK = "unmask-request"
UNMASKED_MINUTES = 30
MAX_REASON = 500
MOST = 200
SOON_DAYS = 7
LAST_DIGITS = 2
STATES = ("open", "verified", "approved", "running", "done", "incomplete", "rejected", "void")
Urgency = Literal["late", "soon", "fine", "closed"]


@dataclass(frozen=True, slots=True)
class Row:
    """One request in the list."""

    request: Request
    who: str
    urgency: Urgency
    days: int
    """Left until it is due, or over it."""


def urgency(request: Request, now_ms: int) -> Urgency:
    """How pressing a request is."""
    if request.closed:
        return "closed"
    left = request.days_left(now_ms)
    return "late" if left < 0 else "soon" if left < SOON_DAYS else "fine"


def rows(listed: tuple[Request, ...], *, now_ms: int, owner: bool) -> list[Row]:
    """The open ones first, the most urgent at the top; then the closed ones, the newest first."""
    shown = [
        Row(
            request=request,
            who=caller(request.subject, digits=LAST_DIGITS if owner else 0),
            urgency=urgency(request, now_ms),
            days=abs(int(request.days_left(now_ms))),
        )
        for request in listed
    ]
    return sorted(shown, key=_order)


def _order(row: Row) -> tuple[bool, int]:
    request = row.request
    return request.closed, -(request.closed_ms or 0) if request.closed else request.due_ms


def requests_pages(desk: Desk) -> APIRouter:
    """The routes of requests, below the console."""
    routes = APIRouter()
    masks = Masks(desk.redactor, desk.owner_name)

    def taken() -> Requests:
        if not isinstance(desk.requests, Requests):
            raise HTTPException(404, "No requests are taken here.")
        return desk.requests

    async def found(number: str) -> Request:
        try:
            return await taken().get(number)
        except RequestError as error:
            raise HTTPException(404, "There is no such request.") from error

    @routes.get("/requests")
    async def listed(visit: Visit, state: str = "") -> Response:
        wanted: Any = state if state in STATES else None
        shown = rows(await taken().list(state=wanted, limit=MOST), now_ms=visit.now_ms, owner=visit.is_owner)
        await visit.viewed("requests")
        return await visit.page(
            "requests.html", title="Requests", here=HERE, rows=shown, states=STATES, state=state if wanted else ""
        )

    @routes.get("/requests/{number}")
    async def one(visit: Visit, number: str) -> Response:
        request = await found(number)
        unmasked = visit.has_ticket(UNMASK, request.number)
        if "ticket" in visit.request.query_params and not unmasked:
            return visit.go(f"{HERE}/{request.number}", "Names and numbers are hidden again.", kind="warn")
        await visit.viewed("request", request=request.number, masked=not unmasked)
        return await visit.page(
            "request.html", title="Request", here=HERE, **await values(visit, request, unmasked)
        )

    async def values(visit: PageVisit, request: Request, unmasked: bool) -> dict[str, Any]:
        known = (request.subject,) if request.subject else ()
        texts = [request.said, request.reason]
        if not unmasked:
            texts = [await masks.text(text, known=known) if text else "" for text in texts]
        kept = None
        if (request.subject or request.call_id) and not request.closed:
            kept = await desk.vault.run(lambda tx: count(tx, request.subject, request.call_id))
        return {
            "request": request,
            "who": (request.subject or "Unknown") if unmasked else caller(request.subject, digits=LAST_DIGITS),
            "unmasked": unmasked,
            "said": texts[0],
            "reason": texts[1],
            "kept": kept,
            "urgency": urgency(request, visit.now_ms),
            "days": abs(int(request.days_left(visit.now_ms))),
            "receipt": _receipt(request),
            "can_carry_out": desk.carry_out is not None,
            "minutes": UNMASKED_MINUTES,
        }

    @routes.post("/requests/{number}/unmask")
    async def unmask(visit: OwnerVisit, number: str) -> Response:
        request = await found(number)
        reason = visit.form.need("reason", "Say why you need to see what is hidden.", longest=MAX_REASON)
        await visit.noted("unmasked", call_id=request.call_id, request=request.number, reason=reason)
        ticket = visit.ticket(UNMASK, request.number, minutes=UNMASKED_MINUTES)
        return visit.go(f"{HERE}/{request.number}?ticket={ticket}")

    @routes.post("/requests/{number}/approve")
    async def approve(visit: OwnerVisit, number: str) -> Response:
        request = await found(number)
        if visit.form.get("sure") != "yes":
            raise RequestError("Tick the box to say that you have checked who asks.")
        reason = visit.form.get("reason", "").strip()[:MAX_REASON]
        await taken().approve(request.number, by=visit.session.name, reason=reason)
        return await _carry_out(visit, desk, request)

    @routes.post("/requests/{number}/run")
    async def run(visit: OwnerVisit, number: str) -> Response:
        """Begin again what broke off, or what some store could not do."""
        request = await found(number)
        if request.state not in ("approved", "incomplete", "running"):
            raise RequestError(f"{request.number} is {request.state}; it has to be approved first.")
        return await _carry_out(visit, desk, request)

    @routes.post("/requests/{number}/reject")
    async def reject(visit: OwnerVisit, number: str) -> Response:
        request = await found(number)
        reason = visit.form.need(
            "reason", "A rejection needs a reason, which the person is told.", longest=MAX_REASON
        )
        await taken().reject(request.number, by=visit.session.name, reason=reason)
        return visit.go(f"{HERE}/{request.number}", f"{request.number} is rejected.")

    @routes.post("/requests/{number}/extend")
    async def extend(visit: OwnerVisit, number: str) -> Response:
        request = await found(number)
        reason = visit.form.need(
            "reason", "An extension needs a reason, which the person is told.", longest=MAX_REASON
        )
        await taken().extend(request.number, by=visit.session.name, reason=reason)
        return visit.go(f"{HERE}/{request.number}", f"{request.number} has its longer time now.")

    @routes.get("/requests/{number}/receipt.json")
    async def receipt(visit: Visit, number: str) -> Response:
        request = await found(number)
        if not request.receipt:
            raise HTTPException(404, "There is no receipt yet.")
        return visit.download(request.receipt.encode(), f"receipt-{request.number}.json", "application/json")

    @routes.get("/requests/{number}/package.zip")
    async def package(visit: OwnerVisit, number: str) -> Response:
        request = await found(number)
        if request.kind != "access" or request.state not in ("done", "running", "incomplete"):
            raise HTTPException(404, "There is no package.")
        if desk.access_package is None:
            raise RequestError("Packages are not made here; use `twin access`.")
        data = await desk.access_package(request.number)
        await visit.noted("accessed", call_id=request.call_id, request=request.number)
        return visit.download(data, f"access-{request.number}.zip", "application/zip")

    return routes


async def _carry_out(visit: PageVisit, desk: Desk, request: Request) -> Response:
    where = f"{HERE}/{request.number}"
    if desk.carry_out is None:
        return visit.go(where, f"{request.number} is approved. Carry it out with the command line.", kind="warn")
    await desk.carry_out(request.number)
    return visit.go(where, f"{request.number} is being carried out.")


def _receipt(request: Request) -> dict[str, Any] | None:
    """The receipt as text, and the results by store."""
    if not request.receipt:
        return None
    value = json.loads(request.receipt)
    if not isinstance(value, dict):
        return None
    body = value.get("receipt")
    # What was signed stands in the receipt as text, so that its bytes are not lost in writing it anew.
    inner = json.loads(body) if isinstance(body, str) else value
    stores = inner.get("stores") if isinstance(inner, dict) else None
    return {
        "value": value,
        "stores": stores if isinstance(stores, list) else [],
        "text": json.dumps(inner, indent=2),
    }
