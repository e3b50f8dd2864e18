"""What is stored and how old it is, as far as it may be past its date; for the sweeper."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, null, or_, select

from compliance.errors import KeyGone
from compliance.retention import KINDS, Kept, Kind, period_ms
from compliance.settings import RetentionSettings
from compliance.store.schema import (
    calls,
    consents,
    erasures,
    events,
    evidence,
    holds,
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
)
from compliance.store.seal import sealed_length
from compliance.store.subject import is_of_call
from compliance.store.transaction import Transaction

OWNER_PURPOSES = ("voice_clone", "face_clone")
"""The owner's consents to the clone are kept until they are replaced or revoked, whatever their age."""
_HELD = exists().where(holds.c.call_id == calls.c.id)


def past(
    tx: Transaction, kind: Kind, settings: RetentionSettings, *, limit: int, only: Sequence[str] | None = None
) -> list[Kept]:
    """At most `limit` of that kind that may be past their date, the oldest first; or those of `only` that are."""
    query = _QUERIES[kind](_Cutoffs(settings, tx.now_ms))
    if only is not None:
        query = query.where(query.selected_columns[0].in_(only))
    if kind == "name":
        return list(islice(_names(tx, query), limit))
    # From rows of (id, since, call id, held).
    return [
        Kept(kind, row[0], row[1], call_id=row[2], held=bool(row[3]))
        for row in tx.connection.execute(query.limit(limit))
    ]


class _Cutoffs:
    """Before which time something of each kind must have happened to be past its date."""

    def __init__(self, settings: RetentionSettings, now_ms: int) -> None:
        self._of = {kind: now_ms - period_ms(kind, settings) for kind in KINDS}

    def of(self, kind: Kind) -> int:
        return self._of[kind]


def _recordings(cutoffs: _Cutoffs) -> Select[Any]:
    since = func.coalesce(recordings.c.ended_ms, recordings.c.started_ms)
    query = select(recordings.c.id, since, calls.c.id, _HELD).join(calls).order_by(since)
    old = and_(since <= cutoffs.of("recording"), recordings.c.state != "live", calls.c.state == "ended", ~_HELD)
    return query.where(old)


def _words(cutoffs: _Cutoffs) -> Select[Any]:
    query = select(calls.c.id, calls.c.ended_ms, calls.c.id, _HELD).order_by(calls.c.ended_ms)
    old = and_(calls.c.state == "ended", calls.c.ended_ms <= cutoffs.of("words"), _has_words(), ~_HELD)
    return query.where(old)


def _has_words() -> ColumnElement[bool]:
    said = [exists().where(table.c.call_id == calls.c.id) for table in (turns, events, minutes)]
    said.append(exists().where(participants.c.call_id == calls.c.id, participants.c.sealed_name != b""))
    # A detail of nothing is `{}`, sealed.
    return or_(*said, calls.c.provider_ref != "", func.length(calls.c.sealed_detail) > sealed_length(2))


def _messages(cutoffs: _Cutoffs) -> Select[Any]:
    held = exists().where(holds.c.call_id == messages.c.call_id)
    query = select(messages.c.id, messages.c.at_ms, messages.c.call_id, held).order_by(messages.c.at_ms)
    return query.where(messages.c.at_ms <= cutoffs.of("message"), ~held)


def _consents(cutoffs: _Cutoffs) -> Select[Any]:
    held = exists().where(holds.c.call_id == consents.c.call_id)
    query = select(consents.c.id, consents.c.at_ms, consents.c.call_id, held).order_by(consents.c.at_ms)
    return query.where(_old_consent(cutoffs), ~held)


def _old_consent(cutoffs: _Cutoffs) -> ColumnElement[bool]:
    stands = and_(consents.c.purpose.in_(OWNER_PURPOSES), consents.c.status == "granted")
    ended = func.coalesce(consents.c.expires_ms, consents.c.at_ms)
    limit = cutoffs.of("consent")
    return and_(consents.c.at_ms <= limit, ended <= limit, or_(~stands, consents.c.expires_ms.is_not(None)))


def _evidence(cutoffs: _Cutoffs) -> Select[Any]:
    held = exists().where(holds.c.call_id == evidence.c.call_id)
    query = select(evidence.c.leaf, evidence.c.at_ms, evidence.c.call_id, held).order_by(evidence.c.at_ms)
    return query.where(evidence.c.at_ms <= cutoffs.of("evidence"), ~held)


def _request_words(cutoffs: _Cutoffs) -> Select[Any]:
    old = and_(requests.c.closed_ms <= cutoffs.of("request_words"), requests.c.sealed_detail != b"")
    return _requests(old)


def _closed_requests(cutoffs: _Cutoffs) -> Select[Any]:
    return _requests(requests.c.closed_ms <= cutoffs.of("request"))


