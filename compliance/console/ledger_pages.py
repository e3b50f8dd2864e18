"""The ledger: whether it is whole, what it holds, and the proof of each leaf."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from fastapi import APIRouter, HTTPException, Response

from compliance.console.desk import Desk
from compliance.console.story import title, tone
from compliance.console.views import Visit
from compliance.errors import RequestError

HERE = "/ledger"
_LEAF_LENGTH = 64
KINDS = (
    "viewed", "unmasked", "exported", "disclosure_played", "redisclosed", "human_asked", "consent_asked",
    "consent_given", "consent_refused", "consent_withdrawn", "recording_started", "recording_stopped",
    "recording_deleted", "request_opened", "request_verified", "request_approved", "request_rejected",
    "erasure_opened", "erased", "accessed", "swept", "held", "released", "clone_consented", "clone_revoked",
    "words_kept_not", "request_extended", "watermarked",
    "signed_in", "sign_in_failed", "settings_changed",
)  # fmt: skip


def ledger_pages(desk: Desk) -> APIRouter:
    """The routes of the ledger, below the console."""
    routes = APIRouter()
    one_at_a_time = asyncio.Lock()

    @routes.get("/ledger")
    async def ledger(visit: Visit, kind: str = "", before: str = "") -> Response:
        kind = kind if kind in KINDS else ""
        size = desk.settings.page_size
        entries = await desk.evidence.recent(size + 1, before=before[:_LEAF_LENGTH] or None, kind=kind or None)
        return await visit.page(
            "ledger.html",
            title="Ledger",
            here=HERE,
            entries=[(entry, title(entry.kind), tone(entry.kind)) for entry in entries[:size]],
            more=entries[size - 1].leaf if len(entries) > size else "",
            before=before,
            kinds=sorted((title(name), name) for name in KINDS),
            kind=kind,
            can_verify=desk.verify_ledger is not None,
            health={name: check() for name, check in desk.health.items() if name.lower() == "ledger"},
        )

    @routes.post("/ledger/verify")
    async def verify(visit: Visit) -> Response:
        if desk.verify_ledger is None:
            raise RequestError("The ledger cannot be checked from here; run `twin ledger verify`.")
        if one_at_a_time.locked():
            raise RequestError("The ledger is being checked already; wait for the result.")
        async with one_at_a_time:
            report = await desk.verify_ledger()
        values: dict[str, Any] = {"report": report, "at_ms": visit.now_ms}
        if visit.wants_part:
            return await visit.part("ledger_report.html", **values)
        return await visit.page("ledger_checked.html", title="Ledger checked", here=HERE, **values)

    @routes.get("/ledger/leaf/{leaf}")
    async def one(visit: Visit, leaf: str) -> Response:
        proof = await _proof(desk, leaf)
        readable = json.dumps(proof, indent=2) if proof else ""
        return await visit.page(
            "leaf.html", title="A leaf of the ledger", here=HERE, leaf=leaf, proof=proof, readable=readable
        )

    @routes.get("/ledger/leaf/{leaf}/proof.json")
    async def download(visit: Visit, leaf: str) -> Response:
        proof = await _proof(desk, leaf)
        if proof is None:
            raise HTTPException(404, "There is no proof of that leaf.")
        return visit.download(json.dumps(proof, indent=2).encode(), f"proof-{leaf[:16]}.json", "application/json")

    return routes


async def _proof(desk: Desk, leaf: str) -> dict[str, object] | None:
    if len(leaf) != _LEAF_LENGTH or not leaf.isalnum():
        raise HTTPException(404, "There is no such leaf.")
    if desk.prove_leaf is None:
        return None
    return dict(await desk.prove_leaf(leaf))
