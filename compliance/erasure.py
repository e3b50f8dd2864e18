"""Erasing a person everywhere, in steps: a process killed at any of them finishes when it starts again.

    opened ─► keys_destroyed ─► rows ─► stores ─► scanned ─► receipt ─► closed

The keys go first, within seconds: from then on no copy of the data opens, wherever it is. What is left is to
remove what was sealed, to ask every store, to search the bytes, and to sign what was found. What was said is
needed for that search; it is kept sealed under a key of the erasure's own, which is destroyed with its end.

An erasure whose stores are not all clean stays open and is tried again (`resume`) for a day, then it is closed
with a receipt that says what is left. No result but clean, or a destroyed key, counts as done.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, insert, select, update

from compliance.errors import KeyGone, TwinError, VaultError
from compliance.forgetting.erasure_receipt import ErasureReceipt, Sign, signed
from compliance.forgetting.forgotten import CLOSED, KEYS_DESTROYED, ErasureLedger
from compliance.forgetting.needles import Sought, Wanted, seek
from compliance.forgetting.plan import Plan, delete_rows, is_left, joined, of_calls, of_people
from compliance.forgetting.stores import DONE, Outcome, Store
from compliance.forgetting.traces import Place, Traces, judge, look
from compliance.requests import Note
from compliance.store.forget import said_by_others
from compliance.store.schema import erasures, requests
from compliance.store.subject import normalise
from compliance.store.transaction import Transaction
from compliance.vault import Vault

log = logging.getLogger(__name__)

STEPS: Final = ("opened", "keys_destroyed", "rows", "stores", "scanned", "receipt", "closed")
_GIVE_UP_MS = 86_400_000
"""So long what could not be erased (a provider that does not answer) is tried again."""
_HOPELESS = ("unsupported",)
"""Results that trying again does not change."""
_PLACE = "erasures.sealed_plan"
_LOCK_FILE = "erasing.lock"
_LOCK_RETRY_S = 0.1
_LOCK_WAIT_S = 3_600.0

Sounds = Callable[[Sequence[str]], Awaitable[Sequence[bytes]]]
"""Pieces of the sound of these recordings, to be looked for; read before the keys go."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an erasure would take, for whoever decides."""

    calls: int
    recordings: int
    held: int
    """Calls and meetings under a hold; they go too."""
    provider_calls: int
    texts: int
    """Things they said or left."""
    meetings: int = 0
    """Meetings of others in which they took part; only what is theirs goes from them."""


