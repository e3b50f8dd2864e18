"""Requests: numbered, verified, decided, never late unnoticed, and telling nothing to strangers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from compliance.errors import ChannelError, RequestError
from compliance.forgetting.verification import CLAIM_TRIES, CODE_TRIES, CODES, Claim
from compliance.requests import Request, Requests, new_number, read_number
from compliance.store.schema import requests as table
from compliance.store.schema import subjects
from compliance.vault import Vault
from tests.unit.compliance.erasing_helpers import ANNA, BEN, Notes, eraser
from tests.unit.compliance.store_helpers import heard

DAY_S = 86_400


@dataclass(frozen=True)
class Gdpr:
    name: str = "GDPR"
    days: int = 30
    extension_days: int = 60


LAW = Gdpr()


class Post:
    """Delivers codes to whoever holds the number."""

    def __init__(self) -> None:
        self.codes: list[tuple[str, str]] = []
        self.broken = False

    async def __call__(self, subject: str, digits: str) -> None:
        if self.broken:
            raise ChannelError("The text could not be sent.")
        self.codes.append((subject, digits))


class Desk:
    def __init__(self, vault: Vault, clock: list[float]) -> None:
        self.post, self.notes = Post(), Notes()
        self.requests = Requests(vault, note=self.notes, send_code=self.post, now=lambda: clock[0])

    async def verified(self, request: Request) -> None:
        await self.requests.send_code(request.number)
        await self.requests.close()
        assert await self.requests.check_code(request.number, self.post.codes[-1][1])
        assert await self.requests.claim(request.number, REMEMBERED)


CALLED = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
REMEMBERED = Claim.of(words="conservatory gutter", day="2026-11-20")


@pytest.fixture
def clock() -> list[float]:
    return [CALLED.timestamp()]


@pytest.fixture
async def vault(home: Path, clock: list[float]) -> AsyncIterator[Vault]:
    async with Vault(home, now=lambda: clock[0]) as vault:
        vault.begin_call("c1", channel="phone", subject=ANNA)
        vault.turn_heard("c1", heard(0, "the gutter above the conservatory leaks again"))
        await vault.flush()
        clock[0] += 200
        vault.end_call("c1", "hangup")
        for number in range(60):
            vault.begin_call(f"b{number}", channel="phone", subject=BEN)
            vault.turn_heard(f"b{number}", heard(0, f"talking of something else entirely {number}"))
        await vault.flush()
        yield vault


@pytest.fixture
async def desk(vault: Vault, clock: list[float]) -> AsyncIterator[Desk]:
    desk = Desk(vault, clock)
    yield desk
    await desk.requests.close()


async def test_a_request_is_verified_approved_carried_out_and_leaves_only_the_receipt(
    vault: Vault, home: Path, desk: Desk
) -> None:
    asked = await desk.requests.open(
        "erasure", "phone", law=LAW, subject="+49 30 11111111", call_id="c1", said="x"
    )
    assert (asked.state, asked.law, asked.days_left(asked.created_ms)) == ("open", "GDPR", 30.0)
    await desk.verified(asked)
    assert (await desk.requests.get(asked.number)).state == "verified"
    await desk.requests.approve(asked.number, by="owner")
    running = await desk.requests.begin(asked.number)
    assert running.subject == ANNA
    receipt = await eraser(vault, home).erase(ANNA, request_id=asked.number)
    assert receipt.done
    closed = await desk.requests.get(asked.number.lower().replace("-", " "))
    assert (closed.state, closed.subject, closed.said, closed.proof.codes_sent) == ("done", None, "", 0)
    assert closed.closed_ms is not None
    assert closed.receipt is not None
    assert ANNA[1:] not in closed.receipt
    assert desk.notes.kinds == ["request_opened", "request_verified", "request_approved"]
    with pytest.raises(RequestError, match="is done"):
        await desk.requests.begin(asked.number)


async def test_other_requests_of_the_person_are_void_when_they_are_erased(
    vault: Vault, home: Path, desk: Desk
) -> None:
    first = await desk.requests.open("erasure", "web", law=LAW, subject=ANNA)
    other = await desk.requests.open("access", "web", law=LAW, subject=ANNA)
    bens = await desk.requests.open("access", "web", law=LAW, subject=BEN)
    await eraser(vault, home).erase(ANNA, request_id=first.number)
    assert (await desk.requests.get(other.number)).state == "void"
    assert (await desk.requests.get(bens.number)).subject == BEN


async def test_a_code_alone_and_knowledge_alone_are_too_little(desk: Desk) -> None:
    request = await desk.requests.open("access", "web", law=LAW, subject=ANNA)
    assert await desk.requests.claim(request.number, REMEMBERED)
    assert (await desk.requests.get(request.number)).state == "open"
    with pytest.raises(RequestError, match="not verified"):
        await desk.requests.approve(request.number, by="owner")
    await desk.requests.send_code(request.number)
    await desk.requests.close()
    assert not await desk.requests.check_code(request.number, "no digits")
    assert await desk.requests.check_code(request.number, desk.post.codes[0][1])
    assert (await desk.requests.get(request.number)).state == "verified"


async def test_tries_are_counted_even_when_they_come_at_once(desk: Desk) -> None:
    request = await desk.requests.open("access", "web", law=LAW, subject=ANNA)
    await desk.requests.send_code(request.number)
    await desk.requests.close()
    digits = desk.post.codes[0][1]
    wrong = f"{(int(digits) + 1) % 10**6:06d}"
    await asyncio.gather(*(desk.requests.check_code(request.number, wrong) for _ in range(CODE_TRIES)))
    assert not await desk.requests.check_code(request.number, digits)
    guess = Claim.of(words="invoice kitchen", day="2026-11-20")
    await asyncio.gather(*(desk.requests.claim(request.number, guess) for _ in range(CLAIM_TRIES)))
    assert not await desk.requests.claim(request.number, REMEMBERED)
    for _ in range(CODES - 1):
        await desk.requests.send_code(request.number)
    with pytest.raises(RequestError, match="No more codes"):
        await desk.requests.send_code(request.number)


async def test_a_code_is_worthless_after_ten_minutes(desk: Desk, clock: list[float]) -> None:
    request = await desk.requests.open("access", "web", law=LAW, subject=ANNA)
    await desk.requests.send_code(request.number)
    await desk.requests.close()
    clock[0] += 601
    assert not await desk.requests.check_code(request.number, desk.post.codes[0][1])


async def test_a_stranger_cannot_tell_who_is_known_and_becomes_nobody_known(vault: Vault, desk: Desk) -> None:
    stranger = "+493099999999"
    known = await desk.requests.open("access", "web", law=LAW, subject=ANNA)
    unknown = await desk.requests.open("access", "web", law=LAW, subject=stranger)
    assert known.state == unknown.state
    for request in (known, unknown):
        await desk.requests.send_code(request.number)
        assert not await desk.requests.check_code(request.number, "000000x")
        assert not await desk.requests.claim(request.number, Claim())
    await desk.requests.close()
    assert [subject for subject, _ in desk.post.codes] == [ANNA]
    lookup = await vault.run(lambda tx: tx.lookup.of(stranger))
    query = select(subjects.c.id).where(subjects.c.lookup == lookup)
    assert await vault.run(lambda tx: tx.connection.execute(query).scalar()) is None


async def test_a_code_that_cannot_be_sent_is_not_told(desk: Desk) -> None:
    desk.post.broken = True
    request = await desk.requests.open("access", "web", law=LAW, subject=ANNA)
    await desk.requests.send_code(request.number)
    await desk.requests.close()


async def test_a_caller_without_a_number_is_verified_by_the_owner_with_a_reason(desk: Desk) -> None:
    request = await desk.requests.open("erasure", "web", law=LAW, call_id="web-1")
    assert request.subject is None
    with pytest.raises(RequestError, match="the owner has to verify"):
        await desk.requests.send_code(request.number)
    approved = await desk.requests.approve(request.number, by="owner", reason="I know her voice")
    assert (approved.state, approved.reason) == ("approved", "I know her voice")
    assert desk.notes.details[-1]["verified"] is False
    with pytest.raises(RequestError, match="needs a phone number"):
        await desk.requests.open("erasure", "web", law=LAW)


async def test_a_rejection_needs_a_reason_and_is_the_end(desk: Desk) -> None:
    request = await desk.requests.open("access", "web", law=LAW, subject=ANNA)
    with pytest.raises(RequestError, match="needs a reason"):
        await desk.requests.reject(request.number, by="owner", reason=" ")
    rejected = await desk.requests.reject(request.number, by="owner", reason="not the same person")
    assert rejected.closed
    with pytest.raises(RequestError, match="is rejected"):
        await desk.requests.approve(request.number, by="owner", reason="after all")
    with pytest.raises(RequestError, match="nothing more to verify"):
        await desk.requests.check_code(request.number, "123456")


async def test_what_is_late_is_listed_first_until_it_is_extended_or_closed(desk: Desk, clock: list[float]) -> None:
    early = await desk.requests.open("access", "web", law=LAW, subject=ANNA)
    clock[0] += 10 * DAY_S
    late = await desk.requests.open("erasure", "web", law=LAW, subject=BEN)
    assert await desk.requests.due() == ()
    clock[0] += 21 * DAY_S
    assert [request.number for request in await desk.requests.due()] == [early.number]
    assert early.overdue(int(clock[0] * 1000))
    assert [request.number for request in await desk.requests.due(within_days=10)] == [early.number, late.number]
    extended = await desk.requests.extend(early.number, by="owner", reason="many calls")
    assert extended.days_left(int(clock[0] * 1000)) == pytest.approx(59, abs=0.1)
    assert await desk.requests.due() == ()
    with pytest.raises(RequestError, match="cannot be extended"):
        await desk.requests.extend(early.number, by="owner", reason="again")


async def test_who_floods_the_form_is_told_to_wait(desk: Desk) -> None:
    for _ in range(5):
        await desk.requests.open("access", "web", law=LAW, subject=ANNA)
    with pytest.raises(RequestError, match="open requests"):
        await desk.requests.open("erasure", "web", law=LAW, subject=ANNA)
    assert len(await desk.requests.list(state="open")) == 5
    assert len(await desk.requests.list(limit=2)) == 2


async def test_what_was_said_is_sealed(vault: Vault, desk: Desk, home: Path) -> None:
    request = await desk.requests.open(
        "erasure", "phone", law=LAW, subject=ANNA, said="delete what you know of me"
    )
    row = await vault.run(lambda tx: tx.connection.execute(select(table)).one())
    assert b"delete" not in row.sealed_detail
    assert ANNA not in str(row)
    assert (await desk.requests.get(request.number)).said == "delete what you know of me"


def test_numbers_can_be_said_and_typed() -> None:
    number = new_number()
    assert len(number) == 11
    assert read_number(number.lower().replace("-", " ")) == number
    assert read_number(number[2:]) == number
    for wrong in ("", "R-7K3M", "R-0000-0000", "x" * 300, "R-7K3M-2Q9D-AAAA"):
        with pytest.raises(RequestError, match="no request number"):
            read_number(wrong)
