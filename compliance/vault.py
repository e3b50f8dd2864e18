"""The vault: the only way in which bytes about a person are stored, read and forgotten.

    async with Vault(home, settings) as vault:
        vault.begin_call("CA1", channel="phone", subject="+493012345")
        vault.turn_heard("CA1", TurnEntry(sequence=0, who="caller", ...))
        vault.end_call("CA1", "hangup")

What happens in a call is *recorded*: the method returns at once, in order, and raises `VaultError` only when
the queue is full, the vault is not open, or a word meant to stay in the clear is not a plain word. The
record is committed within the next batch (`StoreSettings.batch_ms`); `flush` waits for that. A record that
the database cannot take now stays in the queue and is tried again; `health` says so meanwhile. Everything
awaited sees what was recorded before it, and raises `VaultError` when it takes longer than its limit.

Personal parts are sealed (see `seal`); ids, kinds, times and positions are not, and must not be personal.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from compliance.clear import plain_id, plain_language, plain_word
from compliance.entries import (
    CallEntry,
    CallFilter,
    CallState,
    Conversation,
    Counters,
    EventEntry,
    MessageEntry,
    MinuteEntry,
    TurnEntry,
)
from compliance.errors import KeyGone, VaultError
from compliance.forgetting.scan import Needles
from compliance.settings import StoreSettings
from compliance.store import forget as erasure
from compliance.store import people, reads, rows
from compliance.store.binding import bind
from compliance.store.connect import describe
from compliance.store.database import Database
from compliance.store.forget import CALL_KIND, MESSAGE_KIND, Finding, Receipt
from compliance.store.keys import Keys
from compliance.store.master import MasterKey
from compliance.store.seal import Sealer, to_json
from compliance.store.subject import Lookup, is_of_call, normalise, of_participant
from compliance.store.transaction import Transaction
from compliance.store.workers import WorkerLock, life, sweep
from compliance.store.writer import Writer

T = TypeVar("T")

_TOKEN_KEPT_MS = 3_600_000
"""Spent tokens stay this long after they expired, for machines whose clocks differ."""


class Vault:
    """One store, used by one process; several processes may use the same store at once."""

    def __init__(
        self, home: Path, settings: StoreSettings | None = None, *, now: Callable[[], float] = time.time
    ) -> None:
        """`now` is Unix time in seconds. Nothing is touched before `open`."""
        self._home = home
        self._settings = settings or StoreSettings()
        self._now = now
        self._database = Database(home, self._settings)
        self._keys = Keys(home, self._settings, now=now)
        self._writer = Writer(
            self._begin, limit=self._settings.queue_records, batch_s=self._settings.batch_ms / 1000
        )
        self._lookup = Lookup(b"")
        self._lock: WorkerLock | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Connect, upgrade, and end as `interrupted` the live calls of processes that died.

        Raises `VaultError`. A vault opens once.
        """
        self._writer.start()
        try:
            await self._answer(self._writer.ask_alone(self._open), self._settings.forget_s)
        except BaseException:  # also when it is cancelled: the thread and the lock must not outlive it
            await self._stop()
            raise

    async def close(self) -> None:
        """Write what is queued and end this process's live calls, within `drain_s`; safe to call twice.

        Raises `VaultError` when records could not be written in that time.
        """
        if self._lock is not None:
            worker = self._lock.worker
            # With a full queue it is left to the next process that opens the store.
            with contextlib.suppress(VaultError):
                self._writer.record(lambda connection: _interrupt(connection, [worker]))
        left = await self._stop()
        if left:
            raise VaultError(f"{left} records could not be written before the store was closed.")

    def health(self) -> str | None:
        """None when the store works, else why not, in one line."""
        return self._writer.health() if self._lock is not None else "the store is not open"

    def counters(self) -> Counters:
        """The store in numbers."""
        return self._writer.counters()

    async def flush(self) -> None:
        """Return when everything recorded before is committed; raises `VaultError` when some of it was not."""
        await self._answer(self._writer.flush(), self._settings.wait_s)

    def begin_call(
        self,
        call_id: str,
        *,
        channel: str,
        subject: str | None = None,
        detail: Mapping[str, Any] | None = None,
        language: str = "",
        provider_ref: str = "",
    ) -> None:
        """Record that a call began. `subject` is who called, where known; `detail` is JSON, and sealed.

        A call of nobody known can be forgotten by the name `call:<id>`; it reads as None, and who gives
        such a name as theirs is nobody known. `provider_ref` is what the provider calls it.
        """
        who = normalise(subject) if subject is not None else None
        call = CallEntry(
            id=plain_id(call_id),
            channel=plain_word(channel),
            subject=None if who is None or is_of_call(who) else who,
            started_ms=self._now_ms(),
            ended_ms=None,
            end_reason=None,
            state="live",
            language=plain_language(language),
            provider_ref=plain_id(provider_ref) if provider_ref else "",
        )
        text = _detail(detail)
        worker = self._lock.worker if self._lock else ""
        self._record(lambda tx: rows.begin_call(tx, worker, call, detail_json=text))

    def end_call(self, call_id: str, reason: str) -> None:
        """Record that a call ended; the first reason stays."""
        at_ms, reason = self._now_ms(), plain_word(reason)
        self._record(lambda tx: rows.end_call(tx.connection, call_id, reason, at_ms=at_ms))

    def participant(self, call_id: str, identity: str, name: str = "") -> None:
        """Record that somebody takes part in a meeting and was told what the twin is; or their new name, or that
        they are back. Only then anything of theirs is kept, under a key of their own for this meeting; who
        was forgotten while it went on is not taken in again, and nothing more of theirs is kept in it.

        `identity` is a number in E.164, an e-mail address or what the room vouches for; by it they are forgotten.
        """
        who, at_ms = of_participant(identity), self._now_ms()
        self._record(lambda tx: people.join(tx, call_id, who, name, at_ms=at_ms))

    def participant_left(self, call_id: str, identity: str) -> None:
        """Record that they have left the meeting."""
        who, at_ms = of_participant(identity), self._now_ms()
        self._record(lambda tx: people.leave(tx, call_id, who, at_ms=at_ms))

    def turn_heard(self, call_id: str, turn: TurnEntry) -> None:
        """Record a turn, or what is heard of it by now: the same `sequence` again replaces it."""
        at_ms = self._now_ms()
        if turn.provenance:
            plain_word(turn.provenance)
        if turn.speaker:
            turn = replace(turn, speaker=of_participant(turn.speaker))
        self._record(lambda tx: rows.write_turn(tx, call_id, turn, at_ms=at_ms))

    def turns_forgotten(self, call_id: str, *, speaker: str = "") -> None:
        """Record that what was said in a call so far is not to be kept: the turns go, the call stays.

        `speaker`: in a meeting, only what is that participant's, and nobody else's.
        """
        who = of_participant(speaker) if speaker else ""
        self._record(lambda tx: rows.forget_turns(tx, call_id, who))
        self._writer.ask_alone(self._database.settle)

    def event(
        self,
        call_id: str,
        kind: str,
        *,
        position_samples: int | None = None,
        rate_hz: int | None = None,
        detail: Mapping[str, Any] | None = None,
        speaker: str = "",
    ) -> None:
        """Record an event. `detail` is small, JSON, and sealed; under the key of the participant `speaker` whom it
        is about, and nothing that points to a participant belongs into any other."""
        who = of_participant(speaker) if speaker else ""
        entry = EventEntry(plain_word(kind), self._now_ms(), position_samples, rate_hz, speaker=who)
        text = _detail(detail)
        self._record(lambda tx: rows.write_event(tx, call_id, entry, detail_json=text))

    def message(self, text: str, *, call_id: str | None = None, subject: str | None = None) -> str:
        """Record a message for the owner, and return its id."""
        who = normalise(subject) if subject is not None else None
        entry = MessageEntry(secrets.token_hex(16), self._now_ms(), text, call_id, who)
        self._record(lambda tx: rows.write_message(tx, entry))
        return entry.id

    def minutes(self, call_id: str, entries: Sequence[MinuteEntry]) -> None:
        """Record what a meeting comes down to for the owner, in place of what was recorded of it before."""
        at_ms = self._now_ms()
        kept = [
            replace(entry, speaker=of_participant(entry.speaker)) if entry.speaker else entry for entry in entries
        ]
        self._record(lambda tx: rows.write_minutes(tx, call_id, kept, at_ms=at_ms))

    async def spend_token(self, nonce_hash: str, expires_at: float) -> bool:
        """True for the first use of a token before `expires_at` (Unix seconds), once for all processes."""
        now_ms = self._now_ms()
        expires_ms = int(expires_at * 1000)
        if expires_ms <= now_ms:
            return False
        sweep_before_ms = now_ms - _TOKEN_KEPT_MS
        nonce_hash = plain_id(nonce_hash)
        return await self._ask(
            lambda connection: rows.spend_token(
                connection, nonce_hash, expires_ms=expires_ms, sweep_before_ms=sweep_before_ms
            )
        )

    async def calls(
        self,
        *,
        limit: int = 50,
        before: str | None = None,
        channel: str | None = None,
        state: CallState | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
        subject: str | None = None,
        has_recording: bool | None = None,
        language: str | None = None,
    ) -> tuple[CallEntry, ...]:
        """The newest calls first, or those older than the call with the id `before`.

        Each other argument leaves out what it does not fit; they began at `since_ms` or later, and before
        `until_ms`; `subject` called, or took part.
        """
        wanted = CallFilter(channel, state, since_ms, until_ms, subject, has_recording, language)
        return await self.run(lambda tx: reads.read_calls(tx, wanted, limit=limit, before=before))

    async def call(self, call_id: str) -> Conversation | None:
        """A call with all that is stored of it; None when there is none."""
        return await self.run(lambda tx: reads.read_conversation(tx, call_id))

    async def messages(self, *, limit: int = 50) -> tuple[MessageEntry, ...]:
        """The newest messages for the owner first."""
        return await self.run(lambda tx: reads.read_messages(tx, limit=limit))

    async def put(self, subject: str, kind: str, data: bytes, *, name: str = "") -> None:
        """Keep bytes about a person, replacing those of the same kind and name; committed on return."""
        if plain_word(kind) in (CALL_KIND, MESSAGE_KIND):
            raise VaultError(f"{kind!r} has methods of its own; put another kind.")
        at_ms, name = self._now_ms(), plain_id(name) if name else ""
        await self.run(lambda tx: rows.put_item(tx, subject, kind, name, data, at_ms=at_ms))

    async def get(self, subject: str, kind: str, *, name: str = "") -> bytes | None:
        """The bytes kept about a person under that kind and name."""
        key = self._lookup.of(subject)
        return await self.run(lambda tx: reads.get_item(tx, key, kind, name))

    async def names(self, subject: str, kind: str) -> tuple[str, ...]:
        """The names under which `kind` is kept about a person."""
        key = self._lookup.of(subject)
        return await self.run(lambda tx: reads.item_names(tx, key, kind))

    async def forget(self, subject: str, kind: str | None = None) -> Receipt:
        """Delete all that is stored about a person (or one kind: `call`, `message`, or what was `put`).

        Deletes the rows, rewrites the files, then searches their bytes for what was deleted. The receipt
        names every store; `receipt.done` is true only when each was purged, scanned and found clean. Slow:
        it rewrites the database, and records wait in the queue meanwhile. Raises `VaultError`.
        """
        asked_ms, limit_s, name = self._now_ms(), self._settings.forget_s, normalise(subject)
        key = self._lookup.of(subject)
        erased = await self._answer(
            self._writer.ask(
                lambda connection: erasure.erase_rows(
                    self._transaction(connection), subject=name, lookup=key, kind=kind
                )
            ),
            limit_s,
        )
        if erased.key_ids:
            await self.destroy_keys(erased.key_ids)
        not_purged = await self.purge()
        return Receipt(
            id=secrets.token_hex(8),
            subject=key,
            kind=kind,
            asked_ms=asked_ms,
            deleted=erased.deleted,
            stores=await self.scan(erased.needles, not_purged=not_purged),
            finished_ms=self._now_ms(),
        )

    async def purge(self) -> str:
        """Rewrite the files without what was deleted from them. Returns why not, or nothing when it was done.

        Slow, and records wait in the queue meanwhile. Raises `VaultError`.
        """
        return await self._answer(
            self._writer.ask_alone(lambda: self._database.purge(limit_s=self._settings.wait_s)),
            self._settings.forget_s,
        )

    async def scan(self, needles: Needles, *, not_purged: str = "") -> tuple[Finding, ...]:
        """Look through the bytes of every file of the database; `not_purged` is what `purge` returned."""
        stored = await self._answer(self._writer.ask_alone(self._database.stored), self._settings.forget_s)
        if stored.unreadable:
            note = "; ".join(filter(None, (stored.unreadable, not_purged)))
            return (Finding("server", "not_scanned", 0, needles.count, found=0, note=note),)
        read = await asyncio.to_thread(erasure.scan, stored.files, needles)
        shared: set[bytes] = set()
        if any(not isinstance(result, OSError) and result[0] for result in read.values()):
            shared = await self._answer(
                self._writer.ask(
                    lambda connection: erasure.said_by_others(self._transaction(connection), needles)
                ),
                self._settings.forget_s,
            )
        return tuple(
            erasure.judge(name, result, needles=needles, shared=shared, not_purged=not_purged)
            for name, result in read.items()
        )

    def _open(self) -> None:
        """On the writer's thread."""
        self._lookup = bind(
            self._home, self._database, self._keys, now_ms=self._now_ms(), limit_s=self._settings.wait_s
        )
        with self._begin() as connection:
            locks = self._database.locks
            dead = [worker for worker in rows.live_workers(connection) if self._is_dead(worker)]
            rows.interrupt_calls(connection, dead)
        sweep(locks)
        self._lock = WorkerLock(locks)

    def _is_dead(self, worker: str) -> bool:
        state = life(self._database.locks, worker)
        # No sign at all: beside a SQLite file that is a restored copy; on a server it is another machine's.
        return state == "dead" or (state == "unknown" and self._database.file is not None)

    def _begin(self) -> AbstractContextManager[Connection]:
        return self._database.engine.begin()

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """Do work of this folder's other files in one transaction on the writer's thread; committed on return.

        It sees everything recorded before. Raises any `TwinError` of `work`, and `VaultError` for all else.
        """
        return await self._ask(lambda connection: work(self._transaction(connection)))

    def record(self, work: Callable[[Transaction], bool]) -> None:
        """The same without waiting: queued, in order, tried again while the database cannot take it.

        `work` returns false when there was nothing to attach it to; raising `KeyGone` says the same and undoes
        what it wrote. It may be called again in a new transaction. Raises `VaultError` when the queue is full.
        """

        def undone(tx: Transaction) -> bool:
            with tx.connection.begin_nested():
                return work(tx)

        self._record(undone)

    @property
    def master(self) -> MasterKey:
        """The master key, for the other keys of this twin that are kept in files. Raises `VaultError`."""
        return self._keys.master

    def sealer(self, key_id: str) -> Sealer:
        """Seals for one person or call outside the database; returns at once, and is used from any thread."""
        return Sealer(self._keys, key_id)

    async def destroy_keys(self, key_ids: Iterable[str]) -> str:
        """Destroy these keys for ever: nothing that was sealed under them opens again, in any copy.

        This process stops using them at once, others within `keys.CACHED_S`. Returns why their bytes could not
        be purged from the key store's files, or nothing. Raises `VaultError`.
        """
        ids = list(key_ids)
        try:
            return await asyncio.to_thread(self._keys.destroy, ids)
        except SQLAlchemyError as error:
            raise VaultError(f"The key store cannot be used now: {describe(error)}.") from error

    def _record(self, work: Callable[[Transaction], bool]) -> None:
        """Queue work that seals before it writes, so that nothing of it is left when the key is gone."""

        def attempt(connection: Connection) -> bool:
            try:
                return work(self._transaction(connection))
            except KeyGone:
                return False  # the person was forgotten meanwhile

        self._writer.record(attempt)

    def _transaction(self, connection: Connection) -> Transaction:
        return Transaction(connection, self._keys, self._lookup, self._now_ms())

    async def _ask(self, run: Callable[[Connection], T]) -> T:
        return await self._answer(self._writer.ask(run), self._settings.wait_s)

    async def _answer(self, future: Future[T], limit_s: float) -> T:
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            why = self._writer.health() or "it is busy"
            raise VaultError(f"The store did not answer within {limit_s:g} s: {why}.") from None

    async def _stop(self) -> int:
        left = await asyncio.to_thread(self._writer.stop, self._settings.drain_s)
        self._database.close()
        self._keys.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        return left

    def _now_ms(self) -> int:
        return int(self._now() * 1000)


def _interrupt(connection: Connection, workers: list[str]) -> bool:
    rows.interrupt_calls(connection, workers)
    return True


def _detail(detail: Mapping[str, Any] | None) -> str:
    try:
        return to_json(dict(detail or {}))
    except (TypeError, ValueError) as error:
        raise VaultError("The detail of a call or an event must be JSON.") from error
