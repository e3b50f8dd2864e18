"""Writes down after a call what its caller agreed to have remembered: each turn once, whatever is killed when.

    writer = Writer(MemoryQueue(vault), library, extractor, vault)
    writer.resume()                         # at start: takes up what an earlier process left
    writer.due("CA1", "+493012345")         # in the call, when they said yes
    writer.withdraw("CA1")                  # in the call, when they said no after all
    await writer.close()

Nothing is read before the call is over, and then only what the vault holds of it: words that were heard. What is
to be written is worked out once and stored with the job, sealed, before it is written; so a process that died in
between, or a model that finds other words the second time, cannot make one memory two.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from compliance.errors import KeyGone, TwinError, VaultError
from compliance.vault import Vault
from persona.introduced import same_name
from persona.memory.changes import Change, Drop, Keep, Replace
from persona.memory.contradictions import resolve
from persona.memory.extraction import Extracted, Extractor
from persona.memory.job import Job
from persona.memory.queue import REMEMBERED, MemoryQueue
from persona.source import Memory

logger = logging.getLogger(__name__)


class Shelf(Protocol):
    """Where memories are kept: `persona.memory.library.Library`."""

    async def memories_of(self, subject: str) -> tuple[Memory, ...]:
        """All that is remembered of a person, or an error: what is missing could not be contradicted."""
        ...

    async def write(self, subject: str, changes: Sequence[Change]) -> None:
        """Carry out the changes. Doing the same again changes nothing, and `Drop` of what is not there is none.

        Raises `KeyGone` when the person was forgotten meanwhile, and has written nothing then.
        """
        ...


@dataclass(frozen=True, slots=True)
class WriterLimits:
    """How long and how often; `lease_s` is longer than `work_s`, so that no two processes work on one job."""

    work_s: float = 45.0
    """For one call, a model's answer included."""
    lease_s: float = 60.0
    """After a process was killed over a job, it is taken again after so long."""
    poll_s: float = 5.0
    """How often is looked for calls that have ended, or were left by another process."""
    attempts: int = 5
    """After so many failures a job is kept apart until `MemoryQueue.revive`."""
    again_s: float = 10.0
    """Before the second attempt; four times as long before each further one, an hour at most."""
    memories: int = 50
    """Most of one call, the most important ones."""
    close_s: float = 5.0
    """What is left after that is taken up at the next start."""

    def __post_init__(self) -> None:
        if not 0 < self.work_s < self.lease_s:
            raise ValueError("lease_s must be longer than work_s")
        if self.attempts < 1 or self.memories < 1 or min(self.poll_s, self.again_s, self.close_s) <= 0:
            raise ValueError("attempts, memories and times must be positive")


