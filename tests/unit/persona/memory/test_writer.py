"""What is remembered after a call: only with consent, each turn once, whatever fails meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from compliance.errors import EngineFailed, KeyGone
from compliance.vault import Vault
from persona.memory.changes import Change
from persona.memory.extraction import Extracted, RuleExtractor, Spoken
from persona.memory.queue import REMEMBERED, MemoryQueue, Waiting
from persona.memory.writer import Writer, WriterLimits
from tests.unit.persona.memory.library_helpers import files_with
from tests.unit.persona.memory.writer_helpers import ANNA, VaultShelf, talk, turn


@dataclass
class Clock:
    """Unix time, to be turned."""

    ahead_s: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


@dataclass
class Desk:
    """A vault, and all that writes memories into it."""

    vault: Vault
    queue: MemoryQueue
    shelf: VaultShelf
    writer: Writer
    clock: Clock


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = Clock()
    async with Vault(tmp_path, now=clock) as vault:
        queue, shelf = MemoryQueue(vault), VaultShelf(vault)
        yield Desk(vault, queue, shelf, Writer(queue, shelf, RuleExtractor(), vault), clock)


async def test_what_was_said_under_consent_is_remembered_after_the_call(desk: Desk) -> None:
    talk(desk.vault, "CA1", "This is Anna Schmidt.", "I live in Munich.")
    desk.writer.due("CA1", ANNA)
    desk.vault.turn_heard("CA1", turn(2, "I work at Siemens."))
    assert await desk.writer.work_off() == 0
    assert await desk.shelf.texts() == []
    desk.vault.end_call("CA1", "hangup")
    assert await desk.writer.work_off() == 1
    assert await desk.shelf.texts() == [
        "Anna Schmidt lives in Munich.",
        "Anna Schmidt works at Siemens.",
        "The caller's name is Anna Schmidt.",
    ]
    memories = await desk.shelf.memories_of(ANNA)
    assert {(memory.person, memory.call_id) for memory in memories} == {("Anna Schmidt", "CA1")}
    assert await desk.queue.waiting() == Waiting(due=0, dead=0)


async def test_without_consent_nothing_is_read_or_written(desk: Desk) -> None:
    talk(desk.vault, "CA1", "I live in Munich.")
    desk.vault.end_call("CA1", "hangup")
    assert await desk.writer.work_off() == 0
    assert desk.shelf.writes == []


async def test_a_yes_that_is_taken_back_counts_for_nothing(desk: Desk) -> None:
    talk(desk.vault, "CA1", "I live in Munich.")
    desk.writer.due("CA1", ANNA)
    desk.writer.withdraw("CA1")
    desk.vault.end_call("CA1", "hangup")
    assert await desk.writer.work_off() == 0
    assert desk.shelf.writes == []


async def test_of_somebody_unknown_nothing_is_remembered(desk: Desk) -> None:
    talk(desk.vault, "CA1", "I live in Munich.", subject=None)
    desk.writer.due("CA1", None)
    desk.vault.end_call("CA1", "hangup")
    assert await desk.writer.work_off() == 0


async def test_a_yes_at_the_very_end_covers_the_whole_call(desk: Desk) -> None:
    talk(desk.vault, "CA1", "I live in Munich.")
    desk.vault.end_call("CA1", "hangup")
    desk.writer.due("CA1", ANNA)
    assert await desk.writer.work_off() == 1
    assert await desk.shelf.texts() == ["The caller lives in Munich."]


async def test_each_turn_is_taken_once(desk: Desk) -> None:
    talk(desk.vault, "CA1", "I live in Munich.")
    desk.writer.due("CA1", ANNA)
    desk.vault.end_call("CA1", "hangup")
    await desk.writer.work_off()
    desk.writer.due("CA1", ANNA)
    assert await desk.writer.work_off() == 1
    assert len(desk.shelf.writes) == 1
    found = await desk.vault.call("CA1")
    assert found is not None
    notes = [event.detail for event in found.events if event.kind == REMEMBERED]
    assert notes == [{"through": 0, "changes": 1}, {"through": -1, "changes": 0}]


async def test_what_the_twin_said_and_what_was_cut_off_is_not_remembered(desk: Desk) -> None:
    talk(desk.vault, "CA1")
    desk.vault.turn_heard("CA1", turn(0, "I live in Munich.", who="twin"))
    desk.vault.turn_heard("CA1", turn(1, "I live in Ham", cut=True))
    desk.writer.due("CA1", ANNA)
    desk.vault.end_call("CA1", "hangup")
    await desk.writer.work_off()
    assert desk.shelf.writes == []


async def test_the_next_call_replaces_what_changed(desk: Desk) -> None:
    for call_id, text in (("CA1", "I work at Siemens."), ("CA2", "I work at Bosch now.")):
        talk(desk.vault, call_id, text)
        desk.writer.due(call_id, ANNA, person="Anna Schmidt")
        desk.vault.end_call(call_id, "hangup")
    assert await desk.writer.work_off() == 2
    assert await desk.shelf.texts() == ["Anna Schmidt works at Bosch."]


async def test_two_people_on_one_number_keep_their_own(desk: Desk) -> None:
    for call_id, text in (("CA1", "This is Anna, I work at Siemens."), ("CA2", "This is Tom, I work at Bosch.")):
        talk(desk.vault, call_id, text)
        desk.writer.due(call_id, ANNA)
        desk.vault.end_call(call_id, "hangup")
    await desk.writer.work_off()
    assert "Anna works at Siemens." in await desk.shelf.texts()
    assert "Tom works at Bosch." in await desk.shelf.texts()


async def test_who_speaks_may_become_known_later_in_the_call(desk: Desk) -> None:
    talk(desk.vault, "CA1", "I live in Munich.")
    desk.writer.due("CA1", ANNA)
    desk.writer.due("CA1", ANNA, person="Anna Schmidt")
    desk.vault.end_call("CA1", "hangup")
    await desk.writer.work_off()
    assert [memory.person for memory in await desk.shelf.memories_of(ANNA)] == ["Anna Schmidt"]


async def test_of_one_person_the_older_call_comes_first_even_when_it_waits(desk: Desk) -> None:
    talk(desk.vault, "CA1", "I work at Siemens.")
    desk.writer.due("CA1", ANNA, person="Anna")
    talk(desk.vault, "CA2", "I work at Bosch.")
    desk.writer.due("CA2", ANNA, person="Anna")
    desk.vault.end_call("CA1", "hangup")
    desk.vault.end_call("CA2", "hangup")
    held = await desk.queue.take(lease_ms=60_000)
    assert held is not None
    assert held.call_id == "CA1"
    assert await desk.writer.work_off() == 0
    await desk.queue.release(held)
    assert await desk.writer.work_off() == 2
    assert await desk.shelf.texts() == ["Anna works at Bosch."]


async def test_two_processes_do_not_hold_one_job_at_once(desk: Desk, tmp_path: Path) -> None:
    talk(desk.vault, "CA1", "I live in Munich.")
    desk.writer.due("CA1", ANNA)
    desk.vault.end_call("CA1", "hangup")
    await desk.vault.flush()
    async with Vault(tmp_path) as other:
        took = await asyncio.gather(desk.queue.take(lease_ms=60_000), MemoryQueue(other).take(lease_ms=60_000))
        assert [job is None for job in took].count(True) == 1
        desk.clock.ahead_s = 61
        again = await desk.queue.take(lease_ms=60_000)
        assert again is not None
        assert again.attempts == 2
        late = next(job for job in took if job is not None)
        assert await desk.queue.plan(late, (), through=0) is None
        assert await desk.queue.finish(late) == "lost"
        assert await desk.queue.finish(again) == "done"


class Broken:
    """An extractor that fails so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.asked = 0

    async def extract(
        self, turns: Sequence[Spoken], *, language: str, name: str, today: date
    ) -> tuple[Extracted, ...]:
        self.asked += 1
        if self.asked <= self.times:
            raise EngineFailed("the server is down")
        return await RuleExtractor().extract(turns, language=language, name=name, today=today)


