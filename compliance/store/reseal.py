"""Encrypting what a store of an earlier version kept in the clear, once, when it is opened."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import LargeBinary, Table, and_, func, insert, select, update

from compliance.store.schema import calls, key_of, metadata, subjects
from compliance.store.seal import PLAIN
from compliance.store.subject import of_call
from compliance.store.transaction import Transaction

_ROWS = 500
"""Rows in one transaction: other processes get their turn in between, and a killed one goes on from there."""


def reseal(begin: Callable[[], AbstractContextManager[Transaction]]) -> int:
    """Encrypt every value of version 0; returns how many. Killed and run again, it does the rest.

    It also gives calls of unknown people the name by which they can be forgotten.
    """
    while _name_callers(begin):
        pass
    done = 0
    for table in metadata.sorted_tables:
        for column in [column.name for column in table.columns if isinstance(column.type, LargeBinary)]:
            while count := _some(begin, table, column):
                done += count
    return done


def _name_callers(begin: Callable[[], AbstractContextManager[Transaction]]) -> bool:
    with begin() as tx:
        nameless = select(calls.c.id, calls.c.started_ms).where(calls.c.subject_id.is_(None)).limit(_ROWS)
        rows = tx.connection.execute(nameless).all()
        for call_id, started_ms in rows:
            name = of_call(call_id)
            new = tx.lookup.of(name)[:32]
            sealed = tx.seal_text(name, key_id=new, place="subjects.sealed_name")
            row = {"id": new, "lookup": tx.lookup.of(name), "sealed_name": sealed, "created_ms": started_ms}
            tx.connection.execute(insert(subjects), row)
            tx.connection.execute(update(calls).where(calls.c.id == call_id).values(subject_id=new))
        return bool(rows)


def _some(begin: Callable[[], AbstractContextManager[Transaction]], table: Table, column: str) -> int:
    sealed = table.c[column]
    own = list(table.primary_key.columns)
    with begin() as tx:
        plain = func.substr(sealed, 1, 1) == PLAIN
        query = select(*own, key_of(table).label("key_id"), sealed.label("value")).where(plain).limit(_ROWS)
        rows = tx.connection.execute(query).all()
        keys = sorted({row.key_id for row in rows})
        if keys:
            tx.make_keys(keys)
        for row in rows:
            value: dict[str, Any] = {
                column: tx.seal(bytes(row.value)[1:], key_id=row.key_id, place=f"{table.name}.{column}")
            }
            # Only if no other process has sealed it in between.
            same = and_(sealed == row.value, *(part == row[index] for index, part in enumerate(own)))
            tx.connection.execute(update(table).where(same).values(value))
        return len(rows)
