"""Forgetting a person: what goes, what is looked for afterwards, and the receipt that says so."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from sqlalchemy import ColumnElement, LargeBinary, Table, and_, delete, or_, select

from compliance.errors import KeyGone
from compliance.forgetting.scan import Needles
from compliance.forgetting.vocabulary import is_ours
from compliance.store.people import subject_id
from compliance.store.schema import (
    calls,
    consents,
    events,
    evidence,
    holds,
    items,
    key_of,
    messages,
    metadata,
    minutes,
    participants,
    recordings,
    subjects,
    turns,
    watermarks,
)
from compliance.store.stored import Stored
from compliance.store.transaction import Transaction

_BLOCK = 4 * 1024 * 1024

CALL_KIND = "call"
MESSAGE_KIND = "message"

Result = Literal["clean", "residue", "not_purged", "not_scanned"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one store."""

    store: str
    """The file's role: database, database-wal, database-shm, database-journal; or `server`."""
    result: Result
    """Only `clean` counts as done: it was purged, scanned, and nothing was found."""
    scanned_bytes: int
    needles: int
    """How many byte strings of the person were looked for."""
    found: int
    """How often they were found, less those that other people's rows contain too."""
    shared: int = 0
    """How many of them other people's rows contain too (they said the same); these prove nothing."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was forgotten, and the proof. It holds no name: the subject is its keyed hash."""

    id: str
    subject: str
    kind: str | None
    """Which kind was to be forgotten; None is everything."""
    asked_ms: int
    finished_ms: int
    deleted: dict[str, int]
    """Rows by table."""
    stores: tuple[Finding, ...]

    @property
    def done(self) -> bool:
        """True only when every store is clean."""
        return bool(self.stores) and all(finding.result == "clean" for finding in self.stores)

    def to_json(self) -> str:
        """The receipt as a person keeps it."""
        return json.dumps({**asdict(self), "done": self.done}, indent=2)


@dataclass(frozen=True, slots=True)
class Erased:
    """What was deleted from the tables, and what it said."""

    deleted: dict[str, int]
    needles: Needles
    key_ids: tuple[str, ...]
    """The keys that nothing needs any more, to be destroyed."""


def erase_rows(tx: Transaction, *, subject: str, lookup: str, kind: str | None) -> Erased:
    """Delete the person's rows: all of them, or those of one kind (`call`, `message`, or an item's)."""
    owner = subject_id(tx.connection, lookup)
    texts: list[bytes] = []
    deleted: dict[str, int] = {}
    key_ids: list[str] = []
    if owner is not None:
        plan = list(_plan(owner, kind))
        whole = [table for table, _ in plan if table in (calls, subjects, participants)]
        # All is read before anything is deleted: a condition may ask a table that goes first.
        for table, condition in plan:
            found = _contents(tx, table, condition)
            texts += (text for text in found if not is_ours(text.decode("utf-8", "replace")))
            if table in whole:
                key_ids += tx.connection.execute(select(table.c.id).where(condition)).scalars()
        for table, condition in plan:
            if count := tx.connection.execute(delete(table).where(condition)).rowcount:
                deleted[table.name] = deleted.get(table.name, 0) + count
    # One kind forgotten: the name itself may stay in the subject's row, so it is not looked for.
    always = [subject.encode()] if kind is None else []
    return Erased(deleted=deleted, needles=Needles(texts, always=always), key_ids=tuple(key_ids))


def scan(files: Iterable[Stored], needles: Needles) -> dict[str, tuple[dict[bytes, int], int] | OSError]:
    """Read every file once: by store the needles found and the size, or why it could not be read. Blocks."""
    results: dict[str, tuple[dict[bytes, int], int] | OSError] = {}
    for stored in files:
        try:
            with stored.open() as file:
                results[stored.name] = needles.hits_in_stream(file)
        except FileNotFoundError:
            continue
        except OSError as error:
            results[stored.name] = error
    return results


def said_by_others(tx: Transaction, needles: Needles) -> set[bytes]:
    """The needles that the rows which are left contain too."""
    shared: set[bytes] = set()
    # Many rows are searched at once; what is between two of them is in nobody's words.
    between = secrets.token_bytes(16)
    for table in metadata.sorted_tables:
        block = bytearray()
        for text in _contents(tx, table, None):
            block += between + text
            if len(block) > _BLOCK:
                shared |= needles.hits_in(bytes(block)).keys()
                block.clear()
        shared |= needles.hits_in(bytes(block)).keys()
    return shared


def judge(
    store: str,
    result: tuple[dict[bytes, int], int] | OSError,
    *,
    needles: Needles,
    shared: set[bytes],
    not_purged: str,
) -> Finding:
    """The finding for one file."""
    if isinstance(result, OSError):
        note = f"cannot be read ({result.strerror})"
        return Finding(store, "not_scanned", scanned_bytes=0, needles=needles.count, found=0, note=note)
    hits, size = result
    found = sum(count for needle, count in hits.items() if needle not in shared)
    outcome: Result = "residue" if found else ("not_purged" if not_purged else "clean")
    return Finding(
        store,
        outcome,
        scanned_bytes=size,
        needles=needles.count,
        found=found,
        shared=len(hits.keys() & shared),
        note=not_purged,
    )


def _plan(owner: str, kind: str | None) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """The tables and rows that go, children before their parents."""
    theirs = select(calls.c.id).where(calls.c.subject_id == owner)
    taken = select(participants.c.id).where(participants.c.subject_id == owner)
    if kind in (None, CALL_KIND, MESSAGE_KIND):
        yield messages, or_(messages.c.subject_id == owner, messages.c.call_id.in_(theirs))
    if kind in (None, CALL_KIND):
        for table in (turns, events, minutes, messages, recordings, evidence, consents):
            yield table, table.c.participant_id.in_(taken)
        yield participants, or_(participants.c.subject_id == owner, participants.c.call_id.in_(theirs))
        for table in (turns, events, minutes, recordings, holds, evidence, consents, watermarks):
            yield table, table.c.call_id.in_(theirs)
        yield calls, calls.c.subject_id == owner
    if kind is None:
        for table in (items, consents, evidence):
            yield table, table.c.subject_id == owner
        yield subjects, subjects.c.id == owner
    elif kind not in (CALL_KIND, MESSAGE_KIND):
        yield items, and_(items.c.subject_id == owner, items.c.kind == kind)


def _contents(tx: Transaction, table: Table, condition: ColumnElement[bool] | None) -> Iterator[bytes]:
    """The opened personal columns of those rows; what was destroyed before says nothing any more."""
    sealed = [column for column in table.columns if isinstance(column.type, LargeBinary)]
    if not sealed:
        return
    query = select(key_of(table), *sealed)
    if condition is not None:
        query = query.where(condition)
    for row in tx.connection.execute(query):
        for column, value in zip(sealed, row[1:], strict=True):
            if not value:
                continue  # emptied when somebody was erased
            with contextlib.suppress(KeyGone):
                yield tx.open(value, key_id=row[0], place=f"{table.name}.{column.name}")
