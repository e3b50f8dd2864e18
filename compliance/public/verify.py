"""`/verify`: was this made by the twin? For sound and video files, and for receipts and proofs of ours."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from compliance.console.limits import Limiter
from compliance.errors import ProvenanceError
from compliance.public.counter import Counter, too_many, wants_json
from compliance.public.front import Verdict
from compliance.public.papers import Paper, judge
from compliance.public.upload import uploaded

ARRIVING = 20
"""Files that arrive together. Who sends slowly takes one of these places, and no other."""
AT_ONCE = 2
"""Files looked at together; reading one takes a processor, which calls need more."""
WAIT_S = 10.0
JUDGE_S = 30.0
_HEAD_BYTES = 16


def verify_pages(counter: Counter) -> APIRouter:
    """The routes of `/verify`."""
    return _Verify(counter).routes()


class _Verify:
    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._front = counter.front
        self._arriving = asyncio.Semaphore(ARRIVING)
        self._looked_at = asyncio.Semaphore(AT_ONCE)
        self._by_address = Limiter(burst=10, every_s=30, clock=self._front.clock)

    def routes(self) -> APIRouter:
        routes = self._counter.router()
        routes.add_api_route("/verify", self.ask, methods=["GET"])
        routes.add_api_route("/verify", self.answer, methods=["POST"])
        return routes

    async def ask(self) -> Response:
        return await self._page()

    async def answer(self, request: Request) -> Response:
        wait_s = self._by_address.take(self._counter.address(request))
        if wait_s:
            raise too_many(wait_s)
        limit_bytes = self._front.settings.max_upload_mb * 1_000_000
        if self._arriving.locked():
            raise _busy()
        async with self._arriving, uploaded(request, limit_bytes=limit_bytes) as path:
            try:
                async with asyncio.timeout(WAIT_S):
                    await self._looked_at.acquire()
            except TimeoutError:
                raise _busy() from None
            try:
                verdict, paper = await self._judged(path)
            finally:
                self._looked_at.release()
        if wants_json(request):
            return JSONResponse({"file": as_json(verdict), "paper": asdict(paper) if paper else None})
        return await self._page(verdict=verdict, paper=paper, asked=True)

    async def _judged(self, path: Path) -> tuple[Verdict | None, Paper | None]:
        head = await asyncio.to_thread(_head, path)
        if head.lstrip()[:1] == b"{":
            data = await asyncio.to_thread(path.read_bytes)
            return None, await asyncio.to_thread(judge, data, self._front.public_key)
        if self._front.judge is None:
            raise HTTPException(503, "Files cannot be checked here at the moment; receipts can.")
        try:
            async with asyncio.timeout(JUDGE_S):
                return await self._front.judge(path), None
        except ProvenanceError as error:
            raise HTTPException(400, error.message) from error
        except TimeoutError:
            raise HTTPException(503, "The file took too long to read.") from None

    async def _page(
        self, *, verdict: Verdict | None = None, paper: Paper | None = None, asked: bool = False
    ) -> Response:
        return await self._counter.page(
            "verify.html",
            title="Is it from the AI twin?",
            verdict=verdict,
            says=spoken(verdict) if verdict else (),
            paper=paper,
            asked=asked,
            max_mb=self._front.settings.max_upload_mb,
        )


def _busy() -> HTTPException:
    return HTTPException(503, "Many people ask at the moment. Please try again in a minute.")


def spoken(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """What a verdict says, line by line, of the parts it has."""
    names = {
        "ai": "Made by",
        "owner": "In the likeness of",
        "made_by": "Program",
        "made_at": "Made",
        "signed_by": "Signed by",
        "token": "Watermark",
    }
    ai = {
        "generated": "artificial intelligence",
        "partly": "artificial intelligence, in part",
        "unknown": "it does not say",
    }
    said = []
    for field, label in names.items():
        value = getattr(verdict, field, "")
        if value:
            said.append((label, ai.get(value, value) if field == "ai" else str(value)))
    return tuple(said)


def as_json(verdict: Verdict | None) -> dict[str, object] | None:
    """The verdict for a program."""
    if verdict is None:
        return None
    return {
        "found": verdict.found,
        "valid": verdict.valid,
        "trusted": verdict.trusted,
        "ai": verdict.ai,
        "problems": list(verdict.problems),
    }


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)
