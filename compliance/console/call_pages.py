"""The page of a call: what was said, heard, told and asked, with its proof; and what may be done with it."""

from __future__ import annotations

import asyncio
import json
import zlib
from functools import partial
from typing import Any

from fastapi import APIRouter, HTTPException, Response

from compliance.console import playback
from compliance.console.desk import Desk, Recordings
from compliance.console.lines import Line
from compliance.console.masks import Masks, caller, names
from compliance.console.sheet import Sheet, Sound
from compliance.console.shelf import Shelf
from compliance.console.views import OwnerVisit, PageVisit, Visit
from compliance.entries import Conversation
from compliance.errors import RequestError
from compliance.holds import Hold, held, hold, release
from compliance.sound.playback import WavFile

HERE = "/calls"
UNMASK = "unmask"
UNMASKED_MINUTES = 30
SEEN = "seen"
SEEN_MINUTES = 240
"""Parts of a page (sound, captions, what is new) need a ticket that only the page gives, which the ledger has
noted: nobody listens without having been seen to look. After so long the page is noted anew."""
MAX_REASON = 500


def call_pages(desk: Desk) -> APIRouter:
    """The routes of one call, below the console."""
    routes = APIRouter()
    masks = Masks(desk.redactor, desk.owner_name)
    shelf = Shelf(desk, masks)

    @routes.get("/calls/{call_id}")
    async def call(visit: Visit, call_id: str, part: int = 0) -> Response:
        given = "ticket" in visit.request.query_params
        unmasked = visit.has_ticket(UNMASK, call_id)
        if given and not unmasked:
            return visit.go(f"{HERE}/{call_id}", "Names and numbers are hidden again.", kind="warn")
        conversation = await shelf.conversation(call_id)
        await visit.viewed("call", call_id=call_id, masked=not unmasked)
        shown, hold_ = await asyncio.gather(
            shelf.sheet(conversation, unmasked=unmasked), held(desk.vault, call_id)
        )
        return await visit.page(
            "call.html",
            title="Call",
            here=HERE,
            oob=False,
            # A call has several recordings when recording was stopped and begun again; one is played at a time.
            part=min(max(part, 0), max(0, len(shown.sounds) - 1)),
            **await _values(visit, shelf, conversation, shown, hold_),
        )

    @routes.get("/calls/{call_id}/live")
    async def live(visit: Visit, call_id: str, version: str = "") -> Response:
        if not _was_seen(visit, call_id):
            return Response(headers={"HX-Refresh": "true"})
        conversation = await shelf.conversation(call_id)
        if conversation.call.state != "live":
            return Response(headers={"HX-Refresh": "true"})
        unmasked = visit.has_ticket(UNMASK, call_id)
        shown = await shelf.sheet(conversation, unmasked=unmasked)
        if version == _version(shown):
            return Response(status_code=204)
        return await visit.part(
            "call_live.html", oob=True, **await _values(visit, shelf, conversation, shown, None)
        )

    @routes.post("/calls/{call_id}/unmask")
    async def unmask(visit: OwnerVisit, call_id: str) -> Response:
        reason = visit.form.need("reason", "Say why you need to see what is hidden.", longest=MAX_REASON)
        await shelf.conversation(call_id)
        await visit.noted("unmasked", call_id=call_id, reason=reason)
        ticket = visit.ticket(UNMASK, call_id, minutes=UNMASKED_MINUTES)
        return visit.go(f"{HERE}/{call_id}?ticket={ticket}")

    @routes.get("/calls/{call_id}/sound/{recording_id}")
    async def sound(visit: Visit, call_id: str, recording_id: str) -> Response:
        _need_seen(visit, call_id)
        unmasked = visit.has_ticket(UNMASK, call_id)
        if "ticket" in visit.request.query_params and not unmasked:
            raise HTTPException(403, "Names and numbers are hidden again; open the page anew.")
        shown = await shelf.sheet(await shelf.conversation(call_id), unmasked=unmasked)
        heard = next((sound for sound in shown.sounds if sound.id == recording_id), None)
        if heard is None or desk.recordings is None:
            raise HTTPException(404, "There is nothing to hear.")
        return await _wav(desk.recordings, heard, shown, visit.request.headers.get("range"))

    @routes.get("/calls/{call_id}/captions.vtt")
    async def captions(visit: Visit, call_id: str) -> Response:
        _need_seen(visit, call_id)
        unmasked = visit.has_ticket(UNMASK, call_id)
        shown = await shelf.sheet(await shelf.conversation(call_id), unmasked=unmasked)
        await visit.noted("exported", call_id=call_id, what="captions", masked=not unmasked)
        return visit.download(webvtt(shown).encode(), f"call-{call_id}.vtt", "text/vtt; charset=utf-8")

    @routes.get("/calls/{call_id}/evidence.json")
    async def evidence(visit: OwnerVisit, call_id: str) -> Response:
        if not visit.has_ticket(UNMASK, call_id):
            raise HTTPException(403, "Receipts name the caller: show names and numbers first, with a reason.")
        await visit.noted("exported", call_id=call_id, what="evidence")
        data = json.dumps(await shelf.evidence_package(call_id), indent=2, ensure_ascii=False)
        return visit.download(data.encode(), f"evidence-{call_id}.json", "application/json")

    @routes.post("/calls/{call_id}/hold")
    async def keep(visit: OwnerVisit, call_id: str) -> Response:
        reason = visit.form.need("reason", "Say why the call has to stay.", longest=MAX_REASON)
        await shelf.conversation(call_id)
        await hold(desk.vault, call_id, reason)
        await visit.noted("held", call_id=call_id, reason=reason)
        return visit.go(f"{HERE}/{call_id}", "The call stays until you let it go.")

    @routes.post("/calls/{call_id}/release")
    async def let_go(visit: OwnerVisit, call_id: str) -> Response:
        await shelf.conversation(call_id)
        if await release(desk.vault, call_id):
            await visit.noted("released", call_id=call_id)
        return visit.go(f"{HERE}/{call_id}", "The call follows its dates again.")

    @routes.post("/calls/{call_id}/sound/{recording_id}/delete")
    async def delete_sound(visit: OwnerVisit, call_id: str, recording_id: str) -> Response:
        await shelf.conversation(call_id)
        await _refuse_held(desk, call_id)
        if desk.recordings is None or recording_id not in {kept.id for kept in await shelf.kept(call_id)}:
            raise HTTPException(404, "There is no such recording.")
        await visit.noted("recording_deleted", call_id=call_id, by="the owner")
        if not await desk.recordings.delete(recording_id):
            raise RequestError("The call is held; let it go first.")
        return visit.go(f"{HERE}/{call_id}", "The recording is deleted.")

    @routes.post("/calls/{call_id}/delete")
    async def delete(visit: OwnerVisit, call_id: str) -> Response:
        await shelf.conversation(call_id)
        await _refuse_held(desk, call_id)
        if visit.form.get("sure") != "yes":
            raise RequestError("Tick the box to delete the call.")
        if desk.erase_call is None:
            raise RequestError("Deleting is not possible here: no eraser is at work.")
        await visit.noted("erasure_opened", what="call")
        await desk.erase_call(call_id)
        return visit.go(HERE, "The call is deleted; its evidence stays in the ledger, without what was said.")

    return routes


