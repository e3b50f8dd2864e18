"""Everything that is true of SQLite only: its file, its pragmas, and how deleted bytes leave the disk."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, Connection

from compliance.errors import VaultError

_SUFFIXES = ("", "-wal", "-shm", "-journal")
READING = "twin_reading"
"""The execution option of transactions that only read, and so wait for no writer."""
_RETRY_S = 0.05


def file_of(url: URL) -> Path:
    """The database file of a SQLite URL. Raises `VaultError` for a database in memory."""
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise VaultError("[store] url must name a file: sqlite:////absolute/path/twin.db.")
    return Path(url.database)


def prepare_file(path: Path) -> None:
    """Make the file readable by its owner alone before SQLite writes to it (WAL and SHM take its mode).

    Raises `VaultError` when it cannot be made or written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        for name in files(path):
            if name.stat().st_mode & 0o077:
                name.chmod(0o600)
    except OSError as error:
        raise VaultError(
            f"The store {path} cannot be written ({error.strerror}); check the folder's owner and rights."
        ) from error


def files(path: Path) -> list[Path]:
    """The files of this database that exist now."""
    return [name for suffix in _SUFFIXES if (name := path.with_name(path.name + suffix)).exists()]


def configure(engine: Engine, *, busy_timeout_ms: int) -> None:
    """Set the pragmas on every connection, and take the write lock when a transaction begins."""

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        # The driver's own transaction handling begins late and upgrades a read lock to a write lock, which
        # fails at once (no busy timeout) when another process writes. So it is off, see `_begin`.
        connection.isolation_level = None
        cursor = connection.cursor()
        try:
            cursor.execute(f"PRAGMA busy_timeout = {busy_timeout_ms:d}")
            _use_write_ahead_log(cursor, limit_s=busy_timeout_ms / 1000)
            # NORMAL would survive a killed process too, but may lose the last commits with the power; the
            # disclosure's proof must not. The wait for the disk is the writer thread's, not the call's.
            cursor.execute("PRAGMA synchronous = FULL")
            cursor.execute("PRAGMA secure_delete = ON")
            cursor.execute("PRAGMA foreign_keys = ON")
        finally:
            cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get(READING)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def purge(engine: Engine, *, limit_s: float) -> str:
    """Rewrite the file without its free pages and empty the log; afterwards no deleted byte is in them.

    Returns why it could not be done, or nothing when it was. Waits for other processes up to `limit_s`.
    """
    deadline = time.monotonic() + limit_s
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        while True:
            try:
                cursor.execute("VACUUM")
                break
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    return f"the file could not be rewritten ({describe(error)})"
        while True:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            answer = cursor.fetchone()
            if answer and not answer[0]:
                return ""
            if time.monotonic() > deadline:
                return "the log could not be emptied: another process is reading"
            time.sleep(_RETRY_S)
    finally:
        connection.close()


def empty_log(engine: Engine) -> None:
    """Empty the log, unless another process reads or writes; what was overwritten in the file is then nowhere."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as error:
        if not _is_busy(error):
            raise
    finally:
        connection.close()


def describe(error: BaseException) -> str:
    """What SQLite reports, without any value of a row."""
    name = getattr(error, "sqlite_errorname", "")
    known = {
        "SQLITE_FULL": "the disk is full",
        "SQLITE_BUSY": "another process holds the database",
        "SQLITE_LOCKED": "another process holds the database",
        "SQLITE_READONLY": "it is read-only",
        "SQLITE_CANTOPEN": "it cannot be opened",
        "SQLITE_NOTADB": "the file is not a database",
        "SQLITE_CORRUPT": "the file is damaged",
        "SQLITE_IOERR": "the disk does not work",
    }
    for prefix, text in known.items():
        if name.startswith(prefix):
            return text
    return name or type(error).__name__


def _use_write_ahead_log(cursor: Any, *, limit_s: float) -> None:
    # The change of mode ignores the busy timeout when two workers make a new database at once.
    deadline = time.monotonic() + limit_s
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)


def _is_busy(error: sqlite3.Error) -> bool:
    return str(getattr(error, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