async def test_a_failure_is_tried_again_later_and_later(desk: Desk) -> None:
    extractor = Broken(times=2)
    writer = Writer(desk.queue, desk.shelf, extractor, desk.vault)
    talk(desk.vault, "CA1", "I live in Munich.")
    writer.due("CA1", ANNA)
    desk.vault.end_call("CA1", "hangup")
    assert [await writer.work_off(), await writer.work_off()] == [1, 0]
    desk.clock.ahead_s = 11
    assert [await writer.work_off(), await writer.work_off()] == [1, 0]
    desk.clock.ahead_s = 31
    assert await writer.work_off() == 0
    desk.clock.ahead_s = 60
    assert await writer.work_off() == 1
    assert await desk.shelf.texts() == ["The caller lives in Munich."]


async def test_what_always_fails_is_put_aside_where_the_owner_sees_it(desk: Desk) -> None:
    limits = WriterLimits(attempts=2)
    writer = Writer(desk.queue, desk.shelf, Broken(times=2), desk.vault, limits=limits)
    talk(desk.vault, "CA1", "I live in Munich.")
    writer.due("CA1", ANNA)
    desk.vault.end_call("CA1", "hangup")
    await writer.work_off()
    desk.clock.ahead_s = 100
    await writer.work_off()
    assert await desk.queue.waiting() == Waiting(due=0, dead=1)
    desk.clock.ahead_s = 10_000
    assert await writer.work_off() == 0
    assert await desk.queue.revive() == 1
    assert await writer.work_off() == 1
    assert await desk.shelf.texts() == ["The caller lives in Munich."]


