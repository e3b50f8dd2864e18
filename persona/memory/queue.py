"""Calls of which something is to be remembered: durable, in the vault, and worked on by one process at a time.

A job is an item of the person whose call it was, named by the call, sealed under their own key: it goes with
them when they are forgotten. It holds no word of the call. The plain column `at_ms` says when it may be taken
next, which makes it a lease too: who takes a job moves that time on, in one transaction, before working; a process
that is killed leaves a job that is taken again when the time has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Select, and_, delete, exists, func, select, update
from sqlalchemy.engine import Row

from compliance.entries import EventEntry
from compliance.errors import KeyGone
from compliance.store import rows
from compliance.store.schema import calls, items
from compliance.store.seal import to_json
from compliance.store.transaction import Transaction
from compliance.vault import Vault
from persona.memory.changes import Change
from persona.memory.job import Job, from_bytes, to_bytes

JOB, DEAD = "memory_job", "memory_dead"
"""Kinds of items: what waits, and what was tried too often."""
REMEMBERED = "remembered"
"""The event of a call that says up to which turn it was worked through."""
_PLACE = "items.sealed_data"


Finished = Literal["done", "gone", "lost"]
"""gone: it was withdrawn, or the person forgotten, and what was written must go too; lost: it took longer than its
lease, and whoever has it now writes the same."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The queue in numbers, for `twin doctor`."""

    due: int
    """Jobs of calls that are over, or still going on."""
    dead: int
    """Jobs that failed too often; `MemoryQueue.revive` tries them again."""


