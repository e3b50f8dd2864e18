"""Whose memories: what the vault says of a person before anything of theirs is read, written or forgotten.

mem0 knows a person only by the vault's random id for them, which is also the name of their key. Their secret for
vectors is kept in the vault, sealed under that key. It also holds the person in the vault for as long as they are
remembered: nobody is swept away with their last call while something of theirs is kept.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from compliance.errors import KeyGone
from compliance.store.people import subject_id
from compliance.store.schema import calls, items, subjects
from compliance.store.transaction import Transaction
from persona.memory.turned import SECRET_BYTES

KIND = "memory"
"""The kind under which the vault keeps the secret."""
_PLACE = "items.sealed_data"


@dataclass(frozen=True, slots=True)
class Owner:
    """A person of whom something is, or is to be, remembered."""

    id: str
    """The vault's id of them, and the name of their key."""
    secret: bytes = field(repr=False)


def find(tx: Transaction, subject: str) -> Owner | None:
    """Who is remembered under that number, address or identity; None: nobody."""
    query = (
        select(subjects.c.id, items.c.sealed_data)
        .join(items, items.c.subject_id == subjects.c.id)
        .where(subjects.c.lookup == tx.lookup.of(subject), items.c.kind == KIND, items.c.name == "")
    )
    row = tx.connection.execute(query).first()
    if row is None:
        return None
    try:
        # In hexadecimal: what an erasure looks for afterwards is text.
        secret = bytes.fromhex(tx.open_text(row.sealed_data, key_id=row.id, place=_PLACE))
    except KeyGone:
        return None
    return Owner(row.id, secret)


def claim(tx: Transaction, subject: str, call_ids: Iterable[str]) -> Owner:
    """The same for somebody of whom something is to be remembered now, for the first time or again.

    Raises `KeyGone` when they, or the calls in which they said it, were forgotten meanwhile.
    """
    owner_id = subject_id(tx.connection, tx.lookup.of(subject))
    if owner_id is None or tx.keys.is_gone(owner_id) or not _are_there(tx, set(call_ids)):
        raise KeyGone("The person, or what they said, was forgotten meanwhile; nothing is remembered.")
    known = find(tx, subject)
    if known is not None:
        _touch(tx, owner_id)
        return known
    secret = secrets.token_bytes(SECRET_BYTES)
    sealed = tx.seal_text(secret.hex(), key_id=owner_id, place=_PLACE)
    row = {"subject_id": owner_id, "kind": KIND, "name": "", "at_ms": tx.now_ms, "sealed_data": sealed}
    try:
        with tx.connection.begin_nested():
            tx.connection.execute(insert(items), row)
    except IntegrityError:
        # Another process was quicker; its secret is the one.
        again = find(tx, subject)
        if again is None:
            raise
        return again
    return Owner(owner_id, secret)


def is_there(tx: Transaction, owner_id: str) -> bool:
    """Whether the person is still remembered; an erasure deletes the row before it asks the stores."""
    return tx.connection.execute(select(items.c.kind).where(_of(owner_id))).first() is not None


def drop(tx: Transaction, owner_id: str) -> None:
    """Nothing is remembered of them any more."""
    tx.connection.execute(delete(items).where(_of(owner_id)))


def unheard_since(tx: Transaction, until_ms: int) -> tuple[str, ...]:
    """The ids of those of whom nothing was written since then, and who did not call since."""
    later = select(calls.c.subject_id).where(
        calls.c.subject_id == items.c.subject_id, calls.c.started_ms > until_ms
    )
    old = select(items.c.subject_id).where(items.c.kind == KIND, items.c.at_ms <= until_ms, ~later.exists())
    return tuple(tx.connection.execute(old).scalars())


def _are_there(tx: Transaction, call_ids: set[str]) -> bool:
    if not call_ids:
        return True
    found = tx.connection.execute(select(calls.c.id).where(calls.c.id.in_(call_ids))).scalars()
    return set(found) == call_ids


def _touch(tx: Transaction, owner_id: str) -> None:
    tx.connection.execute(update(items).where(_of(owner_id)).values(at_ms=tx.now_ms))


def _of(owner_id: str) -> ColumnElement[bool]:
    return and_(items.c.subject_id == owner_id, items.c.kind == KIND)
