"""The queue on both databases: one holder at a time, in order, and nothing left of who is forgotten."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from compliance.settings import StoreSettings
from compliance.vault import Vault
from persona.memory.changes import Drop, Keep, Replace
from persona.memory.job import Job, from_bytes, to_bytes
from persona.memory.queue import MemoryQueue, Waiting
from persona.source import Memory
from tests.postgres import Server, server
from tests.unit.persona.memory.writer_helpers import ANNA, talk

BEN = "ben@example.org"
LATER_S = 3600.0


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with server() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgres"])
async def vaults(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Vault, Vault, Vault]]:
    """Three processes on one store; the third lives an hour later."""
    settings = StoreSettings()
    if request.param == "postgres":
        started: Server = request.getfixturevalue("postgres")
        settings = StoreSettings(url=started.make_database(f"queue_{secrets.token_hex(4)}"))
    async with (
        Vault(tmp_path, settings) as here,
        Vault(tmp_path, settings) as there,
        Vault(tmp_path, settings, now=lambda: time.time() + LATER_S) as later,
    ):
        yield here, there, later


async def over(vault: Vault, call_id: str, subject: str = ANNA) -> None:
    talk(vault, call_id, "I live in Munich.", subject=subject)
    MemoryQueue(vault).add(call_id, subject)
    vault.end_call(call_id, "hangup")
    await vault.flush()


async def test_of_many_calls_each_is_taken_once_by_one_process(vaults: tuple[Vault, Vault, Vault]) -> None:
    here, there, later = vaults
    for number in range(6):
        await over(here, f"CA{number}", f"person{number}@example.org")
    takes = [MemoryQueue(vault).take(lease_ms=60_000) for vault in (here, there) * 4]
    took = await asyncio.gather(*takes)
    ids = [job.call_id for job in took if job is not None]
    assert len(ids) == len(set(ids))
    while (job := await MemoryQueue(there).take(lease_ms=60_000)) is not None:
        ids.append(job.call_id)
    assert sorted(ids) == [f"CA{number}" for number in range(6)]
    again = await MemoryQueue(later).take(lease_ms=60_000)
    assert again is not None
    assert (again.call_id, again.attempts) == ("CA0", 2)


async def test_of_one_person_the_second_call_waits_for_the_first(vaults: tuple[Vault, Vault, Vault]) -> None:
    here, there, _ = vaults
    await over(here, "CA1")
    await over(here, "CA2")
    await over(here, "CA3", BEN)
    queue, other = MemoryQueue(here), MemoryQueue(there)
    first = await queue.take(lease_ms=60_000)
    bens = await other.take(lease_ms=60_000)
    assert first is not None
    assert bens is not None
    assert (first.call_id, bens.call_id) == ("CA1", "CA3")
    assert await other.take(lease_ms=60_000) is None
    assert await queue.finish(first) == "done"
    second = await other.take(lease_ms=60_000)
    assert second is not None
    assert second.call_id == "CA2"


async def test_a_plan_is_kept_and_the_lease_guards_it(vaults: tuple[Vault, Vault, Vault]) -> None:
    here, _, later = vaults
    await over(here, "CA1")
    queue, successor = MemoryQueue(here), MemoryQueue(later)
    first = await queue.take(lease_ms=60_000)
    assert first is not None
    changes = (Keep(Memory("a", "Größe", 1, "city", "Anna", "CA1")), Drop("b"))
    planned = await queue.plan(first, changes, through=7)
    assert planned is not None
    second = await successor.take(lease_ms=60_000)
    assert second is not None
    assert (second.plan, second.through) == (changes, 7)
    assert await queue.plan(first, (), through=9) is None
    assert await queue.finish(planned) == "lost"
    assert await successor.finish(second) == "done"
    assert await queue.finish(planned) == "gone"


async def test_ids_are_the_same_in_every_process_and_differ_by_call(vaults: tuple[Vault, Vault, Vault]) -> None:
    here, there, _ = vaults
    one, other = Job("CA1", ANNA), Job("CA2", ANNA)
    ids = await MemoryQueue(here).ids(one, 3, through=4)
    assert ids == await MemoryQueue(there).ids(one, 3, through=4)
    assert len({*ids, *await MemoryQueue(here).ids(other, 3, through=4)}) == 6


async def test_withdrawn_and_forgotten_jobs_are_gone(vaults: tuple[Vault, Vault, Vault]) -> None:
    here, there, _ = vaults
    await over(here, "CA1")
    await over(here, "CA2", BEN)
    queue = MemoryQueue(here)
    held = await queue.take(lease_ms=60_000)
    assert held is not None
    queue.remove("CA1")
    assert await queue.plan(held, (), through=0) is None
    assert await queue.finish(held) == "gone"
    await there.forget(BEN)
    assert await MemoryQueue(there).take(lease_ms=60_000) is None
    assert await queue.waiting() == Waiting(due=0, dead=0)


async def test_when_the_next_is_due_is_known(vaults: tuple[Vault, Vault, Vault]) -> None:
    here, _, _ = vaults
    queue = MemoryQueue(here)
    assert await queue.next_in_ms() is None
    await over(here, "CA1")
    assert await queue.next_in_ms() == 0
    job = await queue.take(lease_ms=60_000)
    assert job is not None
    await queue.fail(job, error="engine_failed", again_in_ms=500_000)
    left_ms = await queue.next_in_ms()
    assert left_ms is not None
    assert 400_000 < left_ms <= 500_000


def test_a_job_comes_back_as_it_was_stored() -> None:
    memory = Memory("a", "Anna lives in Köln.", 5, "city", "Anna", "CA1")
    job = Job("CA1", ANNA, "Anna", 3, (Keep(memory), Replace("x", memory), Drop("y")), 9, "timeout", 4, 5)
    assert from_bytes(to_bytes(job), row=4, stamp_ms=5) == job
    assert from_bytes(to_bytes(Job("CA1", ANNA)), row=0, stamp_ms=0) == Job("CA1", ANNA)
