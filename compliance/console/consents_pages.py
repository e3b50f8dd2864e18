"""Every answer to a question of consent, with its signed receipt."""

from __future__ import annotations

import json

from fastapi import APIRouter, HTTPException, Response

from compliance.console import consents
from compliance.console.desk import Desk
from compliance.console.views import OwnerVisit, Visit
from compliance.proofs.receipt import verify_receipt

HERE = "/consents"
UNMASK = "unmask-consent"
UNMASKED_MINUTES = 30
MAX_REASON = 500
PURPOSES = ("recording", "transcription", "memory", "voice_clone", "face_clone")
STATUSES = ("granted", "denied", "revoked", "expired")


def consents_pages(desk: Desk) -> APIRouter:
    """The routes of consents, below the console."""
    routes = APIRouter()

    @routes.get("/consents")
    async def listed(visit: Visit, purpose: str = "", status: str = "", before: str = "") -> Response:
        purpose = purpose if purpose in PURPOSES else ""
        status = status if status in STATUSES else ""
        size = desk.settings.page_size
        found = await consents.newest(
            desk.vault, limit=size + 1, before=before[:128], purpose=purpose, status=status
        )
        await visit.viewed("consents")
        return await visit.page(
            "consents.html",
            title="Consents",
            here=HERE,
            answers=found[:size],
            more=found[size - 1].id if len(found) > size else "",
            purposes=PURPOSES,
            statuses=STATUSES,
            purpose=purpose,
            answered=status,
            before=before,
        )

    @routes.get("/consents/{consent_id}")
    async def one(visit: Visit, consent_id: str) -> Response:
        answer = await _answer(desk, consent_id)
        # The receipt names the caller; what the row says does not.
        unmasked = visit.has_ticket(UNMASK, answer.id)
        await visit.viewed("consent", call_id=answer.call_id, masked=not unmasked)
        report = verify_receipt(answer.receipt, desk.public_key) if answer.receipt and desk.public_key else None
        return await visit.page(
            "consent.html",
            title="Consent",
            here=HERE,
            answer=answer,
            report=report,
            has_key=bool(desk.public_key),
            receipt=json.dumps(report.content, indent=2, ensure_ascii=False)
            if unmasked and report and report.content
            else "",
            unmasked=unmasked,
            ticket=visit.request.query_params.get("ticket", "") if unmasked else "",
            minutes=UNMASKED_MINUTES,
        )

    @routes.post("/consents/{consent_id}/unmask")
    async def unmask(visit: OwnerVisit, consent_id: str) -> Response:
        reason = visit.form.need("reason", "Say why you need the receipt.", longest=MAX_REASON)
        answer = await _answer(desk, consent_id)
        await visit.noted("unmasked", call_id=answer.call_id, what="consent", reason=reason)
        ticket = visit.ticket(UNMASK, answer.id, minutes=UNMASKED_MINUTES)
        return visit.go(f"{HERE}/{answer.id}?ticket={ticket}")

    @routes.get("/consents/{consent_id}/receipt.json")
    async def receipt(visit: OwnerVisit, consent_id: str) -> Response:
        answer = await _answer(desk, consent_id)
        if not visit.has_ticket(UNMASK, answer.id):
            raise HTTPException(403, "The receipt names the caller: say first why you need it.")
        if not answer.receipt:
            raise HTTPException(404, "There is no receipt any more.")
        await visit.noted("exported", call_id=answer.call_id, what="receipt")
        return visit.download(answer.receipt.encode(), f"consent-{answer.id}.json", "application/json")

    @routes.get("/public-key.pem")
    async def public_key(visit: Visit) -> Response:
        if not desk.public_key:
            raise HTTPException(404, "There is no key yet.")
        return visit.download(desk.public_key.encode(), "twin-public-key.pem", "application/x-pem-file")

    return routes


async def _answer(desk: Desk, consent_id: str) -> consents.Consent:
    answer = await consents.one(desk.vault, consent_id)
    if answer is None:
        raise HTTPException(404, "There is no such consent.")
    return answer
