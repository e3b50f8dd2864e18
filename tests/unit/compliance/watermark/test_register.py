"""Which token is whose: found by what a mark says, unlike any other of its day, and gone with its call."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import insert

from compliance.settings import StoreSettings
from compliance.store.schema import watermarks
from compliance.store.transaction import Transaction
from compliance.vault import Vault
from compliance.watermark import register
from compliance.watermark.keys import DayKey
from compliance.watermark.register import Marks
from compliance.watermark.token import CallToken

ANNA, BEN = "+493012345", "+493067890"
DAY, NEXT = date(2026, 11, 22), date(2026, 11, 23)
KEY = DayKey(DAY, 1, bytes(32))


@pytest.fixture
async def vault(home: Path, store: StoreSettings) -> AsyncIterator[Vault]:
    async with Vault(home, store) as vault:
        yield vault


@pytest.fixture
def marks(vault: Vault) -> Marks:
    return Marks(vault)


async def called(vault: Vault, marks: Marks, call_id: str, subject: str = ANNA, key: DayKey = KEY) -> CallToken:
    vault.begin_call(call_id, channel="phone", subject=subject)
    return await marks.for_call(call_id, key, limit_s=10)


async def taken(vault: Vault, shorts: range) -> None:
    """These shorts of the day are other files'."""

    def work(tx: Transaction) -> None:
        common = {"day": DAY, "again": 0, "generation": 1, "what": "file", "call_id": None, "at_ms": 0}
        tx.connection.execute(
            insert(watermarks), [{**common, "short": short, "bits": short << 16} for short in shorts]
        )

    await vault.run(work)


async def test_a_call_is_found_by_what_its_mark_says(vault: Vault, marks: Marks) -> None:
    anna, ben = await called(vault, marks, "CA1"), await called(vault, marks, "CA2", BEN)
    assert (anna.day, anna.generation) == (DAY, 1)
    assert await marks.find(DAY, anna.short) == ["CA1"]
    assert await marks.find(DAY, ben.short, ben.bits) == ["CA2"]
    assert await marks.of("CA1") == anna
    assert await marks.tokens(DAY, anna.short) == [anna]


async def test_nothing_is_found_by_what_no_mark_says(vault: Vault, marks: Marks) -> None:
    token = await called(vault, marks, "CA1")
    assert await marks.find(NEXT, token.short) == []
    assert await marks.find(DAY, token.short ^ 1) == []
    assert await marks.find(DAY, token.short, token.bits ^ 1) == []
    assert await marks.of("CA2") is None


async def test_every_number_of_32_bits_fits(vault: Vault, marks: Marks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbelow", lambda below: below - 1)
    token = await called(vault, marks, "CA1")
    assert token.bits == 0xFFFFFFFF
    assert await marks.find(DAY, 0xFFFF, token.bits) == ["CA1"]


@pytest.fixture
def few_shorts(monkeypatch: pytest.MonkeyPatch) -> int:
    """A day with 64 of them instead of 65,536."""
    monkeypatch.setattr(register, "_SHORTS", 64)
    return 64


async def test_no_two_tokens_of_a_day_have_one_short_while_there_are_others(
    vault: Vault, marks: Marks, few_shorts: int
) -> None:
    await taken(vault, range(3, few_shorts))
    calls = [await called(vault, marks, f"CA{number}") for number in range(3)]
    assert {token.short for token in calls} == {0, 1, 2}
    assert (await called(vault, marks, "CB1", key=DayKey(NEXT, 1, bytes(32)))).day == NEXT


async def test_a_day_that_has_run_out_of_shorts_goes_on(vault: Vault, marks: Marks, few_shorts: int) -> None:
    await taken(vault, range(few_shorts))
    tokens = [await called(vault, marks, f"CA{number}") for number in range(3)]
    for number, token in enumerate(tokens):
        assert f"CA{number}" in await marks.find(DAY, token.short)


async def test_tokens_asked_for_at_once_are_all_different(vault: Vault, marks: Marks) -> None:
    tokens = await asyncio.gather(*(called(vault, marks, f"CA{number}") for number in range(40)))
    assert len({token.short for token in tokens}) == 40


async def test_a_call_waits_for_no_store_and_is_found_all_the_same(vault: Vault, marks: Marks) -> None:
    held, over = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> bool:
        held.set()
        return over.wait(30)

    vault.begin_call("CA1", channel="phone", subject=ANNA)
    vault.record(hold)
    await asyncio.to_thread(held.wait, 30)
    token = await marks.for_call("CA1", KEY, limit_s=0.01)
    apology = await marks.for_apology(KEY, limit_s=0.01)
    over.set()
    await vault.flush()
    assert await marks.find(DAY, token.short, token.bits) == ["CA1"]
    assert await marks.of("CA1") == token
    assert await marks.tokens(DAY, apology.short) == [apology]


async def test_a_call_that_was_forgotten_meanwhile_gets_a_token_that_nobody_finds(marks: Marks) -> None:
    token = await marks.for_call("CA1", KEY, limit_s=10)
    assert await marks.find(DAY, token.short) == []


async def test_the_token_goes_with_its_call_and_the_day_stays(vault: Vault, marks: Marks) -> None:
    await marks.for_apology(KEY)
    anna, ben = await called(vault, marks, "CA1"), await called(vault, marks, "CA2", BEN)
    receipt = await vault.forget(ANNA)
    assert receipt.done
    assert receipt.deleted["watermarks"] == 1
    assert await marks.find(DAY, anna.short) == []
    assert await marks.tokens(DAY, anna.short) == []
    assert await marks.of("CA1") is None
    assert await marks.find(DAY, ben.short) == ["CA2"]
    await vault.forget(BEN)
    assert await marks.days() == [DAY]


async def test_the_apology_of_a_day_and_key_has_one_token(marks: Marks) -> None:
    first = await marks.for_apology(KEY)
    assert await marks.for_apology(KEY) == first
    rotated = await marks.for_apology(DayKey(DAY, 2, bytes(32)))
    assert (rotated.generation, rotated.short == first.short) == (2, False)
    assert await marks.find(DAY, first.short) == []


async def test_a_file_has_a_token_that_is_no_calls(marks: Marks) -> None:
    token = await marks.for_file(KEY)
    assert await marks.tokens(DAY, token.short) == [token]
    assert await marks.find(DAY, token.short) == []


async def test_the_days_on_which_the_twin_spoke_are_the_newest_first(vault: Vault, marks: Marks) -> None:
    assert await marks.days() == []
    await called(vault, marks, "CA1")
    await called(vault, marks, "CA2")
    await marks.for_file(DayKey(NEXT, 1, bytes(32)))
    assert await marks.days() == [NEXT, DAY]
