"""How entries become rows and rows entries: every statement of the vault's daily work, personal parts sealed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import (
    Insert,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from compliance.entries import (
    INTERRUPTED,
    CallEntry,
    Conversation,
    EventEntry,
    MessageEntry,
    TurnEntry,
    WordEntry,
)
from compliance.errors import VaultError
from compliance.schema import calls, events, items, messages, subjects, tokens, turns
from compliance.seal import open_sealed, open_text, seal, seal_text, to_json
from compliance.subject import Lookup, normalise


def _insert_if_call(table: Table) -> Insert:
    """An insert that does nothing when its call is not there: the person may have been forgotten meanwhile."""
    columns = [column for column in table.columns if column.name != "id" or table is messages]
    values = [sql_cast(bindparam(column.name, type_=column.type), column.type) for column in columns]
    return insert(table).from_select(columns, select(*values).where(calls.c.id == bindparam("call_id")))


_INSERT_TURN = _insert_if_call(turns)
_INSERT_EVENT = _insert_if_call(events)
_INSERT_MESSAGE_OF_CALL = _insert_if_call(messages)
_UPDATE_TURN = (
    update(turns)
    .where(turns.c.call_id == bindparam("of_call"), turns.c.sequence == bindparam("of_sequence"))
    .values({c.name: bindparam(c.name) for c in turns.c if c.name not in ("call_id", "sequence")})
)


def subject_id(connection: Connection, lookup: str) -> str | None:
    """The id of a subject by its keyed hash."""
    return connection.execute(select(subjects.c.id).where(subjects.c.lookup == lookup)).scalar()


def make_subject(connection: Connection, lookup: Lookup, subject: str, *, at_ms: int) -> str:
    """The id of a subject, which is added when it is new."""
    key = lookup.of(subject)
    found = subject_id(connection, key)
    if found:
        return found
    new = secrets.token_hex(16)
    name = seal_text(normalise(subject), key_id=new, place="subjects.sealed_name")
    try:
        with connection.begin_nested():
            row = {"id": new, "lookup": key, "sealed_name": name, "created_ms": at_ms}
            connection.execute(insert(subjects), row)
    except IntegrityError:
        # Another process added the same person between the two statements.
        found = subject_id(connection, key)
        if not found:
            raise
        return found
    return new


def begin_call(connection: Connection, lookup: Lookup, worker: str, call: CallEntry, *, detail_json: str) -> bool:
    """Store a call that begins now; one that is stored already (a provider asked twice) stays as it is."""
    if connection.execute(select(calls.c.id).where(calls.c.id == call.id)).first():
        return True
    owner = make_subject(connection, lookup, call.subject, at_ms=call.started_ms) if call.subject else None
    row = {
        "id": call.id,
        "channel": call.channel,
        "subject_id": owner,
        "worker": worker,
        "state": "live",
        "started_ms": call.started_ms,
        "sealed_detail": seal_text(detail_json, key_id=call.id, place="calls.sealed_detail"),
    }
    connection.execute(insert(calls), row)
    return True


def end_call(connection: Connection, call_id: str, reason: str, *, at_ms: int) -> bool:
    """End a live call; a call that ended before stays as it is."""
    done = update(calls).where(calls.c.id == call_id, calls.c.state == "live")
    found = connection.execute(done.values(state="ended", end_reason=reason, ended_ms=at_ms)).rowcount
    return found == 1 or connection.execute(select(calls.c.id).where(calls.c.id == call_id)).scalar() is not None


def live_workers(connection: Connection) -> list[str]:
    """The workers that have live calls."""
    return list(connection.execute(select(calls.c.worker).where(calls.c.state == "live").distinct()).scalars())


def interrupt_calls(connection: Connection, workers: Iterable[str]) -> None:
    """End the live calls of these workers at the last time that anything of them was stored."""
    lost = and_(calls.c.state == "live", calls.c.worker.in_(list(workers)))
    for call_id, started_ms in connection.execute(select(calls.c.id, calls.c.started_ms).where(lost)).all():
        last = [
            connection.execute(select(func.max(table.c.at_ms)).where(table.c.call_id == call_id)).scalar()
            for table in (turns, events, messages)
        ]
        end_call(connection, call_id, INTERRUPTED, at_ms=max(started_ms, *(at or 0 for at in last)))


def write_turn(connection: Connection, call_id: str, turn: TurnEntry, *, at_ms: int) -> bool:
    """Store a turn, or replace it by what is known of it now."""
    words = to_json([[word.text, word.start_samples, word.end_samples] for word in turn.words])
    row = {
        "who": turn.who,
        "start_samples": turn.start_samples,
        "end_samples": turn.end_samples,
        "rate_hz": turn.rate_hz,
        "epoch": turn.epoch,
        "cut": turn.cut,
        "provenance": turn.provenance,
        "at_ms": at_ms,
        "sealed_text": seal_text(turn.text, key_id=call_id, place="turns.sealed_text"),
        "sealed_words": seal_text(words, key_id=call_id, place="turns.sealed_words"),
    }
    key = {"of_call": call_id, "of_sequence": turn.sequence}
    if connection.execute(_UPDATE_TURN, {**row, **key}).rowcount:
        return True
    new = {**row, "call_id": call_id, "sequence": turn.sequence}
    return connection.execute(_INSERT_TURN, new).rowcount == 1


def write_event(connection: Connection, call_id: str, entry: EventEntry, *, detail_json: str) -> bool:
    """Store an event of a call."""
    row = {
        "call_id": call_id,
        "kind": entry.kind,
        "at_ms": entry.at_ms,
        "position_samples": entry.position_samples,
        "rate_hz": entry.rate_hz,
        "sealed_detail": seal_text(detail_json, key_id=call_id, place="events.sealed_detail"),
    }
    return connection.execute(_INSERT_EVENT, row).rowcount == 1


def write_message(connection: Connection, lookup: Lookup, message: MessageEntry) -> bool:
    """Store a message for the owner."""
    subject = message.subject
    row = {
        "id": message.id,
        "call_id": message.call_id,
        "subject_id": make_subject(connection, lookup, subject, at_ms=message.at_ms) if subject else None,
        "at_ms": message.at_ms,
        "sealed_text": seal_text(message.text, key_id=message.id, place="messages.sealed_text"),
    }
    statement = _INSERT_MESSAGE_OF_CALL if message.call_id else insert(messages)
    return connection.execute(statement, row).rowcount == 1


def spend_token(connection: Connection, nonce_hash: str, *, expires_ms: int, sweep_before_ms: int) -> bool:
    """True the first time a nonce is seen; forgets nonces that expired before `sweep_before_ms`."""
    connection.execute(delete(tokens).where(tokens.c.expires_ms < sweep_before_ms))
    try:
        with connection.begin_nested():
            connection.execute(insert(tokens), {"nonce_hash": nonce_hash, "expires_ms": expires_ms})
    except IntegrityError:
        return False
    return True


def put_item(
    connection: Connection, lookup: Lookup, subject: str, kind: str, name: str, data: bytes, *, at_ms: int
) -> None:
    """Store or replace an item of a person."""
    owner = make_subject(connection, lookup, subject, at_ms=at_ms)
    key = and_(items.c.subject_id == owner, items.c.kind == kind, items.c.name == name)
    values = {"at_ms": at_ms, "sealed_data": seal(data, key_id=owner, place="items.sealed_data")}
    if not connection.execute(update(items).where(key).values(values)).rowcount:
        connection.execute(insert(items), {"subject_id": owner, "kind": kind, "name": name, **values})


def get_item(connection: Connection, lookup: str, kind: str, name: str) -> bytes | None:
    """An item of a person."""
    of_item = and_(subjects.c.lookup == lookup, items.c.kind == kind, items.c.name == name)
    found = connection.execute(
        select(items.c.subject_id, items.c.sealed_data).join(subjects).where(of_item)
    ).first()
    return open_sealed(found[1], key_id=found[0], place="items.sealed_data") if found else None


def item_names(connection: Connection, lookup: str, kind: str) -> tuple[str, ...]:
    """The names of a person's items of one kind."""
    of_kind = and_(subjects.c.lookup == lookup, items.c.kind == kind)
    found = select(items.c.name).join(subjects).where(of_kind).order_by(items.c.name)
    return tuple(connection.execute(found).scalars())


