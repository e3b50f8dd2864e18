"""What an erasure takes: every row, key, file and provider's copy that is about a person, and what to look for."""

from __future__ import annotations

import base64
import contextlib
import json
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Table, delete, select, update

from compliance.errors import KeyGone
from compliance.forgetting.forgotten import Forgotten
from compliance.forgetting.needles import Wanted
from compliance.forgetting.vocabulary import names_ours
from compliance.origin.manifests import KIND as MANIFEST
from compliance.sound.recorded import key_id as recording_key
from compliance.store.schema import (
    calls,
    consents,
    events,
    evidence,
    holds,
    items,
    key_of,
    messages,
    minutes,
    participants,
    recordings,
    requests,
    subjects,
    turns,
    watermarks,
)
from compliance.store.subject import is_of_call
from compliance.store.transaction import Transaction
from compliance.watermark.token import CallToken

GATHER_S = 3.0
"""Reading what to look for afterwards takes no longer, so that the keys are destroyed within five seconds."""
_RAW = 32
_MANY = 500
_LEAST_TEXT = 6


@dataclass(frozen=True, slots=True)
class Plan:
    """One erasure. It holds what the person said, so it is stored sealed, under a key that goes with its end."""

    id: str
    lookups: tuple[str, ...]
    """The keyed hashes of the people; none when single calls are erased."""
    opened_ms: int
    request_id: str | None = None
    subject_ids: tuple[str, ...] = ()
    call_ids: tuple[str, ...] = ()
    participant_ids: tuple[str, ...] = ()
    """Their parts in meetings, and everybody's in those of the calls."""
    meeting_ids: tuple[str, ...] = ()
    """Meetings of others in which they took part; what is theirs in them goes, and the rest stays."""
    recording_ids: tuple[str, ...] = ()
    request_ids: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    """What providers call those calls."""
    tokens: tuple[str, ...] = ()
    """What the watermark says of those calls; by it the manifests of their recordings are kept."""
    held: int = 0
    """How many of the calls and meetings were on hold; the person's right goes first, and the receipt says so."""
    wanted: Wanted = field(default_factory=Wanted)
    deleted: dict[str, int] = field(default_factory=dict)
    """Rows by table, so far."""
    keys_destroyed_ms: int = 0
    complete: bool = True
    """False when there was too much to read in time; then only a part of it is looked for."""

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The keys that go first."""
        sounds = (recording_key(one) for one in self.recording_ids)
        return (*self.subject_ids, *self.call_ids, *self.participant_ids, *self.request_ids, *sounds)

    @property
    def names(self) -> tuple[str, ...]:
        """How providers and other stores know the person."""
        return tuple(name for name in self.wanted.names if not is_of_call(name))

    def forgotten(self) -> Forgotten:
        """As the erasure ledger keeps it: ids only."""
        return Forgotten(
            self.id,
            self.lookups[0] if self.lookups else "",
            self.opened_ms,
            self.subject_ids,
            self.call_ids,
            self.recording_ids,
            self.key_ids,
            self.participant_ids,
        )

    def to_bytes(self) -> bytes:
        """For `from_bytes`."""
        value = asdict(self)
        for kind in ("raw", "sound"):
            value["wanted"][kind] = [base64.b85encode(data).decode() for data in getattr(self.wanted, kind)]
        return zlib.compress(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"), 1)

    @classmethod
    def from_bytes(cls, data: bytes) -> Plan:
        """What `to_bytes` gave."""
        value = json.loads(zlib.decompress(data))
        wanted = {name: tuple(texts) for name, texts in value.pop("wanted").items()}
        for kind in ("raw", "sound"):
            wanted[kind] = tuple(base64.b85decode(text) for text in wanted[kind])
        fields: dict[str, Any] = {
            name: tuple(entry) if isinstance(entry, list) else entry for name, entry in value.items()
        }
        return cls(**fields, wanted=Wanted(**wanted))


def of_people(
    tx: Transaction,
    plan: Plan,
    *,
    until_ms: int | None = None,
    gather: bool = True,
    monotonic: Callable[[], float] = time.monotonic,
) -> Plan:
    """Fill the plan with all that is stored of the people whose keyed hashes or ids it has.

    `until_ms` leaves out people who were first heard of later: they came back after they were erased.
    Without `gather` only the ids are read.
    """
    for chunk in _chunks(plan.lookups):
        known = select(subjects.c.id).where(subjects.c.lookup.in_(chunk))
        asked = select(requests.c.id).where(requests.c.lookup.in_(chunk))
        if until_ms is not None:
            known = known.where(subjects.c.created_ms <= until_ms)
            asked = asked.where(requests.c.created_ms <= until_ms)
        plan = replace(
            plan,
            subject_ids=_union(plan.subject_ids, tx.connection.execute(known).scalars()),
            request_ids=_union(plan.request_ids, tx.connection.execute(asked).scalars()),
        )
    for chunk in _chunks(plan.subject_ids):
        owned = tx.connection.execute(select(calls.c.id).where(calls.c.subject_id.in_(chunk))).scalars()
        taken = tx.connection.execute(
            select(participants.c.id).where(participants.c.subject_id.in_(chunk))
        ).scalars()
        plan = replace(
            plan,
            call_ids=_union(plan.call_ids, owned),
            participant_ids=_union(plan.participant_ids, taken),
        )
    return _read(tx, plan, monotonic) if gather else plan


def of_calls(tx: Transaction, plan: Plan, *, monotonic: Callable[[], float] = time.monotonic) -> Plan:
    """Fill the plan with all that is stored of the calls it has."""
    return _read(tx, plan, monotonic)


def joined(tx: Transaction, call_ids: Iterable[str]) -> list[str]:
    """Everybody's part in these calls."""
    found: list[str] = []
    for chunk in _chunks(call_ids):
        query = select(participants.c.id).where(participants.c.call_id.in_(chunk))
        found += tx.connection.execute(query).scalars()
    return found


