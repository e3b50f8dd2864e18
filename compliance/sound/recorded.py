"""The rows about recordings: whose they are, where they began, and how they ended."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, or_, select, update

from compliance.sound.tape import State, Taped
from compliance.store.people import participant_id
from compliance.store.schema import calls, holds, recordings
from compliance.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class RecordingEntry:
    """One recording. A call has several when recording was stopped and begun again."""

    id: str
    call_id: str
    state: State
    """`live`; `ended`; `interrupted` when its process died; `failed` when it could not be written on."""
    started_ms: int
    ended_ms: int | None
    start_samples: int
    """The outlet's position at frame 0."""
    clock_hz: int
    """The rate of that position."""
    rate_hz: int
    frames: int
    """0 while it is live."""
    chunks: int


def key_id(recording_id: str) -> str:
    """The name of the key that opens a recording."""
    return f"recording:{recording_id}"


def begin(transaction: Transaction, *, row: dict[str, Any], speaker: str = "") -> bool:
    """False when its call is not stored (any more), or the participant `speaker` whose sound it is."""
    connection = transaction.connection
    if connection.execute(select(calls.c.id).where(calls.c.id == row["call_id"])).scalar() is None:
        return False
    whose = participant_id(transaction, row["call_id"], speaker)
    if speaker and whose is None:
        return False
    values = {**row, "participant_id": whose, "started_ms": transaction.now_ms}
    connection.execute(insert(recordings), values)
    return True


def end(transaction: Transaction, *, recording_id: str, taped: Taped) -> bool:
    """False when there is no such recording (any more)."""
    values = {
        "state": taped.state,
        "ended_ms": transaction.now_ms,
        "frames": taped.frames,
        "chunks": taped.chunks,
    }
    change = update(recordings).where(recordings.c.id == recording_id).values(values)
    return transaction.connection.execute(change).rowcount == 1


def forget(transaction: Transaction, *, recording_id: str) -> bool:
    """Delete the row; false when there was none."""
    row = delete(recordings).where(recordings.c.id == recording_id)
    return transaction.connection.execute(row).rowcount == 1


def call_of(transaction: Transaction, *, recording_id: str) -> tuple[str | None, bool]:
    """The call of a recording, and whether it is on hold."""
    connection = transaction.connection
    query = select(recordings.c.call_id).where(recordings.c.id == recording_id)
    call_id: str | None = connection.execute(query).scalar()
    held = connection.execute(select(holds.c.call_id).where(holds.c.call_id == call_id)).first()
    return call_id, held is not None


def unsettled(transaction: Transaction) -> tuple[str, ...]:
    """Recordings that nobody ended though their call has ended, and those whose file was not there to look at."""
    lost = (recordings.c.state == "failed") & (recordings.c.chunks == 0)
    query = (
        select(recordings.c.id)
        .join(calls, calls.c.id == recordings.c.call_id)
        .where(calls.c.state == "ended", or_(recordings.c.state == "live", lost))
    )
    return tuple(transaction.connection.execute(query).scalars())


def all_ids(transaction: Transaction) -> set[str]:
    """Every recording."""
    return set(transaction.connection.execute(select(recordings.c.id)).scalars())


def of_call(call_id: str) -> ColumnElement[bool]:
    """For `entries`: those of a call."""
    return recordings.c.call_id == call_id


def entries(transaction: Transaction, *which: ColumnElement[bool]) -> tuple[RecordingEntry, ...]:
    """The recordings that fit, the oldest first."""
    columns = [recordings.c[field.name] for field in fields(RecordingEntry)]
    query = select(*columns).where(*which).order_by(recordings.c.started_ms, recordings.c.id)
    return tuple(RecordingEntry(**row) for row in transaction.connection.execute(query).mappings())