class Eraser:
    """One for each process that erases; those of several processes wait for one another."""

    def __init__(
        self,
        vault: Vault,
        home: Path,
        ledger: ErasureLedger,
        stores: Sequence[Store],
        *,
        note: Note,
        sign: Sign,
        signing_key: str = "",
        places: Sequence[Place] = (),
        skip: Sequence[Path] = (),
        sounds: Sounds | None = None,
        now: Callable[[], float] = time.time,
        on_step: Callable[[str], None] = lambda step: None,
    ) -> None:
        """`stores` besides their own say what they erase in the order given; see `layout`.

        `places`: files that belong to a store without a folder; `skip`: folders in the home that hold downloads.
        `on_step` is told each step when it is stored.
        """
        self._vault = vault
        self._home = home
        self._ledger = ledger
        self._stores = tuple(stores)
        self._note = note
        self._sign = sign
        self._signing_key = signing_key
        self._places = (*places, *(Place(store.name, store.folder) for store in stores if store.folder))
        self._skip = tuple(skip)
        self._sounds = sounds
        self._now = now
        self._on_step = on_step

    async def preview(self, subject: str) -> Preview:
        """Count what `erase` would take. Raises `VaultError`."""
        name = normalise(subject)
        plan = await self._vault.run(
            lambda tx: of_people(tx, Plan("preview", (tx.lookup.of(name),), self._now_ms()))
        )
        texts = len(plan.wanted.said)
        return Preview(
            len(plan.call_ids),
            len(plan.recording_ids),
            plan.held,
            len(plan.references),
            texts,
            len(plan.meeting_ids),
        )

    async def erase(self, subject: str, *, request_id: str | None = None) -> ErasureReceipt:
        """Erase a person: a number, an address, an identity, or `call:<id>` for a caller nobody knew.

        Raises `VaultError` and `LedgerError`; what was begun is then finished by `resume`.
        """
        name = normalise(subject)

        def plan(tx: Transaction, empty: Plan) -> Plan:
            wanted = Wanted(names=(name,))
            return of_people(tx, replace(empty, lookups=(tx.lookup.of(name),), wanted=wanted))

        async with self._alone():
            return await self._carry_out(await self._open(plan, request_id))

    async def erase_calls(self, call_ids: Iterable[str]) -> ErasureReceipt:
        """Erase single calls with all that hangs on them; the person stays. Raises as `erase` does."""
        ids = tuple(call_ids)
        async with self._alone():
            return await self._carry_out(
                await self._open(lambda tx, empty: of_calls(tx, replace(empty, call_ids=ids)), None)
            )

    async def start(self) -> tuple[ErasureReceipt, ...]:
        """Before the service opens: finish what was begun, and erase again what a restored backup brought back.

        Raises as `erase` does, and the service must then not open.
        """
        receipts = await self.resume()
        again = await self.replay()
        return receipts if again is None else (*receipts, again)

    async def resume(self) -> tuple[ErasureReceipt, ...]:
        """Go on with every erasure that was begun and is not closed: at start (see `start`), and once an hour.

        Returns at once with nothing while another process erases, which goes on by itself. Raises as `erase` does.
        """
        receipts: list[ErasureReceipt] = []
        async with self._alone(wait=False) as mine:
            if not mine:
                return ()
            for erasure_id, plan in (await self._vault.run(_unfinished)).items():
                if plan is None:
                    await self._close(erasure_id)
                else:
                    receipts.append(await self._carry_out(plan))
        return tuple(receipts)

    async def replay(self) -> ErasureReceipt | None:
        """Erase again what a restored backup has brought back of people erased before; None when that is nobody.

        After `resume` (see `start`): what is half erased is no backup's doing. Raises as `erase` does.
        """
        async with self._alone():
            back = await self._back()
            if back is None:
                return None
            log.warning("a restored store held erased people; they are erased again")
            return await self._carry_out(await self._open(lambda tx, empty: of_people(tx, back), None))

    async def receipt(self, erasure_id: str) -> str | None:
        """The receipt of an erasure as JSON; None while there is none."""
        return await self._vault.run(
            lambda tx: tx.connection.execute(
                select(erasures.c.receipt).where(erasures.c.id == erasure_id)
            ).scalar()
        )

    async def _open(self, fill: Callable[[Transaction, Plan], Plan], request_id: str | None) -> Plan:
        empty = Plan(id=secrets.token_hex(8), lookups=(), opened_ms=self._now_ms(), request_id=request_id)
        plan = await self._vault.run(lambda tx: replace(fill(tx, empty), id=empty.id, opened_ms=empty.opened_ms))
        if self._sounds is not None and plan.recording_ids:
            sound = tuple(await self._sounds(plan.recording_ids))
            plan = replace(plan, wanted=replace(plan.wanted, sound=sound))
        await self._vault.run(lambda tx: _insert(tx, plan))
        self._note("erasure_opened", detail={"erasure": plan.id, "request": plan.request_id or ""})
        self._on_step("opened")
        return plan

    async def _carry_out(self, plan: Plan) -> ErasureReceipt:
        """Every step, also those that were taken before: each does nothing the second time."""
        await asyncio.to_thread(self._ledger.opened, plan.forgotten())
        plan = await self._destroy_keys(plan)
        plan = await self._delete_rows(plan)
        sought = await asyncio.to_thread(seek, plan.wanted)
        erased, failed = await self._erase_stores(plan, sought)
        await self._reached(plan.id, "stores")
        outcomes = await self._scan(plan, sought, erased, failed)
        await self._reached(plan.id, "scanned")
        return await self._finish(plan, sought, outcomes)

    async def _destroy_keys(self, plan: Plan) -> Plan:
        await self._vault.destroy_keys(plan.key_ids)
        if not plan.keys_destroyed_ms:
            plan = replace(plan, keys_destroyed_ms=self._now_ms())
        await asyncio.to_thread(self._ledger.step, plan.id, KEYS_DESTROYED, self._now_ms())
        await self._vault.run(lambda tx: _write_plan(tx, plan, "keys_destroyed"))
        self._on_step("keys_destroyed")
        return plan

    async def _delete_rows(self, plan: Plan) -> Plan:
        """Also of calls that began between the reading of the plan and the destruction of the keys."""
        grown = await self._vault.run(lambda tx: _grown(tx, plan))
        if grown.key_ids != plan.key_ids:
            await asyncio.to_thread(self._ledger.more, grown.forgotten())
            await self._vault.destroy_keys(grown.key_ids)

        def work(tx: Transaction) -> Plan:
            deleted = delete_rows(tx, grown)
            total = {**grown.deleted}
            for table, count in deleted.items():
                total[table] = total.get(table, 0) + count
            done = replace(grown, deleted=total)
            _write_plan(tx, done, "rows")
            return done

        plan = await self._vault.run(work)
        self._on_step("rows")
        return plan

    async def _erase_stores(self, plan: Plan, sought: Sought) -> tuple[dict[str, int], dict[str, str]]:
        erased: dict[str, int] = {}
        failed: dict[str, str] = {}
        for store in self._stores:
            try:
                erased[store.name] = await store.erase(plan, sought)
            except (TwinError, OSError) as error:
                failed[store.name] = _why(error)
        return erased, failed

    async def _scan(
        self, plan: Plan, sought: Sought, erased: dict[str, int], failed: dict[str, str]
    ) -> tuple[Outcome, ...]:
        known: dict[str, Outcome] = {}
        for store in self._stores:
            try:
                said = await store.check(plan, sought)
            except (TwinError, OSError) as error:
                said = Outcome(store.name, "failed", note=_why(error))
            if store.name in failed:
                said = replace(said, result="failed", note=failed[store.name])
            known[store.name] = replace(said, erased=erased.get(store.name, 0))
        traces = await asyncio.to_thread(look, self._home, self._places, self._skip, sought)
        shared = await self._shared(traces, sought)
        outcomes = dict(known)
        for trace in traces:
            outcomes[trace.store] = judge(trace, sought, shared, known.get(trace.store))
        return tuple(outcomes.values())

    async def _shared(self, traces: Sequence[Traces], sought: Sought) -> set[bytes]:
        """Which of what was found other people's rows contain too; read only when something was found."""
        if not any(trace.readable for trace in traces):
            return set()
        return await self._vault.run(lambda tx: said_by_others(tx, sought.needles))

    async def _finish(self, plan: Plan, sought: Sought, outcomes: tuple[Outcome, ...]) -> ErasureReceipt:
        now_ms = self._now_ms()
        receipt = ErasureReceipt(
            id=plan.id,
            subjects=plan.lookups,
            request=plan.request_id,
            opened_ms=plan.opened_ms,
            keys_destroyed_ms=plan.keys_destroyed_ms,
            finished_ms=now_ms,
            calls=len(plan.call_ids),
            held=plan.held,
            deleted=plan.deleted,
            needles=sought.needles.count,
            needles_offered=sought.needles.offered,
            complete=plan.complete,
            stores=outcomes,
            meetings=len(plan.meeting_ids),
        )
        text = signed(receipt, self._sign, self._signing_key)
        await self._vault.run(lambda tx: _write_receipt(tx, plan, text, done=receipt.done))
        self._on_step("receipt")
        hopeless = all(outcome.result in (*DONE, *_HOPELESS) for outcome in outcomes)
        if hopeless or now_ms - plan.opened_ms > _GIVE_UP_MS:
            await self._close(plan.id)
            # Without the person: a note about them would bring them back.
            self._note("erased", detail={"erasure": plan.id, "done": receipt.done})
        return receipt

    async def _close(self, erasure_id: str) -> None:
        not_purged = await self._vault.destroy_keys([_key(erasure_id)])
        if not_purged:
            log.warning("the key of an erasure could not be purged from the files", extra={"reason": not_purged})
        now_ms = self._now_ms()
        await self._vault.run(lambda tx: _write_closed(tx, erasure_id, now_ms))
        await asyncio.to_thread(self._ledger.step, erasure_id, CLOSED, now_ms)
        self._on_step("closed")

    async def _reached(self, erasure_id: str, step: str) -> None:
        await self._vault.run(lambda tx: _write_step(tx, erasure_id, step))
        self._on_step(step)

    async def _back(self) -> Plan | None:
        """All that is here again of people erased before, as one plan; None when that is nothing."""
        entries = await asyncio.to_thread(self._ledger.entries)
        if not entries:
            return None
        plan = Plan(
            id="",
            lookups=tuple(dict.fromkeys(entry.lookup for entry in entries if entry.lookup)),
            opened_ms=self._now_ms(),
            subject_ids=_every(entry.subject_ids for entry in entries),
            call_ids=_every(entry.call_ids for entry in entries),
            recording_ids=_every(entry.recording_ids for entry in entries),
            participant_ids=_every(entry.participant_ids for entry in entries),
        )
        nobody = replace(plan, subject_ids=(), call_ids=(), recording_ids=(), participant_ids=())
        keys = _every(entry.key_ids for entry in entries)

        def work(tx: Transaction) -> Plan | None:
            found = plan
            for entry in entries:
                if entry.lookup:
                    one = of_people(tx, replace(nobody, lookups=(entry.lookup,)), until_ms=entry.opened_ms)
                    found = replace(
                        found,
                        subject_ids=_every((found.subject_ids, one.subject_ids)),
                        call_ids=_every((found.call_ids, one.call_ids)),
                        participant_ids=_every((found.participant_ids, one.participant_ids)),
                        request_ids=_every((found.request_ids, _with_detail(tx, one.request_ids))),
                    )
            return found if found.request_ids or is_left(tx, found) or tx.keys.standing(keys) else None

        back = await self._vault.run(work)
        if back is None and not await asyncio.to_thread(self._files_of, plan):
            return None
        # The hashes are only for finding: who called again after they were erased is not erased with them.
        return replace(back or plan, lookups=())

    def _files_of(self, plan: Plan) -> bool:
        ids = {*plan.recording_ids, *plan.call_ids}
        folders = [store.folder for store in self._stores if store.name == "recordings" and store.folder]
        return any(path.name.split(".")[0] in ids for folder in folders for path in folder.rglob("*"))

    @contextlib.asynccontextmanager
    async def _alone(self, *, wait: bool = True) -> AsyncIterator[bool]:
        """Hold the lock against other erasures in this home; false when it is held and not waited for."""
        handle = await asyncio.to_thread(_lock_file, self._home / _LOCK_FILE)
        try:
            limit = time.monotonic() + _LOCK_WAIT_S
            while not (mine := _try_lock(handle)) and wait:
                if time.monotonic() > limit:
                    raise VaultError("Another process has been erasing for an hour; stop it, and start again.")
                await asyncio.sleep(_LOCK_RETRY_S)
            yield mine
        finally:
            os.close(handle)

    def _now_ms(self) -> int:
        return int(self._now() * 1000)


