"""How rows become entries: every statement that the vault's daily work reads with, personal parts opened.

Whose key was destroyed is not shown any more, although the rows may stay for a moment longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.engine import Row

from compliance.entries import (
    CallEntry,
    CallFilter,
    Conversation,
    EventEntry,
    MessageEntry,
    TurnEntry,
    WordEntry,
)
from compliance.errors import KeyGone, VaultError
from compliance.store.schema import calls, events, items, key_of, messages, recordings, subjects, turns
from compliance.store.subject import is_of_call
from compliance.store.transaction import Transaction

T = TypeVar("T")


def get_item(tx: Transaction, lookup: str, kind: str, name: str) -> bytes | None:
    """An item of a person."""
    of_item = and_(subjects.c.lookup == lookup, items.c.kind == kind, items.c.name == name)
    query = select(items.c.subject_id, items.c.sealed_data).join(subjects).where(of_item)
    opened = _opened(
        tx.connection.execute(query),
        lambda row: tx.open(row.sealed_data, key_id=row.subject_id, place="items.sealed_data"),
    )
    return next(opened, None)


def item_names(tx: Transaction, lookup: str, kind: str) -> tuple[str, ...]:
    """The names of a person's items of one kind."""
    of_kind = and_(subjects.c.lookup == lookup, items.c.kind == kind)
    found = select(items.c.name, items.c.subject_id).join(subjects).where(of_kind).order_by(items.c.name)
    return tuple(row.name for row in tx.connection.execute(found) if not tx.keys.is_gone(row.subject_id))


def read_calls(tx: Transaction, wanted: CallFilter, *, limit: int, before: str | None) -> tuple[CallEntry, ...]:
    """The newest calls, or those older than the call `before`."""
    query = _calls().where(*_conditions(tx, wanted))
    if before is not None:
        start = tx.connection.execute(select(calls.c.started_ms).where(calls.c.id == before)).scalar()
        if start is None:
            raise VaultError("There is no call with that id to list calls before.")
        query = query.where(_older(start, before))
    query = query.order_by(calls.c.started_ms.desc(), calls.c.id.desc()).limit(limit)
    found: list[CallEntry] = []
    # What cannot be opened any more is left out, and the page filled up from the next rows.
    while rows := tx.connection.execute(query).all():
        tx.keys.load(key_id for row in rows for key_id in (row.id, row.subject_id) if key_id)
        found += _opened(rows, lambda row: _call(tx, row))
        if len(rows) < limit or len(found) >= limit:
            break
        query = query.where(_older(rows[-1].started_ms, rows[-1].id))
    return tuple(found[:limit])


def read_conversation(tx: Transaction, call_id: str) -> Conversation | None:
    """A call with all that is stored of it."""
    row = tx.connection.execute(_calls().where(calls.c.id == call_id)).first()
    if row is None:
        return None
    of_turns = select(turns).where(turns.c.call_id == call_id).order_by(turns.c.sequence)
    of_events = select(events).where(events.c.call_id == call_id).order_by(events.c.id)
    try:
        return Conversation(
            call=_call(tx, row),
            turns=tuple(read_turn(tx, row) for row in tx.connection.execute(of_turns)),
            events=tuple(_event(tx, row) for row in tx.connection.execute(of_events)),
            messages=_messages(tx, messages.c.call_id == call_id, limit=None)[::-1],
        )
    except KeyGone:
        return None


def read_messages(tx: Transaction, *, limit: int) -> tuple[MessageEntry, ...]:
    """The newest messages for the owner."""
    return _messages(tx, None, limit=limit)


def read_turn(tx: Transaction, row: Row[Any]) -> TurnEntry:
    """A row of `turns`. Raises `KeyGone`."""
    words = tx.open_json(row.sealed_words, key_id=row.call_id, place="turns.sealed_words")
    return TurnEntry(
        sequence=row.sequence,
        who=row.who,
        text=tx.open_text(row.sealed_text, key_id=row.call_id, place="turns.sealed_text"),
        start_samples=row.start_samples,
        end_samples=row.end_samples,
        rate_hz=row.rate_hz,
        epoch=row.epoch,
        cut=row.cut,
        provenance=row.provenance,
        words=tuple(WordEntry(*word) for word in words),
        at_ms=row.at_ms,
    )


def _calls() -> Select[Any]:
    return select(calls, subjects.c.sealed_name).outerjoin(subjects)


def _older(started_ms: int, call_id: str) -> ColumnElement[bool]:
    return or_(calls.c.started_ms < started_ms, and_(calls.c.started_ms == started_ms, calls.c.id < call_id))


def _conditions(tx: Transaction, wanted: CallFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.channel is not None:
        yield calls.c.channel == wanted.channel
    if wanted.state is not None:
        yield calls.c.state == wanted.state
    if wanted.since_ms is not None:
        yield calls.c.started_ms >= wanted.since_ms
    if wanted.until_ms is not None:
        yield calls.c.started_ms < wanted.until_ms
    if wanted.language is not None:
        yield calls.c.language == wanted.language
    if wanted.subject is not None:
        yield subjects.c.lookup == tx.lookup.of(wanted.subject)
    if wanted.has_recording is not None:
        recorded = exists().where(recordings.c.call_id == calls.c.id)
        yield recorded if wanted.has_recording else ~recorded


def _messages(
    tx: Transaction, where: ColumnElement[bool] | None, *, limit: int | None
) -> tuple[MessageEntry, ...]:
    query = select(messages, key_of(messages).label("key_id"), subjects.c.sealed_name).outerjoin(subjects)
    if where is not None:
        query = query.where(where)
    query = query.order_by(messages.c.at_ms.desc(), messages.c.id.desc()).limit(limit)
    rows = tx.connection.execute(query).all()
    tx.keys.load(key_id for row in rows for key_id in (row.key_id, row.subject_id) if key_id)
    return tuple(_opened(rows, lambda row: _message(tx, row)))


def _message(tx: Transaction, row: Row[Any]) -> MessageEntry:
    return MessageEntry(
        id=row.id,
        at_ms=row.at_ms,
        text=tx.open_text(row.sealed_text, key_id=row.key_id, place="messages.sealed_text"),
        call_id=row.call_id,
        subject=_name(tx, row),
    )


def _opened(rows: Iterable[Row[Any]], read: Callable[[Row[Any]], T]) -> Iterator[T]:
    for row in rows:
        try:
            yield read(row)
        except KeyGone:
            continue


def _name(tx: Transaction, row: Row[Any]) -> str | None:
    if row.sealed_name is None:
        return None
    name = tx.open_text(row.sealed_name, key_id=row.subject_id, place="subjects.sealed_name")
    return None if is_of_call(name) else name


def _call(tx: Transaction, row: Row[Any]) -> CallEntry:
    return CallEntry(
        id=row.id,
        channel=row.channel,
        subject=_name(tx, row),
        started_ms=row.started_ms,
        ended_ms=row.ended_ms,
        end_reason=row.end_reason,
        state=row.state,
        detail=tx.open_json(row.sealed_detail, key_id=row.id, place="calls.sealed_detail"),
        language=row.language,
        provider_ref=row.provider_ref,
    )


def _event(tx: Transaction, row: Row[Any]) -> EventEntry:
    return EventEntry(
        kind=row.kind,
        at_ms=row.at_ms,
        position_samples=row.position_samples,
        rate_hz=row.rate_hz,
        detail=tx.open_json(row.sealed_detail, key_id=row.call_id, place="events.sealed_detail"),
    )
