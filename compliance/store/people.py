"""The rows about people: the subjects, and who of them took part in which meeting."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from compliance.store.schema import calls, participants, subjects
from compliance.store.seal import sealed_length
from compliance.store.subject import HIDDEN, normalise, of_participant
from compliance.store.transaction import Transaction

_NAME = "participants.sealed_name"


def subject_id(connection: Connection, lookup: str) -> str | None:
    """The id of a subject by its keyed hash."""
    return connection.execute(select(subjects.c.id).where(subjects.c.lookup == lookup)).scalar()


def make_subject(tx: Transaction, subject: str, *, at_ms: int, with_keys: Sequence[str] = ()) -> str:
    """The id of a subject, which is added when it is new; the keys `with_keys` are made in the same commit."""
    lookup = tx.lookup.of(subject)
    found = subject_id(tx.connection, lookup)
    if found and not tx.keys.is_gone(found):
        _name_again(tx, found, subject)
        return found
    if found:
        # They are being forgotten while they call again: what begins now is another person's, and stays.
        aside = update(subjects).where(subjects.c.id == found).values(lookup=f"gone:{found}"[:64])
        tx.connection.execute(aside)
    new = secrets.token_hex(16)
    tx.make_keys([new, *with_keys])
    name = tx.seal_text(normalise(subject), key_id=new, place="subjects.sealed_name")
    try:
        with tx.connection.begin_nested():
            row = {"id": new, "lookup": lookup, "sealed_name": name, "created_ms": at_ms}
            tx.connection.execute(insert(subjects), row)
    except IntegrityError:
        # Another process added the same person between the two statements.
        found = subject_id(tx.connection, lookup)
        if not found:
            raise
        return found
    return new


def _name_again(tx: Transaction, subject_id: str, subject: str) -> None:
    """Somebody is back whose name was deleted with age."""
    sealed = tx.connection.execute(select(subjects.c.sealed_name).where(subjects.c.id == subject_id)).scalar_one()
    if len(sealed) != sealed_length(len(HIDDEN)):
        return
    if tx.open_text(sealed, key_id=subject_id, place="subjects.sealed_name") == HIDDEN:
        name = tx.seal_text(normalise(subject), key_id=subject_id, place="subjects.sealed_name")
        tx.connection.execute(update(subjects).where(subjects.c.id == subject_id).values(sealed_name=name))


def participant_id(tx: Transaction, call_id: str, identity: str) -> str | None:
    """Under which id somebody takes part in a meeting; None when they do not (any more)."""
    if not identity:
        return None
    lookup = tx.lookup.of(of_participant(identity))
    known = select(participants.c.id).join(subjects).where(participants.c.call_id == call_id)
    found: str | None = tx.connection.execute(known.where(subjects.c.lookup == lookup)).scalar()
    return found


def join(tx: Transaction, call_id: str, identity: str, name: str, *, at_ms: int) -> bool:
    """Somebody takes part in a meeting, or again, or under another name; False when their part in it was
    forgotten, which stays so until it ends."""
    if tx.connection.execute(select(calls.c.id).where(calls.c.id == call_id)).first() is None:
        return False
    known = participant_id(tx, call_id, identity)
    new = tx.lookup.part(call_id, of_participant(identity))
    # Asked of the key store itself: another process may have destroyed it a moment ago.
    if len(tx.keys.standing(asked := {new, known or new})) < len(asked):
        return False
    if known is not None:
        sealed = tx.seal_text(name, key_id=known, place=_NAME)
        here = update(participants).where(participants.c.id == known)
        tx.connection.execute(here.values(sealed_name=sealed, left_ms=None))
        return True
    row = {
        "id": new,
        "call_id": call_id,
        "subject_id": make_subject(tx, of_participant(identity), at_ms=at_ms, with_keys=[new]),
        "joined_ms": at_ms,
        "sealed_name": tx.seal_text(name, key_id=new, place=_NAME),
    }
    tx.connection.execute(insert(participants), row)
    return True


def leave(tx: Transaction, call_id: str, identity: str, *, at_ms: int) -> bool:
    """Somebody has left a meeting."""
    known = participant_id(tx, call_id, identity)
    gone = update(participants).where(participants.c.id == known, participants.c.left_ms.is_(None))
    tx.connection.execute(gone.values(left_ms=at_ms))
    return known is not None
