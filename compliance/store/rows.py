"""How entries become rows: every statement that the vault's daily work writes with, personal parts sealed.

Each seals before it writes, so that a key that was destroyed meanwhile leaves nothing half done.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Sequence

from sqlalchemy import Insert, Table, and_, bindparam, delete, func, insert, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from compliance.entries import INTERRUPTED, CallEntry, EventEntry, MessageEntry, MinuteEntry, TurnEntry
from compliance.errors import KeyGone
from compliance.store.people import make_subject, participant_id
from compliance.store.schema import calls, events, items, messages, minutes, subjects, tokens, turns
from compliance.store.seal import to_json
from compliance.store.subject import of_call
from compliance.store.transaction import Transaction


def _insert_if_call(table: Table) -> Insert:
    """An insert that does nothing when its call is not there: the person may have been forgotten meanwhile."""
    columns = [column for column in table.columns if column.name != "id" or table is not events]
    values = [sql_cast(bindparam(column.name, type_=column.type), column.type) for column in columns]
    return insert(table).from_select(columns, select(*values).where(calls.c.id == bindparam("call_id")))


_INSERT_TURN = _insert_if_call(turns)
_INSERT_EVENT = _insert_if_call(events)
_INSERT_MESSAGE_OF_CALL = _insert_if_call(messages)
_INSERT_MINUTE = _insert_if_call(minutes)
_UPDATE_TURN = (
    update(turns)
    .where(turns.c.call_id == bindparam("of_call"), turns.c.sequence == bindparam("of_sequence"))
    .values({c.name: bindparam(c.name) for c in turns.c if c.name not in ("call_id", "sequence")})
)


def begin_call(tx: Transaction, worker: str, call: CallEntry, *, detail_json: str) -> bool:
    """Store a call that begins now; one that is stored already (a provider asked twice) stays as it is."""
    if tx.connection.execute(select(calls.c.id).where(calls.c.id == call.id)).first():
        return True
    owner = make_subject(tx, call.subject or of_call(call.id), at_ms=call.started_ms, with_keys=[call.id])
    row = {
        "id": call.id,
        "channel": call.channel,
        "language": call.language,
        "provider_ref": call.provider_ref,
        "subject_id": owner,
        "worker": worker,
        "state": "live",
        "started_ms": call.started_ms,
        "sealed_detail": tx.seal_text(detail_json, key_id=call.id, place="calls.sealed_detail"),
    }
    # On a server another worker may have been asked the same at the same time.
    with contextlib.suppress(IntegrityError), tx.connection.begin_nested():
        tx.connection.execute(insert(calls), row)
    return True


def end_call(connection: Connection, call_id: str, reason: str, *, at_ms: int) -> bool:
    """End a live call; a call that ended before stays as it is."""
    done = update(calls).where(calls.c.id == call_id, calls.c.state == "live")
    found = connection.execute(done.values(state="ended", end_reason=reason, ended_ms=at_ms)).rowcount
    return found == 1 or connection.execute(select(calls.c.id).where(calls.c.id == call_id)).scalar() is not None


def live_workers(connection: Connection) -> list[str]:
    """The workers that have live calls."""
    return list(connection.execute(select(calls.c.worker).where(calls.c.state == "live").distinct()).scalars())


def is_empty(connection: Connection) -> bool:
    """Whether nothing about anybody is stored."""
    return not any(connection.execute(select(table).limit(1)).first() for table in (subjects, calls, messages))


def newest_calls(connection: Connection, *, limit: int = 50) -> list[str]:
    """The ids of the newest calls."""
    newest = select(calls.c.id).order_by(calls.c.started_ms.desc(), calls.c.id.desc()).limit(limit)
    return list(connection.execute(newest).scalars())


def interrupt_calls(connection: Connection, workers: Iterable[str]) -> None:
    """End the live calls of these workers at the last time that anything of them was stored."""
    lost = and_(calls.c.state == "live", calls.c.worker.in_(list(workers)))
    for call_id, started_ms in connection.execute(select(calls.c.id, calls.c.started_ms).where(lost)).all():
        last = [
            connection.execute(select(func.max(table.c.at_ms)).where(table.c.call_id == call_id)).scalar()
            for table in (turns, events, messages)
        ]
        end_call(connection, call_id, INTERRUPTED, at_ms=max(started_ms, *(at or 0 for at in last)))


def write_turn(tx: Transaction, call_id: str, turn: TurnEntry, *, at_ms: int) -> bool:
    """Store a turn, or replace it by what is known of it now.

    Nothing is kept of a speaker who is no participant (any more).
    """
    whose = participant_id(tx, call_id, turn.speaker)
    if turn.speaker and whose is None:
        return False
    key_id = whose or call_id
    words = to_json(
        [[word.text, word.start_samples, word.end_samples, word.sentence, word.provenance] for word in turn.words]
    )
    row = {
        "who": turn.who,
        "start_samples": turn.start_samples,
        "end_samples": turn.end_samples,
        "rate_hz": turn.rate_hz,
        "epoch": turn.epoch,
        "cut": turn.cut,
        "provenance": turn.provenance,
        "at_ms": at_ms,
        "participant_id": whose,
        "sealed_text": tx.seal_text(turn.text, key_id=key_id, place="turns.sealed_text"),
        "sealed_words": tx.seal_text(words, key_id=key_id, place="turns.sealed_words"),
        "sealed_name": tx.seal_text(turn.name, key_id=key_id, place="turns.sealed_name") if turn.name else None,
    }
    key = {"of_call": call_id, "of_sequence": turn.sequence}
    if tx.connection.execute(_UPDATE_TURN, {**row, **key}).rowcount:
        return True
    new = {**row, "call_id": call_id, "sequence": turn.sequence}
    return tx.connection.execute(_INSERT_TURN, new).rowcount == 1


def write_event(tx: Transaction, call_id: str, entry: EventEntry, *, detail_json: str) -> bool:
    """Store an event of a call; nothing about a speaker who is no participant (any more)."""
    whose = participant_id(tx, call_id, entry.speaker)
    if entry.speaker and whose is None:
        return False
    row = {
        "call_id": call_id,
        "participant_id": whose,
        "kind": entry.kind,
        "at_ms": entry.at_ms,
        "position_samples": entry.position_samples,
        "rate_hz": entry.rate_hz,
        "sealed_detail": tx.seal_text(detail_json, key_id=whose or call_id, place="events.sealed_detail"),
    }
    return tx.connection.execute(_INSERT_EVENT, row).rowcount == 1


def write_message(tx: Transaction, message: MessageEntry) -> bool:
    """Store a message for the owner."""
    subject = message.subject
    owner = make_subject(tx, subject, at_ms=message.at_ms) if subject else None
    whose = participant_id(tx, message.call_id, subject) if message.call_id and subject else None
    key_id = whose or message.call_id or owner or message.id
    row = {
        "id": message.id,
        "call_id": message.call_id,
        "participant_id": whose,
        "subject_id": owner,
        "at_ms": message.at_ms,
        "sealed_text": tx.seal_text(message.text, key_id=key_id, place="messages.sealed_text"),
    }
    statement = _INSERT_MESSAGE_OF_CALL if message.call_id else insert(messages)
    return tx.connection.execute(statement, row).rowcount == 1


def write_minutes(tx: Transaction, call_id: str, entries: Sequence[MinuteEntry], *, at_ms: int) -> bool:
    """Store what a meeting came down to, in place of what was stored of it before.

    What comes from somebody who is no participant (any more) is left out.
    """
    tx.connection.execute(delete(minutes).where(minutes.c.call_id == call_id))
    for entry in entries:
        whose = participant_id(tx, call_id, entry.speaker)
        if entry.speaker and whose is None:
            continue
        body = {
            "text": entry.text,
            "name": entry.name,
            "who": entry.who,
            "due": entry.due,
            "recording": entry.recording_id,
        }
        with contextlib.suppress(KeyGone):
            row = {
                "id": secrets.token_hex(16),
                "call_id": call_id,
                "participant_id": whose,
                "kind": entry.kind,
                "at_ms": at_ms,
                "start_samples": entry.start_samples,
                "end_samples": entry.end_samples,
                "rate_hz": entry.rate_hz,
                "sealed_body": tx.seal_json(body, key_id=whose or call_id, place="minutes.sealed_body"),
            }
            if not tx.connection.execute(_INSERT_MINUTE, row).rowcount:
                return False
    return True


def forget_turns(tx: Transaction, call_id: str, speaker: str = "") -> bool:
    """Delete what was said in a call, or what is one speaker's of it, and keep the call."""
    said = delete(turns).where(turns.c.call_id == call_id)
    if speaker:
        whose = participant_id(tx, call_id, speaker)
        if whose is None:
            return False
        said = said.where(turns.c.participant_id == whose)
    tx.connection.execute(said)
    return True


