"""A database, its secret and its key store belong together, which is checked whenever they are opened."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import Connection

from compliance.errors import VaultError
from compliance.store import postgres, rows
from compliance.store.database import KEYS_CHECK, SEALED, SECRET_CHECK, Database, read_mark, write_mark
from compliance.store.keys import Keys
from compliance.store.reseal import reseal
from compliance.store.subject import Lookup, read_secret
from compliance.store.transaction import Transaction


def bind(home: Path, database: Database, keys: Keys, *, now_ms: int, limit_s: float) -> Lookup:
    """Open both, and encrypt what an earlier version kept in the clear; returns how people are found.

    Of processes that start at once one makes what is new. Rewriting the files waits up to `limit_s` for other
    processes. Raises `VaultError`, one line that says what to do.
    """
    database.open()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with database.engine.begin() as connection:
        postgres.one_at_a_time(connection)
        lookup = _bind_secret(connection, home)
        sealed = read_mark(connection, SEALED) is not None
        _bind_keys(connection, database, keys, sealed=sealed)
    if not sealed:
        _seal_all(database, keys, lookup, now_ms=now_ms, limit_s=limit_s)
    return lookup


def _bind_secret(connection: Connection, home: Path) -> Lookup:
    check = read_mark(connection, SECRET_CHECK)
    lookup = Lookup(read_secret(home, create=check is None))
    if check is None:
        write_mark(connection, SECRET_CHECK, lookup.check)
    elif check != lookup.check:
        raise VaultError("vault.secret does not belong to this store; restore the file it began with.")
    return lookup


def _bind_keys(connection: Connection, database: Database, keys: Keys, *, sealed: bool) -> None:
    bound = read_mark(connection, KEYS_CHECK)
    keys.open(bound=bound, apart_from=database.url)
    if bound is None:
        write_mark(connection, KEYS_CHECK, keys.id)
    # Until a store of an earlier version is encrypted, it has calls without keys.
    elif sealed and (lost := keys.missing(rows.newest_calls(connection))):
        raise VaultError(
            f"The key store is older than the store ({len(lost)} of the newest calls have no key); "
            "restore both from the same backup."
        )


def _seal_all(database: Database, keys: Keys, lookup: Lookup, *, now_ms: int, limit_s: float) -> None:
    @contextlib.contextmanager
    def begin() -> Iterator[Transaction]:
        with database.engine.begin() as connection:
            postgres.one_at_a_time(connection)
            yield Transaction(connection, keys, lookup, now_ms)

    with begin() as tx:
        empty = rows.is_empty(tx.connection)
    reseal(begin)
    # Also when nothing was left to encrypt: an earlier start may have been killed before it came to this.
    if not empty and (not_purged := database.purge(limit_s=limit_s)):
        raise VaultError(
            f"The store was encrypted, but what stood there before is still in its files: {not_purged}; "
            "stop the other processes and start again."
        )
    with begin() as tx:
        if read_mark(tx.connection, SEALED) is None:
            write_mark(tx.connection, SEALED, "1")