class Writer:
    """One per process."""

    def __init__(
        self,
        queue: MemoryQueue,
        shelf: Shelf,
        extractor: Extractor,
        vault: Vault,
        *,
        zone: tzinfo = UTC,
        limits: WriterLimits | None = None,
    ) -> None:
        """`zone` is the owner's: "tomorrow" is the day after the call's there."""
        self._queue = queue
        self._shelf = shelf
        self._extractor = extractor
        self._vault = vault
        self._zone = zone
        self._limits = limits or WriterLimits()
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._job: Job | None = None

    def due(self, call_id: str, subject: str | None, *, person: str = "") -> None:
        """What the caller says in this call may be remembered, also what they said before; returns at once.

        `person` is who speaks, once the call has made that sure (`Identity.speaker`); call again when it changes.
        Of nobody known nothing is remembered. Raises `VaultError` when the vault's queue is full.
        """
        if subject:
            self._queue.add(call_id, subject, person=person)
            self._wake.set()

    def withdraw(self, call_id: str) -> None:
        """Nothing of this call may be remembered; returns at once. Raises `VaultError`."""
        self._queue.remove(call_id)

    def ended(self) -> None:
        """A call is over: look now instead of at the next poll."""
        self._wake.set()

    def resume(self) -> None:
        """Begin to work; calling it again does nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="memory-writer")

    async def close(self) -> None:
        """Finish the job at hand within the limit, and stop; safe to call twice."""
        self._closing = True
        self._wake.set()
        task, self._task = self._task, None
        if task is None:
            return
        _, late = await asyncio.wait({task}, timeout=self._limits.close_s)
        if late:
            task.cancel()
            await asyncio.wait({task}, timeout=self._limits.close_s)
            if self._job is not None:
                with contextlib.suppress(VaultError):  # then the lease runs out by itself
                    await self._queue.release(self._job)

    async def work_off(self) -> int:
        """Work on all that can be taken now, in the caller's task; how many jobs that were."""
        count = 0
        while not self._closing and (job := await self._queue.take(lease_ms=int(self._limits.lease_s * 1000))):
            await self._work(job)
            count += 1
        return count

    async def _run(self) -> None:
        while not self._closing:
            self._wake.clear()
            wait_s = self._limits.poll_s
            try:
                await self.work_off()
                next_ms = await self._queue.next_in_ms()
                wait_s = wait_s if next_ms is None else min(wait_s, max(0.05, next_ms / 1000))
            except VaultError:
                logger.warning("the memory queue cannot be read now", exc_info=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)

    async def _work(self, job: Job) -> None:
        self._job = job
        error = ""
        try:
            async with asyncio.timeout(self._limits.work_s):
                await self._carry_out(job)
        except KeyGone:
            with contextlib.suppress(VaultError):  # it went with the person anyway
                self._queue.remove(job.call_id)
        except TimeoutError:
            error = "timeout"
        except TwinError as failure:
            error = failure.code
        except Exception as failure:  # noqa: BLE001 - a store of mem0's may raise anything; the job is tried again
            error = f"unexpected.{type(failure).__name__}"
        if error:
            await self._failed(job, error)
        self._job = None

    async def _failed(self, job: Job, error: str) -> None:
        dead = job.attempts >= self._limits.attempts
        again_s = min(3600.0, self._limits.again_s * 4 ** (job.attempts - 1))
        logger.warning(
            "a call's memories were not written",
            extra={"call": job.call_id, "error": error, "attempts": job.attempts, "dead": dead},
        )
        try:
            await self._queue.fail(job, error=error, again_in_ms=None if dead else int(again_s * 1000))
        except VaultError:
            logger.warning("a job of the memory queue waits for its lease to run out", extra={"call": job.call_id})

    async def _carry_out(self, job: Job) -> None:
        planned = job if job.plan is not None else await self._planned(job)
        if planned is None:
            return
        self._job = planned
        changes = planned.plan or ()
        if changes:
            await self._shelf.write(planned.subject, changes)
        if await self._queue.finish(planned) == "gone" and changes:
            # They said no, or were forgotten, while it was being written.
            written = [Drop(change.memory.id) for change in changes if isinstance(change, Keep | Replace)]
            await self._shelf.write(planned.subject, written)

    async def _planned(self, job: Job) -> Job | None:
        """The job with what is to be written; None when there is nothing more to be done about it."""
        found = await self._vault.call(job.call_id)
        if found is None:
            self._queue.remove(job.call_id)
            return None
        done = [event.detail.get("through", -1) for event in found.events if event.kind == REMEMBERED]
        turns = [turn for turn in found.turns if turn.sequence > max(done, default=-1)]
        through = max((turn.sequence for turn in turns), default=-1)
        started = datetime.fromtimestamp(found.call.started_ms / 1000, self._zone)
        everything = await self._extractor.extract(
            turns, language=found.call.language or "en", name=job.person, today=started.date()
        )
        said = _most_important(everything, self._limits.memories)
        known = await self._shelf.memories_of(job.subject)
        ids = iter(await self._queue.ids(job, len(said), through=through))
        changes = resolve(
            known,
            said,
            now_ms=found.call.started_ms,
            new_id=lambda: next(ids),
            person=job.person or _speaker(said, known),
            call_id=job.call_id,
        )
        return await self._queue.plan(job, changes, through=through)


def _speaker(said: Sequence[Extracted], known: Sequence[Memory]) -> str:
    """Who spoke, by the name they gave, in the spelling that is known; empty when they gave none."""
    given = next((entry.name for entry in said if entry.name), "")
    known_as = {memory.person for memory in known if memory.person and same_name(given, memory.person)}
    return known_as.pop() if len(known_as) == 1 else given


def _most_important(said: Sequence[Extracted], limit: int) -> list[Extracted]:
    """The most important ones, in the order in which they were said."""
    best = sorted(range(len(said)), key=lambda i: (-said[i].importance, i))[:limit]
    return [said[i] for i in sorted(best)]