async def _values(
    visit: PageVisit, shelf: Shelf, conversation: Conversation, shown: Sheet, hold_: Hold | None
) -> dict[str, Any]:
    call = conversation.call
    seen = visit.session.ticket(SEEN, call.id, until_ms=visit.now_ms + SEEN_MINUTES * 60_000)
    ticket = visit.request.query_params.get("ticket", "") if shown.unmasked else ""
    return {
        "sheet": shown,
        "call": call,
        "caller": call.subject or "Unknown caller" if shown.unmasked else caller(call.subject),
        "language": call.language,
        "people": people(conversation, unmasked=shown.unmasked),
        "watermark": await shelf.watermark(call.id),
        "minutes": await shelf.minutes(conversation, unmasked=shown.unmasked),
        "messages": await shelf.messages(conversation, unmasked=shown.unmasked),
        "hold": hold_,
        "hold_reason": await shelf.text(hold_.reason, conversation, unmasked=shown.unmasked) if hold_ else "",
        "query": f"seen={seen}" + (f"&ticket={ticket}" if ticket else ""),
        "version": _version(shown),
        "can_mask": shelf.can_mask,
        "unmasked_minutes": UNMASKED_MINUTES,
    }


def _version(shown: Sheet) -> str:
    """Changes whenever the page of a live call would."""
    ends = [f"{line.sequence}:{line.end_s}:{len(line.pieces)}:{line.cut}" for line in shown.lines[-3:]]
    state = f"{len(shown.lines)} {len(shown.story.during)} {shown.no_words} {ends}"
    return f"{zlib.crc32(state.encode()):08x}"