def _requests(old: ColumnElement[bool]) -> Select[Any]:
    query = select(requests.c.id, requests.c.closed_ms, requests.c.call_id, false())
    return query.where(old).order_by(requests.c.closed_ms)


def _erasures(cutoffs: _Cutoffs) -> Select[Any]:
    query = select(erasures.c.id, erasures.c.finished_ms, erasures.c.request_id, false())
    old = erasures.c.finished_ms <= cutoffs.of("erasure")
    return query.where(old).order_by(erasures.c.finished_ms)


def _sessions(cutoffs: _Cutoffs) -> Select[Any]:
    query = select(sessions.c.token_hash, sessions.c.expires_ms, sessions.c.operator_id, false())
    return query.where(sessions.c.expires_ms <= cutoffs.of("session"))


def _tokens(cutoffs: _Cutoffs) -> Select[Any]:
    query = select(tokens.c.nonce_hash, tokens.c.expires_ms, tokens.c.nonce_hash, false())
    return query.where(tokens.c.expires_ms <= cutoffs.of("token"))


def _empty_calls(cutoffs: _Cutoffs) -> Select[Any]:
    query = select(calls.c.id, calls.c.ended_ms, calls.c.id, _HELD).order_by(calls.c.ended_ms)
    return query.where(_nothing_left(cutoffs))


def _nothing_left(cutoffs: _Cutoffs) -> ColumnElement[bool]:
    """Whether all of a call is past its date."""
    sound = func.coalesce(recordings.c.ended_ms, recordings.c.started_ms) > cutoffs.of("recording")
    of_call = [
        exists().where(recordings.c.call_id == calls.c.id, or_(sound, recordings.c.state == "live")),
        exists().where(messages.c.call_id == calls.c.id, messages.c.at_ms > cutoffs.of("message")),
        exists().where(consents.c.call_id == calls.c.id, ~_old_consent(cutoffs)),
        exists().where(evidence.c.call_id == calls.c.id, evidence.c.at_ms > cutoffs.of("evidence")),
    ]
    ended = and_(calls.c.state == "ended", calls.c.ended_ms <= cutoffs.of("words"), ~_HELD)
    return and_(ended, *(~stays for stays in of_call))


def _nameable(cutoffs: _Cutoffs) -> Select[Any]:
    """People of whom only proof is left, with their names."""
    later = or_(calls.c.state == "live", calls.c.ended_ms > cutoffs.of("name"), _HELD)
    return (
        select(subjects.c.id, subjects.c.created_ms, subjects.c.sealed_name)
        .where(_called())
        .where(~_called(later))
        .where(~_subject_stays(cutoffs, proof=False))
        .order_by(subjects.c.created_ms)
    )


def _names(tx: Transaction, query: Select[Any]) -> Iterator[Kept]:
    """Those whose names can still be read."""
    for row in tx.connection.execute(query):
        try:
            name = tx.open_text(row.sealed_name, key_id=row.id, place="subjects.sealed_name")
        except KeyGone:
            continue
        if not is_of_call(name):
            yield Kept("name", row.id, row.created_ms)


def _unused_subjects(cutoffs: _Cutoffs) -> Select[Any]:
    """People of whom nothing is left."""
    staying = _called(~_nothing_left(cutoffs))
    query = select(subjects.c.id, subjects.c.created_ms, null(), false()).where(~staying)
    query = query.where(~_subject_stays(cutoffs, proof=True), subjects.c.created_ms <= cutoffs.of("subject"))
    return query.order_by(subjects.c.created_ms)


def _called(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether there is such a call of a person, or one in which they took part."""
    own = exists().where(calls.c.subject_id == subjects.c.id, *which)
    here = and_(participants.c.subject_id == subjects.c.id, participants.c.call_id == calls.c.id)
    return or_(own, exists().where(here, *which))


def _subject_stays(cutoffs: _Cutoffs, *, proof: bool) -> ColumnElement[bool]:
    """Whether something of a person stays besides their calls; `proof` counts what only proves."""
    of_person = [
        exists().where(items.c.subject_id == subjects.c.id),
        exists().where(messages.c.subject_id == subjects.c.id, messages.c.at_ms > cutoffs.of("message")),
    ]
    if proof:
        of_person += [
            exists().where(consents.c.subject_id == subjects.c.id, ~_old_consent(cutoffs)),
            exists().where(evidence.c.subject_id == subjects.c.id, evidence.c.at_ms > cutoffs.of("evidence")),
        ]
    return or_(*of_person)


_QUERIES: dict[Kind, Callable[[_Cutoffs], Select[Any]]] = {
    "recording": _recordings,
    "words": _words,
    "message": _messages,
    "consent": _consents,
    "evidence": _evidence,
    "request_words": _request_words,
    "request": _closed_requests,
    "erasure": _erasures,
    "session": _sessions,
    "token": _tokens,
    "call": _empty_calls,
    "name": _nameable,
    "subject": _unused_subjects,
}
