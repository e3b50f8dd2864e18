"""What people ask about their data: taken, verified, decided by the owner, carried out, and never late unnoticed.

    open ──► verified ──► approved ──► running ──► done
      │          │                        └──────► incomplete   (some store could not be cleaned yet)
      └──────────┴──► rejected (with a reason)     void         (the person was erased meanwhile)

A request has a number that can be said on the telephone. What it holds of the person is sealed under a key of its
own and goes with them; number, kind, dates and the receipt stay. Nothing here tells a stranger who is known:
an unknown number gets a request and a code is "sent" in the same words and time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any, Protocol

from compliance.clear import plain_id, plain_word
from compliance.errors import RequestError, TwinError
from compliance.forgetting import asked
from compliance.forgetting.asked import CLOSED as CLOSED
from compliance.forgetting.asked import DAY_MS
from compliance.forgetting.asked import Kind as Kind
from compliance.forgetting.asked import Request as Request
from compliance.forgetting.asked import State as State
from compliance.forgetting.asked import new_number as new_number
from compliance.forgetting.asked import read_number as read_number
from compliance.forgetting.verification import (
    CLAIM_TRIES,
    CODES,
    Claim,
    Commonness,
    Proof,
    check_code,
    knows,
    new_code,
)
from compliance.store.subject import normalise
from compliance.store.transaction import Transaction
from compliance.vault import Vault

log = logging.getLogger(__name__)

_MOST_SENDING = 50
_COMPARED_MS = 600_000
_SAID_LENGTH = 2_000


class Law(Protocol):
    """How long a law gives; `jurisdiction.Law` is one."""

    @property
    def name(self) -> str: ...
    @property
    def days(self) -> int: ...
    @property
    def extension_days(self) -> int: ...


class Note(Protocol):
    """Keeps proof of something; `evidence.Evidence.note` is one. Returns at once."""

    def __call__(
        self, kind: str, *, call_id: str | None = None, subject: str | None = None, detail: Mapping[str, Any]
    ) -> None: ...


SendCode = Callable[[str, str], Awaitable[None]]
"""Sends digits to a subject; raises a `TwinError` when it cannot."""


class Requests:
    """The requests of one vault. Every method may raise `VaultError`, and `RequestError` where it says so."""

    def __init__(
        self,
        vault: Vault,
        *,
        note: Note,
        send_code: SendCode | None = None,
        now: Callable[[], float] = time.time,
        zone: tzinfo = UTC,
    ) -> None:
        """`zone` is where the clock is that callers remember; without `send_code` only the owner verifies."""
        self._vault = vault
        self._note = note
        self._send = send_code
        self._now = now
        self._zone = zone
        self._sending: set[asyncio.Task[None]] = set()
        self._common: tuple[int, Commonness] | None = None

    async def open(
        self,
        kind: Kind,
        channel: str,
        *,
        law: Law,
        subject: str | None = None,
        call_id: str | None = None,
        said: str = "",
    ) -> Request:
        """Take a request by a person, or in a call by whoever is in it. Raises `RequestError` for the sixth."""
        if subject is None and call_id is None:
            raise RequestError("A request needs a phone number, an e-mail address or the call it was made in.")
        who = normalise(subject) if subject is not None else f"call:{call_id}"
        now_ms = self._now_ms()
        request = Request(
            number=new_number(),
            kind=kind,
            state="open",
            channel=plain_word(channel),
            law=law.name,
            call_id=plain_id(call_id) if call_id is not None else None,
            created_ms=now_ms,
            due_ms=now_ms + law.days * DAY_MS,
            subject=normalise(subject) if subject is not None else None,
            said=said[:_SAID_LENGTH],
            extension_days=law.extension_days,
        )
        if not await self._vault.run(lambda transaction: asked.add(transaction, request, who)):
            raise RequestError("There are open requests about this already; the owner has to answer them first.")
        # Never with the subject: a note about somebody unknown would make them known.
        self._note("request_opened", call_id=call_id, detail={"request": request.number, "kind": kind})
        return request

    async def get(self, number: str) -> Request:
        """One request by its number, however it was typed. Raises `RequestError` when there is none."""
        number = read_number(number)
        request = await self._vault.run(lambda transaction: asked.find(transaction, number))
        if request is None:
            raise RequestError("There is no request with this number; `twin requests list` names them.")
        return request

    async def list(self, *, state: State | None = None, limit: int = 50) -> tuple[Request, ...]:
        """The newest first, all or those in one state."""
        return await self._vault.run(lambda transaction: asked.newest(transaction, state, limit))

    async def due(self, *, within_days: float = 0.0) -> tuple[Request, ...]:
        """Those not closed whose time is over, or is over in so many days; the most urgent first."""
        before_ms = self._now_ms() + int(within_days * DAY_MS)
        return await self._vault.run(lambda transaction: asked.due(transaction, before_ms))

    async def send_code(self, number: str) -> None:
        """Send a code to the number that the request is about, if it is one we know; nothing tells which.

        It is sent after this returned. Raises `RequestError` when no code can be sent for this request at all.
        """
        request = await self._open_one(number)
        if request.subject is None or self._send is None:
            raise RequestError("No code can be sent for this request; the owner has to verify it.")
        if request.proof.codes_sent >= CODES or len(self._sending) >= _MOST_SENDING:
            raise RequestError("No more codes are sent for this request; the owner has to verify it.")
        digits, code = new_code(self._now_ms())
        proof = replace(request.proof, code=code, codes_sent=request.proof.codes_sent + 1)
        known = await self._vault.run(lambda transaction: asked.keep_code(transaction, request, proof))
        if known:
            task = asyncio.create_task(self._send_it(self._send, request.subject, digits), name="request-code")
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def check_code(self, number: str, digits: str) -> bool:
        """Whether these are the digits that were sent: six, for ten minutes, five tries, once."""
        now_ms = self._now_ms()

        def check(proof: Proof) -> Proof:
            right, code = check_code(proof.code, digits, now_ms)
            return replace(proof, code=code, number_proved=proof.number_proved or right)

        return (await self._prove(number, check)).number_proved

    async def claim(self, number: str, claim: Claim) -> bool:
        """Whether the claim shows knowledge of one of the person's calls; three tries for each request."""
        request = await self._open_one(number)
        common = await self._commonness(request.subject)
        subject, zone = request.subject, self._zone
        known = await self._vault.run(lambda transaction: asked.calls_of(transaction, subject)) if subject else ()
        fits = knows(claim, known, common=common, zone=zone)

        def check(proof: Proof) -> Proof:
            allowed = proof.claims < CLAIM_TRIES
            return replace(proof, claims=proof.claims + 1, call_proved=proof.call_proved or (fits and allowed))

        return (await self._prove(number, check)).call_proved

    async def approve(self, number: str, *, by: str, reason: str = "") -> Request:
        """The owner's yes. A request that was not verified needs a reason: how they know who asks.

        Raises `RequestError`.
        """
        request = await self.get(number)
        if request.state == "open" and not reason.strip():
            raise RequestError(f"{request.number} is not verified: approve it with a reason, or wait.")
        return await self._move(request, ("open", "verified"), "approved", by=by, reason=reason)

    async def reject(self, number: str, *, by: str, reason: str) -> Request:
        """The owner's no, which the law wants a reason for. Raises `RequestError`."""
        if not reason.strip():
            raise RequestError("A rejection needs a reason, which the person is told.")
        return await self._move(
            await self.get(number), ("open", "verified", "approved"), "rejected", by=by, reason=reason
        )

    async def extend(self, number: str, *, by: str, reason: str) -> Request:
        """Use the law's extension, once, for a reason that the person is told. Raises `RequestError`."""
        request = await self.get(number)
        if request.closed or not request.extension_days or not reason.strip():
            raise RequestError(
                f"{request.number} cannot be extended: it is closed, was extended, or no reason is given."
            )
        due_ms = request.due_ms + request.extension_days * DAY_MS
        changed = replace(request, due_ms=due_ms, extension_days=0, reason=reason)
        await self._vault.run(lambda transaction: asked.write(transaction, changed, request.state))
        self._note("request_extended", detail={"request": request.number, "by": by, "reason": reason})
        return changed

    async def begin(self, number: str) -> Request:
        """An approved request is now being carried out; one that broke off or was incomplete is again.

        Raises `RequestError`.
        """
        request = await self.get(number)
        return await self._move(request, ("approved", "running", "incomplete"), "running", by="", reason="")

    async def finish(self, number: str, *, receipt: str, done: bool) -> Request:
        """It was carried out, with this receipt, which may hold no name. Raises `RequestError`."""
        request = await self.get(number)
        state: State = "done" if done else "incomplete"
        changed = replace(request, state=state, receipt=receipt, closed_ms=self._now_ms() if done else None)
        await self._vault.run(lambda transaction: asked.write(transaction, changed, request.state))
        return changed

    async def close(self) -> None:
        """Wait for codes that are being sent."""
        if self._sending:
            await asyncio.wait(self._sending)

    async def _open_one(self, number: str) -> Request:
        request = await self.get(number)
        if request.state not in ("open", "verified"):
            raise RequestError(f"{request.number} is {request.state}: there is nothing more to verify.")
        return request

    async def _send_it(self, send: SendCode, subject: str, digits: str) -> None:
        try:
            await send(subject, digits)
        except TwinError as error:
            log.warning("a code for a request could not be sent", extra={"reason": error.code})

    async def _prove(self, number: str, check: Callable[[Proof], Proof]) -> Proof:
        """Judge and count the try in one transaction, so that tries at the same time all count."""
        request = await self._open_one(number)
        now_ms = self._now_ms()

        def work(transaction: Transaction) -> tuple[Request, Request] | None:
            current = asked.find(transaction, request.number, lock=True)
            if current is None or current.state not in ("open", "verified"):
                return None
            changed = replace(current, proof=check(current.proof))
            if changed.proof.complete and current.state == "open":
                changed = replace(changed, state="verified", verified_ms=now_ms)
            asked.write(transaction, changed, current.state)
            return current, changed

        result = await self._vault.run(work)
        if result is None:
            raise RequestError(f"{request.number} was decided meanwhile.")
        before, after = result
        if after.state != before.state:
            self._note("request_verified", detail={"request": request.number})
        return after.proof

    async def _move(
        self, request: Request, allowed: tuple[State, ...], to: State, *, by: str, reason: str
    ) -> Request:
        wrong = RequestError(f"{request.number} is {request.state}; for this it must be {' or '.join(allowed)}.")
        if request.state not in allowed:
            raise wrong
        closed_ms = self._now_ms() if to in CLOSED else None
        changed = replace(request, state=to, reason=reason or request.reason, closed_ms=closed_ms)
        if not await self._vault.run(lambda transaction: asked.write(transaction, changed, request.state)):
            raise wrong
        if to != "running":
            detail = {
                "request": request.number,
                "by": by,
                "reason": reason,
                "verified": request.state == "verified",
            }
            self._note(f"request_{to}", detail=detail)
        return changed

    async def _commonness(self, but: str | None) -> Commonness:
        now_ms = self._now_ms()
        if self._common is None or now_ms - self._common[0] > _COMPARED_MS:
            common = await self._vault.run(lambda transaction: asked.compared(transaction, but))
            self._common = (now_ms, common)
        return self._common[1]

    def _now_ms(self) -> int:
        return int(self._now() * 1000)