def delete_rows(tx: Transaction, plan: Plan) -> dict[str, int]:
    """Delete what the plan says, and what the person's other requests say of them. Rows by table."""
    deleted: dict[str, int] = {}
    for table, condition in _conditions(plan):
        if count := tx.connection.execute(delete(table).where(condition)).rowcount:
            deleted[table.name] = deleted.get(table.name, 0) + count
    for chunk in _chunks(plan.request_ids):
        tx.connection.execute(update(requests).where(requests.c.id.in_(chunk)).values(sealed_detail=b""))
        others = requests.c.id.in_(chunk) & requests.c.state.in_(("open", "verified", "approved"))
        void = update(requests).where(others, requests.c.id != (plan.request_id or ""))
        tx.connection.execute(void.values(state="void", closed_ms=tx.now_ms))
    return deleted


def is_left(tx: Transaction, plan: Plan) -> bool:
    """Whether any of its rows is (back) in the database."""
    return any(
        tx.connection.execute(select(*table.primary_key.columns).where(condition).limit(1)).first() is not None
        for table, condition in _conditions(plan)
    )


def _conditions(plan: Plan) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """The tables and rows that go, children before their parents."""
    for chunk in _chunks(plan.participant_ids):
        for table in (turns, events, minutes, messages, recordings, evidence, consents):
            yield table, table.c.participant_id.in_(chunk)
        yield participants, participants.c.id.in_(chunk)
    of_calls = (turns, events, minutes, messages, recordings, holds, evidence, consents, participants, watermarks)
    for chunk in _chunks(plan.call_ids):
        for table in of_calls:
            yield table, table.c.call_id.in_(chunk)
        yield calls, calls.c.id.in_(chunk)
    for chunk in _chunks(plan.tokens):
        yield items, (items.c.kind == MANIFEST) & items.c.name.in_(chunk)
    for chunk in _chunks(plan.subject_ids):
        for table in (messages, items, consents, evidence):
            yield table, table.c.subject_id.in_(chunk)
        yield subjects, subjects.c.id.in_(chunk)


