"""The sweeper: deletes what is past its date, and says what it did.

    sweeper = Sweeper(vault, settings.retention, delete_recording=recordings.delete, note=evidence.note)
    swept = await sweeper.sweep(dry_run=True)

What it deletes is gone as after an erasure: rows first, then their keys, then the bytes of both files. A call's
key stays until nothing of the call is left, because the proof of what the caller was told is sealed under it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Table, delete, exists, or_, select, update

from compliance.errors import KeyGone, TwinError
from compliance.forgetting.kept import past
from compliance.forgetting.stores import Copies
from compliance.retention import KINDS, Due, Kind, due
from compliance.settings import RetentionSettings
from compliance.store.schema import (
    calls,
    consents,
    erasures,
    events,
    evidence,
    items,
    messages,
    minutes,
    participants,
    recordings,
    requests,
    sessions,
    subjects,
    tokens,
    turns,
    watermarks,
)
from compliance.store.subject import HIDDEN
from compliance.store.transaction import Transaction
from compliance.vault import Vault

logger = logging.getLogger(__name__)

BATCH = 200
"""Rows of one transaction: calls go on being written between two of them."""
MOST = 10_000
"""Of each kind in one sweep; what is left is due at the next."""
_ROWS: dict[Kind, tuple[Table, Any]] = {
    "message": (messages, messages.c.id),
    "consent": (consents, consents.c.id),
    "evidence": (evidence, evidence.c.leaf),
    "request": (requests, requests.c.id),
    "erasure": (erasures, erasures.c.id),
    "session": (sessions, sessions.c.token_hash),
    "token": (tokens, tokens.c.nonce_hash),
}


class Note(Protocol):
    """Writes down in the evidence that something happened."""

    def __call__(self, kind: str, *, detail: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did, or would do."""

    due: tuple[Due, ...]
    """What was past its date."""
    gone: tuple[Due, ...]
    """What was deleted of it; nothing in a dry run."""
    failed: tuple[str, ...] = ()
    """What could not be deleted and why, in one line each; the next sweep tries again."""

    @property
    def counts(self) -> dict[str, int]:
        """How many went, or would go, of each kind."""
        return dict(Counter(entry.kind for entry in self.gone or self.due))

    def to_json(self) -> dict[str, Any]:
        """For a script: ids and reasons, no names."""
        return {
            "due": [asdict(entry) for entry in self.due],
            "gone": [asdict(entry) for entry in self.gone],
            "failed": list(self.failed),
        }