def _was_seen(visit: PageVisit, call_id: str) -> bool:
    given = visit.request.query_params.get("seen", "")
    return visit.session.is_ticket(given, SEEN, call_id, now_ms=visit.now_ms)


def _need_seen(visit: PageVisit, call_id: str) -> None:
    if not _was_seen(visit, call_id):
        raise HTTPException(403, "Open the page of the call first.")


async def _refuse_held(desk: Desk, call_id: str) -> None:
    if await held(desk.vault, call_id):
        raise RequestError("The call is held; let it go first.")


async def _wav(recordings: Recordings, heard: Sound, shown: Sheet, asked: str | None) -> Response:
    shape = WavFile(heard.rate_hz, 2, heard.frames)
    part = playback.wanted(asked, shape.total_bytes)
    if part is None:
        raise HTTPException(
            416, "There is no such part.", headers={"Content-Range": f"bytes */{shape.total_bytes}"}
        )
    first_frame, frames = shape.frames_of(part.first, part.last)
    pcm = await recordings.read(heard.id, first_frame, frames)
    if shown.audible is not None:
        silence = partial(playback.silenced, first_frame=first_frame, rate_hz=heard.rate_hz, start_s=heard.start_s)
        pcm = await asyncio.to_thread(silence, pcm, audible=shown.audible)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Range": f"bytes {part.first}-{part.last}/{shape.total_bytes}",
        "Cache-Control": "no-store",
    }
    # A request without a range gets the beginning as one too: the browser then asks for what it needs.
    return Response(shape.cut(pcm, part.first, part.last), 206, headers, "audio/wav")


def webvtt(shown: Sheet) -> str:
    """The lines as captions, masked as they are shown."""
    cues = [
        f"{_stamp(line.start_s)} --> {_stamp(max(line.end_s, line.start_s + 0.1))}\n"
        f"<v {_plain(_speaker(line, shown))}>{_plain(line.text)}"
        for line in shown.lines
        if line.text
    ]
    return "\n\n".join(["WEBVTT", *cues]) + "\n"


def people(conversation: Conversation, *, unmasked: bool) -> list[dict[str, Any]]:
    """Who took part in a meeting: how the page names them, and when they came and went, in Unix milliseconds."""
    shown = names(conversation.participants, unmasked=unmasked)
    return [
        {
            "name": shown[person.identity],
            "identity": person.identity if unmasked and person.name else "",
            "joined_ms": person.joined_ms,
            "left_ms": person.left_ms,
        }
        for person in conversation.participants
    ]


def _speaker(line: Line, shown: Sheet) -> str:
    return "AI twin" if line.who == "twin" else shown.names.get(line.speaker, "Caller")


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _stamp(seconds: float) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}.{whole % 1000:03}"