def _read(tx: Transaction, plan: Plan, monotonic: Callable[[], float]) -> Plan:
    """The ids of files and provider's copies, and what is to be looked for afterwards."""
    found_recordings, references, held = list(plan.recording_ids), list(plan.references), 0
    tokens = list(plan.tokens)
    taken, meetings = list(plan.participant_ids), list(plan.meeting_ids)
    for chunk in _chunks(plan.participant_ids):
        of_them = select(recordings.c.id).where(recordings.c.participant_id.in_(chunk))
        found_recordings += tx.connection.execute(of_them).scalars()
        there = select(participants.c.call_id).where(participants.c.id.in_(chunk))
        meetings += tx.connection.execute(there).scalars()
    meetings = [one for one in meetings if one not in plan.call_ids]
    for chunk in _chunks(meetings):
        held += len(tx.connection.execute(select(holds.c.call_id).where(holds.c.call_id.in_(chunk))).all())
    taken += joined(tx, plan.call_ids)
    for chunk in _chunks(plan.call_ids):
        of_call = select(recordings.c.id).where(recordings.c.call_id.in_(chunk))
        found_recordings += tx.connection.execute(of_call).scalars()
        named = select(calls.c.provider_ref).where(calls.c.id.in_(chunk), calls.c.provider_ref != "")
        references += tx.connection.execute(named).scalars()
        marked = select(watermarks).where(watermarks.c.call_id.in_(chunk))
        tokens += [CallToken(row.day, row.generation, row.bits).text for row in tx.connection.execute(marked)]
        on_hold = select(holds.c.call_id).where(holds.c.call_id.in_(chunk))
        held += len(tx.connection.execute(on_hold).all())
    plan = replace(
        plan,
        participant_ids=tuple(dict.fromkeys(taken)),
        meeting_ids=tuple(dict.fromkeys(meetings)),
        tokens=tuple(dict.fromkeys(tokens)),
    )
    words = _Words(plan.wanted)
    deadline = monotonic() + GATHER_S
    complete = True
    for table, condition in _conditions(plan):
        complete = complete and _gather(tx, table, condition, words, lambda: monotonic() > deadline)
    return replace(
        plan,
        recording_ids=tuple(dict.fromkeys(found_recordings)),
        references=tuple(dict.fromkeys(references)),
        held=plan.held + held,
        wanted=words.wanted(),
        complete=plan.complete and complete,
    )


class _Words:
    """What is looked for afterwards, as it is gathered, each once."""

    def __init__(self, known: Wanted) -> None:
        self.names = dict.fromkeys(known.names)
        self.said = dict.fromkeys(known.said)
        self.heard = dict.fromkeys(known.heard)
        self._sound = known.sound
        self.raw = dict.fromkeys(known.raw)

    def take(self, table: Table, column: str, who: str | None, data: bytes) -> None:
        """A value that was opened."""
        text = data.decode("utf-8", "replace")
        if table is subjects:
            self.names[text] = None
        elif table is turns and column == "sealed_text":
            (self.heard if who == "twin" else self.said)[text] = None
        elif table is items and who == MANIFEST:
            # It says what we say of every file of ours, and nothing that a person said.
            return
        elif table in (messages, items):
            self.said[text] = None
        elif table is minutes:
            self.said[str(json.loads(text)["text"])] = None
        elif table in (calls, events):
            self.said.update(dict.fromkeys(_texts(text)))
        elif column == "sealed_name" and text:
            # What somebody calls themselves in a meeting is nobody's alone, and may be the owner's own name.
            self.heard[text] = None

    def wanted(self) -> Wanted:
        return Wanted(tuple(self.names), tuple(self.said), tuple(self.heard), self._sound, tuple(self.raw))


def _gather(
    tx: Transaction, table: Table, condition: ColumnElement[bool], words: _Words, late: Callable[[], bool]
) -> bool:
    """Open those rows; false when the time is over."""
    sealed = [column for column in table.columns if isinstance(column.type, LargeBinary)]
    if not sealed:
        return True
    who = [turns.c.who] if table is turns else [items.c.kind] if table is items else []
    for row in tx.connection.execute(select(key_of(table), *sealed, *who).where(condition)):
        if late():
            return False
        for column, value in zip(sealed, row[1:], strict=False):
            if not value:
                continue
            words.raw[bytes(value[:_RAW])] = None
            # What was destroyed before says nothing any more.
            with contextlib.suppress(KeyGone):
                data = tx.open(value, key_id=row[0], place=f"{table.name}.{column.name}")
                words.take(table, column.name, row[-1] if who else None, data)
    return True


def _texts(json_text: str) -> Iterator[str]:
    """The texts in a value of JSON, wherever in it they are, but for those that name something of ours."""
    waiting: list[tuple[str, Any]] = [("", json.loads(json_text))]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += ((name, one) for one in value)
        elif isinstance(value, str) and len(value) >= _LEAST_TEXT and not names_ours(name, value):
            yield value


def _union(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _chunks(ids: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """In pieces, since databases bound how many values a statement may have."""
    every = tuple(ids)
    for start in range(0, len(every), _MANY):
        yield every[start : start + _MANY]