class Sweeper:
    """Deletes what is past its date. Several processes may sweep at once."""

    def __init__(
        self,
        vault: Vault,
        settings: RetentionSettings,
        *,
        delete_recording: Callable[[str], Awaitable[bool]] | None = None,
        copies: Sequence[Copies] = (),
        forget_search: Callable[[Sequence[str]], Awaitable[None] | None] | None = None,
        note: Note | None = None,
    ) -> None:
        """`delete_recording` destroys one by its id and is false when it has to stay; `copies` are what providers
        keep of calls; `forget_search` is told the calls whose words went."""
        self._vault = vault
        self._settings = settings
        self._delete_recording = delete_recording
        self._copies = tuple(copies)
        self._forget_search = forget_search
        self._note = note

    async def sweep(self, *, dry_run: bool = False) -> Swept:
        """Delete what is past its date, or only say what would go. Raises `VaultError`."""
        if dry_run:
            found = [entry for kind in KINDS for entry in await self._due(kind, MOST)]
            return Swept(tuple(found), ())
        gone: list[Due] = []
        asked: list[Due] = []
        failed: list[str] = []
        for kind in KINDS:
            await self._sweep(kind, asked, gone, failed)
        if any(entry.kind not in ("session", "token") for entry in gone):
            failed += filter(None, [await self._vault.purge()])
        if gone:
            self._tell(gone, failed)
        return Swept(tuple(asked), tuple(gone), tuple(failed))

    async def _sweep(self, kind: Kind, asked: list[Due], gone: list[Due], failed: list[str]) -> None:
        seen: set[str] = set()
        while len(seen) < MOST:
            batch = [entry for entry in await self._due(kind, BATCH + len(seen)) if entry.id not in seen][:BATCH]
            if not batch:
                return
            seen |= {entry.id for entry in batch}
            asked += batch
            try:
                gone += await self._delete(kind, batch)
            except TwinError as error:
                failed.append(f"{kind}: {error.message}")
                return

    async def _due(self, kind: Kind, limit: int) -> tuple[Due, ...]:
        return await self._vault.run(
            lambda tx: due(past(tx, kind, self._settings, limit=limit), self._settings, tx.now_ms)
        )

    async def _delete(self, kind: Kind, batch: Sequence[Due]) -> list[Due]:
        """Those that are gone."""
        if kind == "recording":
            return [entry for entry in batch if await self._recording_gone(entry)]
        if kind == "words":
            batch = await self._copies_gone(batch)
        ids = [entry.id for entry in batch]
        left, keys = await self._vault.run(lambda tx: _delete_rows(tx, kind, ids, self._settings))
        if keys and (why := await self._vault.destroy_keys(keys)):
            logger.warning("keys were destroyed but their bytes are still in a file", extra={"reason": why})
        if kind == "words" and self._forget_search is not None:
            told = self._forget_search(ids)
            if told is not None:
                await told
        return [entry for entry in batch if entry.id not in left]

    async def _recording_gone(self, entry: Due) -> bool:
        return self._delete_recording is not None and await self._delete_recording(entry.id)

    async def _copies_gone(self, batch: Sequence[Due]) -> Sequence[Due]:
        """Those calls of which no provider keeps anything (any more): their names at the provider may go."""
        if not self._copies:
            return batch
        ids = [entry.id for entry in batch]
        named = await self._vault.run(lambda tx: _references(tx, ids))
        kept: set[str] = set()
        for call_id, reference in named.items():
            for copies in self._copies:
                try:
                    await copies.erase((reference,), ())
                    if await copies.left((reference,), ()):
                        kept.add(call_id)
                except TwinError as error:
                    logger.warning("a provider still has a call that is past its date", extra={"code": error.code})
                    kept.add(call_id)
        return [entry for entry in batch if entry.id not in kept]

    def _tell(self, gone: Sequence[Due], failed: Sequence[str]) -> None:
        counts = dict(Counter(entry.kind for entry in gone))
        logger.info("swept", extra={"counts": counts, "failed": len(failed)})
        if self._note is not None:
            self._note("swept", detail={"counts": counts, "failed": len(failed)})


async def keep_sweeping(sweeper: Sweeper, settings: RetentionSettings) -> None:
    """Sweep at once and then every `sweep_hours`, until cancelled; a store that fails is tried again next time."""
    while True:
        begun = time.monotonic()
        try:
            await sweeper.sweep()
        except TwinError as error:
            logger.error("the sweep failed and is tried again", extra={"code": error.code})
        await asyncio.sleep(max(settings.sweep_hours * 3600 - (time.monotonic() - begun), 1.0))


def _references(tx: Transaction, ids: Sequence[str]) -> dict[str, str]:
    query = select(calls.c.id, calls.c.provider_ref).where(calls.c.id.in_(ids), calls.c.provider_ref != "")
    return {row[0]: row[1] for row in tx.connection.execute(query)}