def read_calls(connection: Connection, *, limit: int, before: str | None) -> tuple[CallEntry, ...]:
    """The newest calls, or those older than the call `before`."""
    query = select(calls, subjects.c.sealed_name).outerjoin(subjects)
    if before is not None:
        start = connection.execute(select(calls.c.started_ms).where(calls.c.id == before)).scalar()
        if start is None:
            raise VaultError("There is no call with that id to list calls before.")
        same = and_(calls.c.started_ms == start, calls.c.id < before)
        query = query.where(or_(calls.c.started_ms < start, same))
    query = query.order_by(calls.c.started_ms.desc(), calls.c.id.desc()).limit(limit)
    return tuple(_call(row) for row in connection.execute(query))


def read_conversation(connection: Connection, call_id: str) -> Conversation | None:
    """A call with all that is stored of it."""
    query = select(calls, subjects.c.sealed_name).outerjoin(subjects).where(calls.c.id == call_id)
    row = connection.execute(query).first()
    if row is None:
        return None
    of_turns = select(turns).where(turns.c.call_id == call_id).order_by(turns.c.sequence)
    of_events = select(events).where(events.c.call_id == call_id).order_by(events.c.id)
    return Conversation(
        call=_call(row),
        turns=tuple(_turn(row) for row in connection.execute(of_turns)),
        events=tuple(_event(row) for row in connection.execute(of_events)),
        messages=_messages(connection, messages.c.call_id == call_id, limit=None)[::-1],
    )