def spend_token(connection: Connection, nonce_hash: str, *, expires_ms: int, sweep_before_ms: int) -> bool:
    """True the first time a nonce is seen; forgets nonces that expired before `sweep_before_ms`."""
    connection.execute(delete(tokens).where(tokens.c.expires_ms < sweep_before_ms))
    try:
        with connection.begin_nested():
            connection.execute(insert(tokens), {"nonce_hash": nonce_hash, "expires_ms": expires_ms})
    except IntegrityError:
        return False
    return True


def put_item(tx: Transaction, subject: str, kind: str, name: str, data: bytes, *, at_ms: int) -> None:
    """Store or replace an item of a person."""
    owner = make_subject(tx, subject, at_ms=at_ms)
    key = and_(items.c.subject_id == owner, items.c.kind == kind, items.c.name == name)
    values = {"at_ms": at_ms, "sealed_data": tx.seal(data, key_id=owner, place="items.sealed_data")}
    replace = update(items).where(key).values(values)
    if tx.connection.execute(replace).rowcount:
        return
    try:
        with tx.connection.begin_nested():
            tx.connection.execute(insert(items), {"subject_id": owner, "kind": kind, "name": name, **values})
    except IntegrityError:
        # Another worker was quicker; the later one counts.
        tx.connection.execute(replace)
