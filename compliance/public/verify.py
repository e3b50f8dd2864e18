"""`/verify`: was this made by the twin? For sound and video files, and for receipts and proofs of ours.

Anybody may ask, so the answer is "this twin", on which day, and how sure that is; never in which call, or with
whom.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from compliance.console.limits import Limiter
from compliance.errors import ProvenanceError, WatermarkError
from compliance.judgement import Judgement
from compliance.provenance import Verdict
from compliance.public.counter import Counter, too_many, wants_json
from compliance.public.papers import Paper, judge
from compliance.public.upload import uploaded
from compliance.watermark.listening import Place
from compliance.watermark.verifying import PUBLIC, MarkVerdict, zeros

ARRIVING = 20
"""Files that arrive together. Who sends slowly takes one of these places, and no other."""
AT_ONCE = 2
"""Files looked at together; reading one takes a processor, which calls need more."""
WAIT_S = 10.0
JUDGE_S = PUBLIC.wait_s + 30.0
MOST_PLACES = 12
"""Shown on the page; programs get them all."""
_HEAD_BYTES = 16
_STRIP = 1_000
"""The width of the picture of a recording."""


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
                judgement, paper = await self._judged(path)
            finally:
                self._looked_at.release()
        if wants_json(request):
            told = as_json(judgement) if judgement else {"file": None}
            return JSONResponse({**told, "paper": asdict(paper) if paper else None})
        return await self._page(judgement=judgement, paper=paper, asked=True)

    async def _judged(self, path: Path) -> tuple[Judgement | None, Paper | None]:
        head = await asyncio.to_thread(_head, path)
        if head.lstrip()[:1] == b"{":
            data = await asyncio.to_thread(path.read_bytes)
            return None, await asyncio.to_thread(judge, data, self._front.public_key)
        if self._front.judge is None:
            raise HTTPException(503, "Files cannot be checked here at the moment; receipts can.")
        try:
            async with asyncio.timeout(JUDGE_S):
                return await self._front.judge(path), None
        except (ProvenanceError, WatermarkError):
            # Its message names the file, and that is one of ours by now.
            raise HTTPException(503, "Files cannot be checked here at the moment; receipts can.") from None
        except TimeoutError:
            raise HTTPException(503, "The file took too long to read.") from None

    async def _page(
        self, *, judgement: Judgement | None = None, paper: Paper | None = None, asked: bool = False
    ) -> Response:
        return await self._counter.page(
            "verify.html",
            title="Is it from the AI twin?",
            judgement=judgement,
            mark=shown(judgement.mark) if judgement else None,
            says=says(judgement) if judgement else (),
            paper=paper,
            asked=asked,
            max_mb=self._front.settings.max_upload_mb,
            longest=PUBLIC.in_words,
        )


def _busy() -> HTTPException:
    return HTTPException(503, "Many people ask at the moment. Please try again in a minute.")


def says(judgement: Judgement) -> tuple[tuple[str, str], ...]:
    """What a manifest says, line by line, of the parts it has."""
    if judgement.recovered is not None:
        # Found by us and not in the file, so only what a stranger may know: neither when, nor of what call.
        return _lines(judgement.recovered, "ai", "owner", "made_by", "signed_by")
    return _lines(judgement.file, "ai", "owner", "made_by", "made_at", "signed_by", "token")


def _lines(verdict: Verdict, *parts: str) -> tuple[tuple[str, str], ...]:
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
    for part in parts:
        value = getattr(verdict, part)
        if value and verdict.found:
            said.append((names[part], ai.get(value, value) if part == "ai" else str(value)))
    return tuple(said)


def shown(mark: MarkVerdict) -> dict[str, Any]:
    """A watermark for the page: how sure, on which day, and where; never of which call."""
    length_s = max(mark.heard_s, 0.001)
    return {
        "found": mark.found,
        "zeros": zeros(mark.p_value),
        "made_on": f"{mark.made_on:%-d %B %Y}" if mark.made_on else "",
        "days": len({place.day for place in mark.places}),
        "heard": _clock(mark.heard_s),
        "tried": mark.keys,
        "problem": mark.problem,
        "damaged": mark.damaged,
        "bars": [
            (
                round(_STRIP * place.start_s / length_s),
                max(4, round(_STRIP * (place.end_s - place.start_s) / length_s)),
            )
            for place in mark.places
        ],
        "places": [_row(place) for place in mark.places[:MOST_PLACES]],
        "more": max(0, len(mark.places) - MOST_PLACES),
    }


def _row(place: Place) -> dict[str, str]:
    way = next((n for n in (place.speed, place.tempo) if abs(n - 1.0) >= 0.005), 1.0)
    return {
        "start": _clock(place.start_s),
        "end": _clock(place.end_s),
        "where": place.where,
        "on": f"{place.day:%-d %b %Y}",
        "played": "" if way == 1.0 else f"{abs(way - 1.0):.1%} {'faster' if way > 1.0 else 'slower'}",
    }


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{seconds:04.1f}"


def as_json(judgement: Judgement) -> dict[str, object]:
    """The judgement for a program: what a stranger may know of it."""
    mark, verdict = judgement.mark, judgement.file
    return {
        "made_by_this_twin": judgement.ours,
        "standing": judgement.standing,
        "file": {
            "found": verdict.found,
            "valid": verdict.valid,
            "trusted": verdict.trusted,
            "ai": verdict.ai,
            "problems": list(verdict.problems),
        },
        "watermark": {
            "found": mark.found,
            "p_value": mark.p_value,
            "made_on": mark.made_on.isoformat() if mark.made_on else None,
            "regions": [
                {
                    "start_s": place.start_s,
                    "end_s": place.end_s,
                    "p_value": place.p_value,
                    "made_on": place.day.isoformat(),
                    "channel": place.where,
                    "speed": place.speed,
                    "tempo": place.tempo,
                }
                for place in mark.places
            ],
            "heard_s": mark.heard_s,
            "problem": mark.problem,
            "damaged": mark.damaged,
        },
        "recovered": dict(_lines(judgement.recovered, "ai", "owner", "made_by", "signed_by"))
        if judgement.recovered
        else None,
    }


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)
