"""`/privacy`: the notice, and asking for a copy of one's data or its erasure. No answer tells who is known."""

from __future__ import annotations

import asyncio
import re

from fastapi import APIRouter, Request, Response

from compliance.console.forms import Form, read_form
from compliance.console.limits import Limiter
from compliance.errors import RequestError, VaultError
from compliance.forgetting.verification import Claim
from compliance.public.counter import Counter, too_many
from compliance.requests import CLOSED, Requests, read_number
from compliance.requests import Request as Asked
from compliance.store.subject import normalise

MAX_SAID = 1_000
_PHONE = re.compile(r"\+[0-9]{6,15}")
_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s]{2,63}")
_COUNTRY = re.compile(r"[A-Z]{2}")


def privacy_pages(counter: Counter) -> APIRouter:
    """The routes of `/privacy`."""
    return _Privacy(counter).routes()


class _Privacy:
    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        front = counter.front
        self._front = front
        # A person asks once. Somebody who tries numbers finds nothing out, and is slow at it.
        self._by_address = Limiter(burst=5, every_s=600, clock=front.clock)
        self._by_subject = Limiter(burst=3, every_s=3_600, clock=front.clock)
        self._by_all = Limiter(burst=60, every_s=10, clock=front.clock, slots=1)
        self._answers = Limiter(burst=20, every_s=30, clock=front.clock)

    def routes(self) -> APIRouter:
        routes = self._counter.router()
        routes.add_api_route("/privacy", self.notice, methods=["GET"])
        routes.add_api_route("/privacy", self.ask, methods=["POST"])
        routes.add_api_route("/privacy/prove", self.prove, methods=["POST"])
        routes.add_api_route("/privacy/code", self.another_code, methods=["POST"])
        routes.add_api_route("/privacy/state", self.state, methods=["POST"])
        return routes

    async def notice(self) -> Response:
        return await self._counter.page(
            "privacy.html",
            title="Your data and the AI twin",
            notice=self._front.notice,
            can_ask=self._front.requests is not None,
        )

    async def ask(self, request: Request) -> Response:
        form = await read_form(request)
        kind = form.get("kind", "")
        subject = contact(form.get("contact", ""))
        country = form.get("country", "").strip().upper()
        said = form.get("said", "").strip()[:MAX_SAID]
        requests = self._taken()
        self._take(self._by_address, self._counter.address(request))
        self._take(self._by_all, "")
        self._take(self._by_subject, subject)
        law = self._front.law(subject, country if _COUNTRY.fullmatch(country) else "")
        if kind not in ("erasure", "access"):
            raise RequestError("Say whether you want a copy of your data or its erasure.")
        asked = await requests.open(
            "erasure" if kind == "erasure" else "access", "web", law=law, subject=subject, said=said
        )
        await self._send(requests, asked.number)
        return await self._prove_page(asked)

    async def another_code(self, request: Request) -> Response:
        form = await read_form(request)
        requests = self._taken()
        self._take(self._by_address, self._counter.address(request))
        asked = await self._asked(requests, form)
        await requests.send_code(asked.number)
        return await self._prove_page(asked, again=True)

    async def prove(self, request: Request) -> Response:
        form = await read_form(request)
        requests = self._taken()
        self._take(self._answers, self._counter.address(request))
        asked = await self._asked(requests, form)
        if asked.closed or asked.state not in ("open", "verified"):
            return await self._state_page(asked)
        # What is known of a call is compared only for somebody who has read the code: otherwise the answer would
        # tell a stranger whether they have guessed right.
        if not asked.proof.number_proved and not await requests.check_code(asked.number, form.get("code", "")):
            return await self._prove_page(asked, wrong="The code is not right, or not right any more.")
        claim = Claim.of(
            day=form.get("day", ""),
            time=form.get("time", ""),
            minutes=form.get("minutes", ""),
            words=form.get("words", ""),
        )
        if not await requests.claim(asked.number, claim):
            asked = await requests.get(asked.number)
            return await self._prove_page(
                asked, wrong="The code was right. What you wrote about a call of yours does not fit any of them."
            )
        return await self._state_page(await requests.get(asked.number))

    async def state(self, request: Request) -> Response:
        form = await read_form(request)
        requests = self._taken()
        self._take(self._answers, self._counter.address(request))
        return await self._state_page(await self._asked(requests, form))

    async def _prove_page(self, asked: Asked, *, wrong: str = "", again: bool = False) -> Response:
        return await self._counter.page(
            "prove.html",
            title="Show that it is you",
            asked=asked,
            wrong=wrong,
            again=again,
            notice=self._front.notice,
            status=400 if wrong else 200,
        )

    async def _state_page(self, asked: Asked) -> Response:
        return await self._counter.page(
            "state.html",
            title=f"Request {asked.number}",
            asked=asked,
            closed=asked.state in CLOSED,
            notice=self._front.notice,
        )

    async def _asked(self, requests: Requests, form: Form) -> Asked:
        return await requests.get(read_number(form.get("number", "")))

    async def _send(self, requests: Requests, number: str) -> None:
        try:
            await requests.send_code(number)
        except RequestError:
            # Where no codes can be sent at all the owner verifies; the page says so in any case.
            await asyncio.sleep(0)

    def _taken(self) -> Requests:
        if self._front.requests is None:
            raise RequestError("Requests are not taken here; write to the address in the notice.")
        return self._front.requests

    @staticmethod
    def _take(limiter: Limiter, key: str) -> None:
        wait_s = limiter.take(key)
        if wait_s:
            raise too_many(wait_s)


def contact(text: str) -> str:
    """A number or e-mail address in the one spelling of the vault. Raises `RequestError`."""
    text = text.strip()
    if text.startswith("00"):
        text = "+" + text[2:]
    try:
        subject = normalise(text)
    except VaultError:
        subject = ""
    if not (_PHONE.fullmatch(subject) or _MAIL.fullmatch(subject)):
        raise RequestError("Give the number you called from, as +49 30 123456, or your e-mail address.")
    return subject