def _key(erasure_id: str) -> str:
    return f"erasure:{erasure_id}"


def _every(ids: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for several in ids for one in several))


def _why(error: TwinError | OSError) -> str:
    return error.message if isinstance(error, TwinError) else error.strerror or type(error).__name__


def _lock_file(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise VaultError(f"{path} cannot be made ({error.strerror}); check the folder's owner.") from error


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _insert(tx: Transaction, plan: Plan) -> None:
    row = {
        "id": plan.id,
        "request_id": plan.request_id,
        "lookup": plan.lookups[0] if len(plan.lookups) == 1 else "",
        "kind": None if plan.lookups else "calls",
        "step": "opened",
        "opened_ms": plan.opened_ms,
        "sealed_plan": tx.seal(plan.to_bytes(), key_id=_key(plan.id), place=_PLACE),
    }
    tx.connection.execute(insert(erasures), row)


def _write_plan(tx: Transaction, plan: Plan, step: str) -> None:
    sealed = tx.seal(plan.to_bytes(), key_id=_key(plan.id), place=_PLACE)
    _update(tx, plan.id, {"step": step, "sealed_plan": sealed})


def _write_step(tx: Transaction, erasure_id: str, step: str) -> None:
    _update(tx, erasure_id, {"step": step})


def _write_receipt(tx: Transaction, plan: Plan, text: str, *, done: bool) -> None:
    _update(tx, plan.id, {"step": "receipt", "receipt": text})
    if plan.request_id is not None:
        state = {"state": "done", "closed_ms": tx.now_ms} if done else {"state": "incomplete"}
        of_request = update(requests).where(requests.c.id == plan.request_id)
        tx.connection.execute(of_request.values(receipt=text, **state))


def _write_closed(tx: Transaction, erasure_id: str, at_ms: int) -> None:
    _update(tx, erasure_id, {"step": "closed", "finished_ms": at_ms, "sealed_plan": b""})


def _update(tx: Transaction, erasure_id: str, values: dict[str, Any]) -> None:
    tx.connection.execute(update(erasures).where(erasures.c.id == erasure_id).values(values))


def _unfinished(tx: Transaction) -> dict[str, Plan | None]:
    """Those that are not closed, the oldest first."""
    of_open = select(erasures.c.id).where(erasures.c.finished_ms.is_(None)).order_by(erasures.c.opened_ms)
    return {one: _read_plan(tx, one) for one in tx.connection.execute(of_open).scalars().all()}


def _read_plan(tx: Transaction, erasure_id: str) -> Plan | None:
    """The plan; None when its key was destroyed: all was done but the last note of it."""
    sealed = tx.connection.execute(select(erasures.c.sealed_plan).where(erasures.c.id == erasure_id)).scalar()
    try:
        return Plan.from_bytes(tx.open(sealed or b"", key_id=_key(erasure_id), place=_PLACE))
    except KeyGone:
        return None


def _grown(tx: Transaction, plan: Plan) -> Plan:
    """The plan with what has come since it was read."""
    grown = of_people(tx, replace(plan, lookups=(), call_ids=()), gather=False)
    taken = {*grown.participant_ids, *joined(tx, plan.call_ids)}
    new = (set(grown.call_ids) - set(plan.call_ids)) | (taken - set(plan.participant_ids))
    return of_people(tx, replace(plan, lookups=())) if new else plan


def _with_detail(tx: Transaction, request_ids: Sequence[str]) -> tuple[str, ...]:
    """The requests that say something of the person again."""
    detail: Column[Any] = requests.c.sealed_detail
    rows = tx.connection.execute(select(requests.c.id, detail).where(requests.c.id.in_(request_ids)))
    return tuple(row[0] for row in rows if row[1])
