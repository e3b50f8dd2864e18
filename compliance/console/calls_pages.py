"""The list of calls: those on the line now, the rest by filters, and what was said in them by its words."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Response
from sqlalchemy import func, select

from compliance.console.consents import GIVEN
from compliance.console.desk import Desk
from compliance.console.finds import Find, find
from compliance.console.masks import Masks, caller, of_people, with_masks
from compliance.console.views import PageVisit, Visit
from compliance.console.wanted import CHANNELS, LANGUAGES, Wanted
from compliance.entries import CallEntry, CallState, Conversation
from compliance.errors import RequestError, VaultError
from compliance.store.schema import consents, holds, messages, recordings
from compliance.store.transaction import Transaction
from compliance.vault import Vault

HERE = "/calls"
MOST_LIVE = 50
LIVE_TICKET = "live-calls"
LIVE_MINUTES = 240
LAST_DIGITS = 2
"""Of a caller's number that an owner sees in the list, to tell two callers apart."""


@dataclass(frozen=True, slots=True)
class Row:
    """One call in the list."""

    call: CallEntry
    caller: str
    recorded: bool
    held: bool
    messages: int
    refused: bool
    """Whether somebody said no, or took a consent back."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage of a call."""

    row: Row
    sequence: int
    who: Literal["caller", "twin"]
    at_ms: int
    passage: Find


def calls_pages(desk: Desk) -> APIRouter:
    """The routes of the list, below the console. They come before those of one call."""
    routes = APIRouter()
    masks = Masks(desk.redactor, desk.owner_name)

    @routes.get("/calls")
    async def calls(visit: Visit) -> Response:
        wanted = Wanted.of(visit.request.query_params, owner=visit.is_owner)
        values: dict[str, Any] = {
            "wanted": wanted,
            "channels": CHANNELS,
            "languages": LANGUAGES,
            "can_search": desk.search is not None,
            "found": [],
            "unseen": 0,
            "rows": [],
            "more": "",
        }
        if wanted.q and desk.search:
            found, unseen = await _search(desk, masks, wanted.q, owner=visit.is_owner)
            values |= {"found": found, "unseen": unseen if visit.is_owner else 0}
        else:
            rows, more = await _list(desk, wanted, owner=visit.is_owner)
            values |= {"rows": rows, "more": more}
        live = await _live(desk, owner=visit.is_owner)
        by = {"operator": visit.session.name, "role": visit.session.role}
        for call_id in dict.fromkeys(found.row.call.id for found in values["found"]):
            desk.evidence.note("viewed", call_id=call_id, detail={"what": "passage", **by})
        # Noted after those, and awaited: then they are in the ledger too.
        await visit.viewed("calls", searched=bool(wanted.q), one_caller=bool(wanted.who))
        return await visit.page("calls.html", title="Calls", here=HERE, **values, **_live_values(visit, live))

    @routes.get("/calls/live")
    async def live(visit: Visit, version: str = "", seen: str = "") -> Response:
        if not visit.session.is_ticket(seen, LIVE_TICKET, "", now_ms=visit.now_ms):
            return Response(headers={"HX-Refresh": "true"})
        listed = await _live(desk, owner=visit.is_owner)
        values = _live_values(visit, listed)
        if version == values["live_version"]:
            return Response(status_code=204)
        response = await visit.part("calls_live.html", **values)
        response.headers["HX-Trigger"] = "calls-changed"
        return response

    return routes


async def _live(desk: Desk, *, owner: bool) -> list[Row]:
    return await _rows(desk.vault, await desk.vault.calls(state="live", limit=MOST_LIVE), owner=owner)


def _live_values(visit: PageVisit, listed: Sequence[Row]) -> dict[str, Any]:
    state = " ".join(f"{row.call.id}{row.recorded}{row.messages}{row.refused}" for row in listed)
    return {
        "live": listed,
        "live_version": f"{zlib.crc32(state.encode()):08x}",
        "live_seen": visit.session.ticket(LIVE_TICKET, "", until_ms=visit.now_ms + LIVE_MINUTES * 60_000),
    }


