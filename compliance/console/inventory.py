"""What is kept about a person, counted: what an erasure would take, or a copy hold."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, func, select

from compliance.store.schema import (
    calls,
    consents,
    events,
    holds,
    items,
    messages,
    participants,
    recordings,
    subjects,
    turns,
)
from compliance.store.subject import normalise
from compliance.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Inventory:
    """Numbers, no content."""

    calls: int = 0
    meetings: int = 0
    """Meetings of others in which they took part; what is theirs there is in the other numbers."""
    turns: int = 0
    recordings: int = 0
    recorded_s: int = 0
    messages: int = 0
    consents: int = 0
    events: int = 0
    items: int = 0
    held: int = 0
    """Calls and meetings under a hold."""
    first_ms: int | None = None
    last_ms: int | None = None

    @property
    def nothing(self) -> bool:
        """Whether nothing is kept."""
        return not (self.calls or self.meetings or self.messages or self.consents or self.items)


def count(tx: Transaction, subject: str | None, call_id: str | None) -> Inventory:
    """What there is about a person, or about one call when nobody knows whose it was."""
    who = normalise(subject) if subject else f"call:{call_id}"
    owner = select(subjects.c.id).where(subjects.c.lookup == tx.lookup.of(who)).scalar_subquery()
    theirs = select(calls.c.id).where(calls.c.subject_id == owner)
    parts = select(participants.c.id).where(participants.c.subject_id == owner)
    there = select(participants.c.call_id).where(participants.c.subject_id == owner)
    connection = tx.connection

    def number(table: Table, where: ColumnElement[bool]) -> int:
        return int(connection.execute(select(func.count()).select_from(table).where(where)).scalar_one())

    def of_call(table: Table) -> int:
        return number(table, table.c.call_id.in_(theirs) | table.c.participant_id.in_(parts))

    length = func.coalesce(func.sum(recordings.c.frames / recordings.c.rate_hz), 0)
    own = recordings.c.call_id.in_(theirs) | recordings.c.participant_id.in_(parts)
    recorded = select(length).where(own)
    either = (calls.c.subject_id == owner) | calls.c.id.in_(there)
    first = select(func.min(calls.c.started_ms), func.max(calls.c.started_ms)).where(either)
    first_ms, last_ms = connection.execute(first).one()
    return Inventory(
        calls=number(calls, calls.c.subject_id == owner),
        meetings=number(calls, calls.c.id.in_(there) & ~calls.c.id.in_(theirs)),
        turns=of_call(turns),
        recordings=of_call(recordings),
        recorded_s=int(connection.execute(recorded).scalar_one()),
        messages=number(messages, messages.c.call_id.in_(theirs) | (messages.c.subject_id == owner)),
        consents=number(consents, consents.c.call_id.in_(theirs) | (consents.c.subject_id == owner)),
        events=of_call(events),
        items=number(items, items.c.subject_id == owner),
        held=number(holds, holds.c.call_id.in_(theirs) | holds.c.call_id.in_(there)),
        first_ms=first_ms,
        last_ms=last_ms,
    )