def _delete_rows(
    tx: Transaction, kind: Kind, ids: Sequence[str], settings: RetentionSettings
) -> tuple[set[str], list[str]]:
    """Delete these; the ids that stay after all, and the keys that nothing needs any more."""
    # A hold, a new call or a new message may have come between reading and deleting: what is due is read again.
    again = {entry.id for entry in due(past(tx, kind, settings, limit=len(ids), only=ids), settings, tx.now_ms)}
    left, ids = set(ids) - again, [id_ for id_ in ids if id_ in again]
    match kind:
        case "words":
            _delete_words(tx, ids)
            return left, []
        case "name":
            for subject_id in ids:
                _hide_name(tx, subject_id)
            return left, []
        case "request_words":
            tx.connection.execute(update(requests).where(requests.c.id.in_(ids)).values(sealed_detail=b""))
            return left, ids
        case "call":
            keys = [key_id for call_id in ids for key_id in _call_gone(tx, call_id)]
            return left | (set(ids) - set(keys)), keys
        case "subject":
            gone = [subject_id for subject_id in ids if _delete_unless_used(tx, subjects, subject_id, _OF_SUBJECT)]
            return left | (set(ids) - set(gone)), gone
    table, column = _ROWS[kind]
    keys = _own_keys(tx, kind, ids)
    tx.connection.execute(delete(table).where(column.in_(ids)))
    return left, keys


def _delete_words(tx: Transaction, ids: Sequence[str]) -> None:
    for table in (turns, events, minutes):
        tx.connection.execute(delete(table).where(table.c.call_id.in_(ids)))
    named = update(participants).where(participants.c.call_id.in_(ids))
    tx.connection.execute(named.values(sealed_name=b""))
    for call_id in ids:
        # What is left of the call is when it was and on which channel.
        try:
            empty = tx.seal_json({}, key_id=call_id, place="calls.sealed_detail")
        except KeyGone:
            # An erasure has it.
            continue
        bare = update(calls).where(calls.c.id == call_id).values(sealed_detail=empty, provider_ref="")
        tx.connection.execute(bare)


def _hide_name(tx: Transaction, subject_id: str) -> None:
    sealed = tx.seal_text(HIDDEN, key_id=subject_id, place="subjects.sealed_name")
    tx.connection.execute(update(subjects).where(subjects.c.id == subject_id).values(sealed_name=sealed))


def _own_keys(tx: Transaction, kind: Kind, ids: Sequence[str]) -> list[str]:
    """The keys that only these rows were sealed under: those of rows with neither a call nor a person."""
    if kind == "request":
        return list(ids)
    if kind not in ("message", "evidence", "consent"):
        return []
    table, column = _ROWS[kind]
    own = select(column).where(column.in_(ids), table.c.call_id.is_(None), table.c.subject_id.is_(None))
    return list(tx.connection.execute(own).scalars())


_OF_CALL = tuple(
    (table, table.c.call_id) for table in (turns, events, minutes, messages, consents, recordings, evidence)
)
_OF_SUBJECT = tuple(
    (table, table.c.subject_id) for table in (calls, participants, messages, items, consents, evidence)
)


def _call_gone(tx: Transaction, call_id: str) -> list[str]:
    """Delete a call unless something hangs on it: its key and those of who took part, or nothing when it stays."""
    used = [exists().where(column == call_id) for _, column in _OF_CALL]
    if tx.connection.execute(select(calls.c.id).where(calls.c.id == call_id, ~or_(*used))).first() is None:
        return []
    theirs = participants.c.call_id == call_id
    taken = list(tx.connection.execute(select(participants.c.id).where(theirs)).scalars())
    tx.connection.execute(delete(participants).where(theirs))
    tx.connection.execute(delete(watermarks).where(watermarks.c.call_id == call_id))
    return [call_id, *taken] if _delete_unless_used(tx, calls, call_id, _OF_CALL) else taken


def _delete_unless_used(
    tx: Transaction, table: Table, row_id: str, users: Sequence[tuple[Table, ColumnElement[Any]]]
) -> bool:
    """Delete a row unless another one still hangs on it; whether it is gone."""
    free = [~exists().where(column == row_id) for _, column in users]
    return tx.connection.execute(delete(table).where(table.c.id == row_id, *free)).rowcount == 1