async def _list(desk: Desk, wanted: Wanted, *, owner: bool) -> tuple[list[Row], str]:
    size = desk.settings.page_size
    state: CallState = "ended"
    try:
        listed = await desk.vault.calls(
            limit=size + 1,
            before=wanted.before or None,
            channel=wanted.channel or None,
            state=state,
            since_ms=wanted.since_ms,
            until_ms=wanted.until_ms,
            subject=wanted.who or None,
            has_recording={"yes": True, "no": False}.get(wanted.sound),
            language=wanted.language or None,
        )
    except VaultError as error:
        # A call to list older ones than that is no longer there, or who is asked for is nobody's name.
        raise RequestError(error.message) from error
    more = wanted.older_than(listed[size - 1].id) if len(listed) > size else ""
    return await _rows(desk.vault, listed[:size], owner=owner), more


async def _search(desk: Desk, masks: Masks, words: str, *, owner: bool) -> tuple[list[Found], int]:
    """The passages that may be shown, and how many are in what is hidden."""
    assert desk.search is not None
    hits = await desk.search.find(words, limit=desk.settings.page_size * 2)
    calls: dict[str, Conversation] = {}
    for call_id in dict.fromkeys(hit.call_id for hit in hits):
        conversation = await desk.vault.call(call_id)
        if conversation:
            calls[call_id] = conversation
    rows = {
        row.call.id: row for row in await _rows(desk.vault, [found.call for found in calls.values()], owner=owner)
    }
    masked: dict[str, dict[int, str]] = {}
    for call_id, conversation in calls.items():
        subject = conversation.call.subject
        known = (*((subject,) if subject else ()), *of_people(conversation.participants))
        # The whole call is masked, not the passage: half a number at its edge would not be known as one.
        hidden = await masks.of_turns(conversation.turns, language=conversation.call.language, known=known)
        masked[call_id] = {
            turn.sequence: with_masks(turn.text, hidden[turn.sequence]) for turn in conversation.turns
        }
    found: list[Found] = []
    unseen = 0
    for hit in hits:
        text = masked.get(hit.call_id, {}).get(hit.sequence)
        if text is None:
            continue
        passage = find(text, words)
        if passage is None:
            unseen += 1
        else:
            who = next(turn.who for turn in calls[hit.call_id].turns if turn.sequence == hit.sequence)
            found.append(Found(rows[hit.call_id], hit.sequence, who, hit.at_ms, passage))
    return found[: desk.settings.page_size], unseen


def _callers(people: int) -> str:
    """Of a meeting only how many took part; nothing for a call."""
    return f"{people} {'person' if people == 1 else 'people'}" if people else ""


async def _rows(vault: Vault, listed: Sequence[CallEntry], *, owner: bool) -> list[Row]:
    ids = [call.id for call in listed]

    def marks(transaction: Transaction) -> tuple[set[str], set[str], dict[str, int], set[str]]:
        connection = transaction.connection
        recorded = select(recordings.c.call_id).where(recordings.c.call_id.in_(ids), recordings.c.frames > 0)
        held = select(holds.c.call_id).where(holds.c.call_id.in_(ids))
        left = select(messages.c.call_id, func.count()).where(messages.c.call_id.in_(ids))
        refused = select(consents.c.call_id).where(consents.c.call_id.in_(ids), consents.c.status != GIVEN)
        return (
            set(connection.execute(recorded).scalars()),
            set(connection.execute(held).scalars()),
            {row[0]: row[1] for row in connection.execute(left.group_by(messages.c.call_id))},
            set(connection.execute(refused).scalars()),
        )

    if not ids:
        return []
    recorded, held, left, refused = await vault.run(marks)
    return [
        Row(
            call=call,
            caller=_callers(len(call.people)) or caller(call.subject, digits=LAST_DIGITS if owner else 0),
            recorded=call.id in recorded,
            held=call.id in held,
            messages=left.get(call.id, 0),
            refused=call.id in refused,
        )
        for call in listed
    ]