def read_messages(connection: Connection, *, limit: int) -> tuple[MessageEntry, ...]:
    """The newest messages for the owner."""
    return _messages(connection, None, limit=limit)


def _messages(connection: Connection, where: Any, *, limit: int | None) -> tuple[MessageEntry, ...]:
    query = select(messages, subjects.c.sealed_name).outerjoin(subjects)
    if where is not None:
        query = query.where(where)
    query = query.order_by(messages.c.at_ms.desc(), messages.c.id.desc()).limit(limit)
    return tuple(
        MessageEntry(
            id=row.id,
            at_ms=row.at_ms,
            text=open_text(row.sealed_text, key_id=row.id, place="messages.sealed_text"),
            call_id=row.call_id,
            subject=_name(row),
        )
        for row in connection.execute(query)
    )


def _name(row: Row[Any]) -> str | None:
    if row.sealed_name is None:
        return None
    return open_text(row.sealed_name, key_id=row.subject_id, place="subjects.sealed_name")


def _call(row: Row[Any]) -> CallEntry:
    detail = open_text(row.sealed_detail, key_id=row.id, place="calls.sealed_detail")
    return CallEntry(
        id=row.id,
        channel=row.channel,
        subject=_name(row),
        started_ms=row.started_ms,
        ended_ms=row.ended_ms,
        end_reason=row.end_reason,
        state=row.state,
        detail=cast(dict[str, Any], json.loads(detail)),
    )


def _turn(row: Row[Any]) -> TurnEntry:
    words = json.loads(open_text(row.sealed_words, key_id=row.call_id, place="turns.sealed_words"))
    return TurnEntry(
        sequence=row.sequence,
        who=row.who,
        text=open_text(row.sealed_text, key_id=row.call_id, place="turns.sealed_text"),
        start_samples=row.start_samples,
        end_samples=row.end_samples,
        rate_hz=row.rate_hz,
        epoch=row.epoch,
        cut=row.cut,
        provenance=row.provenance,
        words=tuple(WordEntry(*word) for word in words),
        at_ms=row.at_ms,
    )


def _event(row: Row[Any]) -> EventEntry:
    detail = open_text(row.sealed_detail, key_id=row.call_id, place="events.sealed_detail")
    return EventEntry(
        kind=row.kind,
        at_ms=row.at_ms,
        position_samples=row.position_samples,
        rate_hz=row.rate_hz,
        detail=cast(dict[str, Any], json.loads(detail)),
    )