class MemoryQueue:
    """The jobs of a vault. Several processes may use the same at once."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def add(self, call_id: str, subject: str, *, person: str = "") -> None:
        """Record a job; returns at once. A call that has one keeps it, with `person` if that is new.

        Raises `VaultError` when the vault's queue is full.
        """
        job = Job(call_id, subject, person)
        self._vault.record(lambda tx: _add(tx, job))

    def remove(self, call_id: str) -> None:
        """Record that nothing of the call is to be remembered after all; returns at once."""
        self._vault.record(lambda tx: _remove(tx, call_id))

    async def take(self, *, lease_ms: int) -> Job | None:
        """The oldest job of a call that is over, leased for as long; None when there is none to take now.

        Of one person only the oldest job is taken, so that what they said later is also remembered later.
        """
        return await self._vault.run(lambda tx: _take(tx, lease_ms))

    async def plan(self, job: Job, changes: Sequence[Change], *, through: int) -> Job | None:
        """The job with its plan, stored; None when it was withdrawn, or the lease was lost."""
        planned = replace(job, plan=tuple(changes), through=through)
        return planned if await self._vault.run(lambda tx: _store(tx, planned, at_ms=job.stamp_ms)) else None

    async def finish(self, job: Job) -> Finished:
        """The job is done and goes."""
        return await self._vault.run(lambda tx: _finish(tx, job))

    async def fail(self, job: Job, *, error: str, again_in_ms: int | None) -> None:
        """Try again later, or never: with None it is kept apart for the owner to see."""
        await self._vault.run(lambda tx: _fail(tx, replace(job, error=error), again_in_ms))

    async def release(self, job: Job) -> None:
        """Give back a job that was not tried to its end, because this process ends."""
        untried = replace(job, attempts=max(0, job.attempts - 1))
        await self._vault.run(lambda tx: _fail(tx, untried, 0))

    async def waiting(self) -> Waiting:
        """How much waits."""
        return await self._vault.run(_waiting)

    async def next_in_ms(self) -> int | None:
        """In how long the next job of a call that is over may be taken; None when there is none."""
        return await self._vault.run(_next_in)

    async def revive(self) -> int:
        """Try the dead jobs again; how many there were."""
        return await self._vault.run(_revive)

    async def ids(self, job: Job, count: int, *, through: int) -> tuple[str, ...]:
        """Ids for the memories of a job: the same for the same call and turns, and telling nothing of either."""

        def make(tx: Transaction) -> tuple[str, ...]:
            return tuple(tx.lookup.of(f"memory:{job.call_id}:{through}:{i}")[:32] for i in range(count))

        return await self._vault.run(make)


def _add(tx: Transaction, job: Job) -> bool:
    if not tx.connection.execute(select(calls.c.id).where(calls.c.id == job.call_id)).first():
        return False  # it was forgotten meanwhile
    for kind in (JOB, DEAD):
        row = tx.connection.execute(_of(job.call_id, kind)).first()
        if row is not None:
            known = _read(tx, row)
            if job.person and known is not None and known.plan is None:
                _store(tx, replace(known, person=job.person), at_ms=row.at_ms)
            return True
    rows.put_item(tx, job.subject, JOB, job.call_id, to_bytes(job), at_ms=tx.now_ms)
    return True


def _remove(tx: Transaction, call_id: str) -> bool:
    tx.connection.execute(delete(items).where(items.c.kind.in_((JOB, DEAD)), items.c.name == call_id))
    return True


def _take(tx: Transaction, lease_ms: int) -> Job | None:
    for row in tx.connection.execute(_ready().where(items.c.at_ms <= tx.now_ms).order_by(items.c.id)).all():
        stamp_ms = max(tx.now_ms + lease_ms, row.at_ms + 1)
        claim = update(items).where(items.c.id == row.id, items.c.at_ms == row.at_ms).values(at_ms=stamp_ms)
        job = _read(tx, row)
        # Another process may have claimed it between the two statements.
        if job is None or tx.connection.execute(claim).rowcount == 0:
            continue
        taken = replace(job, stamp_ms=stamp_ms, attempts=job.attempts + 1)
        if _store(tx, taken, at_ms=stamp_ms):
            return taken
    return None


def _store(tx: Transaction, job: Job, *, at_ms: int) -> bool:
    where = and_(items.c.id == job.row, items.c.kind == JOB, items.c.at_ms == at_ms)
    row = tx.connection.execute(select(items.c.subject_id).where(where)).first()
    if row is None:
        return False
    try:
        sealed = tx.seal(to_bytes(job), key_id=row.subject_id, place=_PLACE)
    except KeyGone:
        return False
    return tx.connection.execute(update(items).where(where).values(sealed_data=sealed)).rowcount == 1


def _finish(tx: Transaction, job: Job) -> Finished:
    where = and_(items.c.id == job.row, items.c.name == job.call_id)
    row = tx.connection.execute(select(items.c.subject_id, items.c.at_ms).where(where)).first()
    if row is None or tx.keys.is_gone(row.subject_id):
        return "gone"
    if row.at_ms != job.stamp_ms:
        return "lost"
    tx.connection.execute(delete(items).where(where))
    detail = to_json({"through": job.through, "changes": len(job.plan or ())})
    rows.write_event(tx, job.call_id, EventEntry(REMEMBERED, tx.now_ms), detail_json=detail)
    return "done"


def _fail(tx: Transaction, job: Job, again_in_ms: int | None) -> None:
    if not _store(tx, job, at_ms=job.stamp_ms):
        return
    values: dict[str, Any] = {"at_ms": tx.now_ms + (again_in_ms or 0)}
    if again_in_ms is None:
        values["kind"] = DEAD
    tx.connection.execute(update(items).where(items.c.id == job.row).values(values))


def _waiting(tx: Transaction) -> Waiting:
    count = select(items.c.kind, func.count()).where(items.c.kind.in_((JOB, DEAD))).group_by(items.c.kind)
    by_kind = {str(row[0]): int(row[1]) for row in tx.connection.execute(count).all()}
    return Waiting(due=by_kind.get(JOB, 0), dead=by_kind.get(DEAD, 0))


def _next_in(tx: Transaction) -> int | None:
    soonest = min((row.at_ms for row in tx.connection.execute(_ready()).all()), default=None)
    return None if soonest is None else max(0, soonest - tx.now_ms)


def _revive(tx: Transaction) -> int:
    revived = 0
    for row in tx.connection.execute(select(items).where(items.c.kind == DEAD)).all():
        tx.connection.execute(update(items).where(items.c.id == row.id).values(kind=JOB, at_ms=tx.now_ms))
        job = _read(tx, row)
        if job is not None:
            _store(tx, replace(job, attempts=0), at_ms=tx.now_ms)
        revived += 1
    return revived


def _ready() -> Select[Any]:
    """Jobs of calls that are over, of each person the oldest."""
    earlier = items.alias("earlier")
    first = ~exists().where(
        earlier.c.subject_id == items.c.subject_id, earlier.c.kind == JOB, earlier.c.id < items.c.id
    )
    over = and_(calls.c.id == items.c.name, calls.c.state == "ended")
    return select(items).join(calls, over).where(items.c.kind == JOB, first)


def _of(call_id: str, kind: str) -> Select[Any]:
    return select(items).where(items.c.kind == kind, items.c.name == call_id)


def _read(tx: Transaction, row: Row[Any]) -> Job | None:
    try:
        data = tx.open(row.sealed_data, key_id=row.subject_id, place=_PLACE)
    except KeyGone:
        return None
    return from_bytes(data, row=row.id, stamp_ms=row.at_ms)
