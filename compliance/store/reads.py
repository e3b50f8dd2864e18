"""How rows become entries: every statement that the vault's daily work reads with, personal parts opened.

Whose key was destroyed is not shown any more, although the rows may stay for a moment longer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.engine import Row

from compliance.entries import (
    CallEntry,
    CallFilter,
    Conversation,
    EventEntry,
    MessageEntry,
    MinuteEntry,
    ParticipantEntry,
    TurnEntry,
    WordEntry,
)
from compliance.errors import KeyGone, VaultError
from compliance.store.schema import (
    calls,
    events,
    items,
    key_of,
    messages,
    minutes,
    participants,
    recordings,
    subjects,
    turns,
)
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
        people = _people(tx, participants.c.call_id.in_([row.id for row in rows]))
        found += _opened(rows, partial(_call, tx, people))
        if len(rows) < limit or len(found) >= limit:
            break
        query = query.where(_older(rows[-1].started_ms, rows[-1].id))
    return tuple(found[:limit])


def read_conversation(tx: Transaction, call_id: str) -> Conversation | None:
    """A call with all that is stored of it."""
    row = tx.connection.execute(_calls().where(calls.c.id == call_id)).first()
    if row is None:
        return None
    people = _people(tx, participants.c.call_id == call_id)
    of_turns = select(turns).where(turns.c.call_id == call_id).order_by(turns.c.sequence)
    of_events = select(events).where(events.c.call_id == call_id).order_by(events.c.id)
    of_minutes = select(minutes).where(minutes.c.call_id == call_id)
    of_minutes = of_minutes.order_by(minutes.c.start_samples, minutes.c.kind, minutes.c.id)
    try:
        # What is a participant's who is being forgotten is left out, and the rest of the meeting shown.
        return Conversation(
            call=_call(tx, people, row),
            turns=tuple(_of_all(tx, of_turns, lambda row: read_turn(tx, row, people))),
            events=tuple(_of_all(tx, of_events, lambda row: _event(tx, row, people))),
            messages=_messages(tx, messages.c.call_id == call_id, limit=None)[::-1],
            participants=tuple(person.entry for person in people.values()),
            minutes=tuple(_of_all(tx, of_minutes, lambda row: _minute(tx, row, people))),
        )
    except KeyGone:
        return None


def read_messages(tx: Transaction, *, limit: int) -> tuple[MessageEntry, ...]:
    """The newest messages for the owner."""
    return _messages(tx, None, limit=limit)


@dataclass(frozen=True, slots=True)
class _Person:
    """A participant, and of which call."""

    call_id: str
    entry: ParticipantEntry


_People: TypeAlias = Mapping[str, _Person]
"""By the participant's id, in order of joining."""


def _people(tx: Transaction, which: ColumnElement[bool]) -> _People:
    query = select(participants, subjects.c.sealed_name.label("sealed_identity")).join(subjects).where(which)
    rows = tx.connection.execute(query.order_by(participants.c.joined_ms, participants.c.id)).all()
    tx.keys.load(key_id for row in rows for key_id in (row.id, row.subject_id))
    found: dict[str, _Person] = {}
    for row in rows:
        with contextlib.suppress(KeyGone):
            identity = tx.open_text(row.sealed_identity, key_id=row.subject_id, place="subjects.sealed_name")
            # Emptied when its date was over.
            name = row.sealed_name and tx.open_text(
                row.sealed_name, key_id=row.id, place="participants.sealed_name"
            )
            shown = "" if is_of_call(identity) else identity
            entry = ParticipantEntry(shown, name or "", row.joined_ms, row.left_ms)
            found[row.id] = _Person(row.call_id, entry)
    return found


def _of_all(tx: Transaction, query: Select[Any], read: Callable[[Row[Any]], T]) -> Iterator[T]:
    """The rows of a call opened; `KeyGone` when the call itself is being forgotten."""
    for row in tx.connection.execute(query).all():
        try:
            yield read(row)
        except KeyGone:
            if row.participant_id is None:
                raise


def _identity(people: _People, row: Row[Any]) -> str:
    """Raises `KeyGone` when whose it is cannot be named any more."""
    if row.participant_id is None:
        return ""
    if row.participant_id not in people:
        raise KeyGone("The key to this was destroyed: the person was forgotten.")
    return people[row.participant_id].entry.identity


def read_turn(tx: Transaction, row: Row[Any], people: _People) -> TurnEntry:
    """A row of `turns`. Raises `KeyGone`."""
    key_id = row.participant_id or row.call_id
    words = tx.open_json(row.sealed_words, key_id=key_id, place="turns.sealed_words")
    name = row.sealed_name and tx.open_text(row.sealed_name, key_id=key_id, place="turns.sealed_name")
    return TurnEntry(
        sequence=row.sequence,
        who=row.who,
        text=tx.open_text(row.sealed_text, key_id=key_id, place="turns.sealed_text"),
        start_samples=row.start_samples,
        end_samples=row.end_samples,
        rate_hz=row.rate_hz,
        epoch=row.epoch,
        cut=row.cut,
        provenance=row.provenance,
        words=tuple(WordEntry(*word) for word in words),
        speaker=_identity(people, row),
        name=name or "",
        at_ms=row.at_ms,
    )


def _minute(tx: Transaction, row: Row[Any], people: _People) -> MinuteEntry:
    body = tx.open_json(row.sealed_body, key_id=row.participant_id or row.call_id, place="minutes.sealed_body")
    return MinuteEntry(
        kind=row.kind,
        text=body["text"],
        start_samples=row.start_samples,
        end_samples=row.end_samples,
        rate_hz=row.rate_hz,
        speaker=_identity(people, row),
        name=body["name"],
        who=body["who"],
        due=body["due"],
        recording_id=body["recording"],
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
        person = select(subjects.c.id).where(subjects.c.lookup == tx.lookup.of(wanted.subject)).scalar_subquery()
        here = and_(participants.c.call_id == calls.c.id, participants.c.subject_id == person)
        yield or_(calls.c.subject_id == person, exists().where(here))
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


def _call(tx: Transaction, people: _People, row: Row[Any]) -> CallEntry:
    there = [person.entry for person in people.values() if person.call_id == row.id]
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
        people=tuple(dict.fromkeys(entry.name or entry.identity for entry in there)),
    )


def _event(tx: Transaction, row: Row[Any], people: _People) -> EventEntry:
    return EventEntry(
        kind=row.kind,
        at_ms=row.at_ms,
        position_samples=row.position_samples,
        rate_hz=row.rate_hz,
        detail=tx.open_json(
            row.sealed_detail, key_id=row.participant_id or row.call_id, place="events.sealed_detail"
        ),
        speaker=_identity(people, row),
    )