async def test_one_dead_job_does_not_hold_up_the_next_call(desk: Desk) -> None:
    limits = WriterLimits(attempts=1)
    writer = Writer(desk.queue, desk.shelf, Broken(times=1), desk.vault, limits=limits)
    for call_id in ("CA1", "CA2"):
        talk(desk.vault, call_id, "I live in Munich.")
        writer.due(call_id, ANNA)
        desk.vault.end_call(call_id, "hangup")
    assert await writer.work_off() == 2
    assert await desk.shelf.texts() == ["The caller lives in Munich."]


class Slow(VaultShelf):
    """A shelf that waits in the middle of writing."""

    def __init__(self, vault: Vault) -> None:
        super().__init__(vault)
        self.writing = asyncio.Event()
        self.go_on = asyncio.Event()

    async def write(self, subject: str, changes: Sequence[Change]) -> None:
        self.writing.set()
        await self.go_on.wait()
        await super().write(subject, changes)


async def test_a_no_while_it_is_being_written_takes_it_back(desk: Desk) -> None:
    shelf = Slow(desk.vault)
    writer = Writer(desk.queue, shelf, RuleExtractor(), desk.vault)
    talk(desk.vault, "CA1", "I live in Munich.")
    writer.due("CA1", ANNA)
    desk.vault.end_call("CA1", "hangup")
    working = asyncio.create_task(writer.work_off(), name="working")
    await asyncio.wait_for(shelf.writing.wait(), 10)
    writer.withdraw("CA1")
    shelf.go_on.set()
    await asyncio.wait_for(working, 10)
    assert await shelf.texts() == []


class Gone(VaultShelf):
    """A shelf whose person was forgotten while it was written, as the library reports it."""

    async def write(self, subject: str, changes: Sequence[Change]) -> None:
        raise KeyGone("The person was forgotten meanwhile; nothing is remembered.")


async def test_of_somebody_forgotten_meanwhile_the_job_goes_too(desk: Desk) -> None:
    writer = Writer(desk.queue, Gone(desk.vault), RuleExtractor(), desk.vault)
    talk(desk.vault, "CA1", "I live in Munich.")
    writer.due("CA1", ANNA)
    desk.vault.end_call("CA1", "hangup")
    assert await writer.work_off() == 1
    assert await desk.queue.waiting() == Waiting(due=0, dead=0)


async def test_forgetting_a_person_forgets_their_jobs(desk: Desk) -> None:
    talk(desk.vault, "CA1", "I live in Munich.")
    desk.writer.due("CA1", ANNA)
    desk.vault.end_call("CA1", "hangup")
    receipt = await desk.vault.forget(ANNA)
    assert receipt.done
    assert await desk.queue.waiting() == Waiting(due=0, dead=0)
    desk.writer.due("CA1", ANNA)
    assert await desk.writer.work_off() == 0
    assert await desk.shelf.texts() == []


async def test_no_word_of_a_job_lies_open_in_the_files(desk: Desk, tmp_path: Path) -> None:
    talk(desk.vault, "CA1", "I live in Xanadu Falls.")
    desk.writer.due("CA1", ANNA, person="Anna Xylander")
    desk.vault.end_call("CA1", "hangup")
    job = await desk.queue.take(lease_ms=1000)
    assert job is not None
    await desk.vault.flush()
    for secret in ("Xanadu", "Xylander", ANNA):
        assert files_with(tmp_path, secret) == []


async def test_the_worker_takes_up_what_was_left_and_closes_in_time(desk: Desk) -> None:
    talk(desk.vault, "CA1", "I live in Munich.")
    desk.writer.due("CA1", ANNA)
    desk.vault.end_call("CA1", "hangup")
    shelf = Slow(desk.vault)
    shelf.go_on.set()
    writer = Writer(desk.queue, shelf, RuleExtractor(), desk.vault)
    writer.resume()
    writer.resume()
    await asyncio.wait_for(shelf.writing.wait(), 10)
    await writer.close()
    await writer.close()
    assert await shelf.texts() == ["The caller lives in Munich."]


async def test_a_worker_that_is_closed_over_a_job_gives_it_back(desk: Desk) -> None:
    shelf = Slow(desk.vault)
    writer = Writer(desk.queue, shelf, RuleExtractor(), desk.vault, limits=WriterLimits(close_s=0.05))
    talk(desk.vault, "CA1", "I live in Munich.")
    writer.due("CA1", ANNA)
    desk.vault.end_call("CA1", "hangup")
    writer.resume()
    await asyncio.wait_for(shelf.writing.wait(), 10)
    await writer.close()
    job = await desk.queue.take(lease_ms=1000)
    assert job is not None
    assert (job.attempts, job.plan is None) == (1, False)


def test_limits_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="lease_s"):
        WriterLimits(work_s=60, lease_s=60)
    with pytest.raises(ValueError, match="positive"):
        WriterLimits(attempts=0)
