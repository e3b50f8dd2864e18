"""The SQLite file of our vector store: one connection for this process, and any number of other processes."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compliance.errors import VaultError
from compliance.store.sqlite import describe, prepare_file

_RETRY_S = 0.05
_TABLE = """
    CREATE TABLE IF NOT EXISTS memories (
        number INTEGER PRIMARY KEY,
        collection TEXT NOT NULL,
        id TEXT NOT NULL,
        user_id TEXT,
        run_id TEXT,
        vector BLOB NOT NULL,
        payload TEXT NOT NULL,
        UNIQUE (collection, id)
    )
"""
_INDICES = (
    "CREATE INDEX IF NOT EXISTS of_user ON memories (collection, user_id)",
    "CREATE INDEX IF NOT EXISTS of_run ON memories (collection, run_id)",
)


class VectorFile:
    """Opened at the first use. Its methods block, and raise `VaultError` when the file cannot be used."""

    def __init__(self, path: Path, *, busy_s: float) -> None:
        """`busy_s`: how long it waits for another process that writes."""
        self._path = path
        self._busy_s = busy_s
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for statements that only read."""
        with self._lock:
            try:
                yield self._connected()
            except sqlite3.Error as error:
                raise _failed(error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection in a transaction: all of it is committed at the end, or nothing."""
        with self._lock:
            try:
                database = self._connected()
                # At once, not at the first write: a read lock that is to become a write lock waits for nobody.
                database.execute("BEGIN IMMEDIATE")
                try:
                    yield database
                except BaseException:  # whatever it was, half of it must not stay
                    database.execute("ROLLBACK")
                    raise
                database.execute("COMMIT")
            except sqlite3.Error as error:
                raise _failed(error) from error

    def purge(self) -> str:
        """Rewrite the file and empty its log, so that no deleted byte is in them; why not, or nothing.

        Waits for other processes for as long as it waits to write.
        """
        deadline = time.monotonic() + self._busy_s
        with self._lock:
            try:
                database = self._connected()
                database.execute("VACUUM")
                while database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                    if time.monotonic() > deadline:
                        return "the log could not be emptied: another process is reading"
                    time.sleep(_RETRY_S)
            except sqlite3.Error as error:
                return f"the file could not be rewritten ({describe(error)})"
        return ""

    def close(self) -> None:
        """Close the file; safe to call twice."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _connected(self) -> sqlite3.Connection:
        if self._database is None:
            prepare_file(self._path)
            database = sqlite3.connect(
                self._path, timeout=self._busy_s, isolation_level=None, check_same_thread=False
            )
            try:
                _set_up(database, limit_s=self._busy_s)
            except BaseException:  # nobody else would close it
                database.close()
                raise
            self._database = database
        return self._database


def _set_up(database: sqlite3.Connection, *, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while True:
        try:
            # The change of mode does not wait by itself when two processes make the file at once.
            database.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA secure_delete = ON")
    for statement in (_TABLE, *_INDICES):
        database.execute(statement)


def _failed(error: sqlite3.Error) -> VaultError:
    return VaultError(f"The memory's file cannot be used now: {describe(error)}.")
