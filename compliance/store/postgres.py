"""Everything that is true of PostgreSQL only: its errors, its locks, and how deleted bytes leave its files."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError

_LOCK = 0x7477696E
"""The advisory lock of processes that open a store; any number, the same for all of them."""
_OPENING_MS = 60_000

_KNOWN = {
    "08": "the connection was lost",
    "25006": "it is read-only",
    "28": "the user or password is wrong",
    "3D": "there is no such database",
    "40": "another process was quicker",
    "42501": "the user may not do this",
    "53100": "the disk is full",
    "53300": "the server has too many connections",
    "53": "the server is short of memory or disk",
    "55": "another process holds the database",
    "57": "the server is going down or coming up",
    "58": "the server's disk does not work",
}
_PASSING = ("08", "25006", "40", "53", "55", "57", "58")


def configure(engine: Engine, *, busy_timeout_ms: int) -> None:
    """Wait for other processes' locks no longer than so long, and use no connection that the server has left."""

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        try:
            cursor.execute(f"SET lock_timeout = {busy_timeout_ms:d}")
        finally:
            cursor.close()
        # The driver began a transaction; what is set in one that is rolled back is forgotten with it.
        connection.commit()

    # SQLAlchemy's own way to try a connection leaves a transaction open with this driver (VACUUM refuses that),
    # and takes the word of a server that is going down for an error of ours.
    @event.listens_for(engine, "checkout")
    def _taken(connection: Any, _record: object, _proxy: object) -> None:
        cursor = connection.cursor()
        try:
            cursor.execute("SELECT 1")
            connection.rollback()
        except (engine.dialect.loaded_dbapi.Error, OSError) as error:
            raise DisconnectionError from error
        finally:
            cursor.close()


def one_at_a_time(connection: Connection) -> None:
    """Until the end of this transaction no other process is between this and its own end; SQLite has that."""
    if connection.dialect.name == "postgresql":
        # The first makes the tables, and the others wait for that rather than give up.
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_OPENING_MS}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def purge(engine: Engine, tables: Sequence[str]) -> str:
    """Rewrite those tables without their deleted rows. Returns why it could not be done, or nothing."""
    quote = engine.dialect.identifier_preparer.quote
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in tables:
                connection.exec_driver_sql(f"VACUUM (FULL) {quote(table)}")
    except SQLAlchemyError as error:
        return f"the tables could not be rewritten ({describe(getattr(error, 'orig', error)) or 'error'})"
    return ""


def flush(engine: Engine) -> None:
    """Bring what the server has in memory to its files, where its user may ask for that."""
    with (
        contextlib.suppress(SQLAlchemyError),
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        connection.exec_driver_sql("CHECKPOINT")


def files(engine: Engine) -> dict[str, list[str]]:
    """The files under the server's data folder that hold this database's tables, and its log, by store.

    Everything of this database is meant, also tables that are not ours. Raises what SQLAlchemy raises.
    """
    with engine.connect() as connection:
        tables = connection.exec_driver_sql(
            "SELECT pg_relation_filepath(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')"
            " AND pg_relation_filepath(c.oid) IS NOT NULL ORDER BY 1"
        )
        found = {"server": [str(path) for path in tables.scalars()]}
        log = connection.exec_driver_sql("SELECT name FROM pg_ls_waldir() ORDER BY name")
        return {**found, "server-wal": [f"pg_wal/{name}" for name in log.scalars()]}


def local_folder(engine: Engine) -> Path | None:
    """The server's data folder, when it is on this machine and can be read."""
    try:
        with engine.connect() as connection:
            folder = Path(str(connection.exec_driver_sql("SHOW data_directory").scalar()))
            wanted = connection.exec_driver_sql("SELECT system_identifier FROM pg_control_system()").scalar()
        # A server elsewhere may have the same path; its control file begins with the number it was given at birth.
        with (folder / "global" / "pg_control").open("rb") as control:
            found = int.from_bytes(control.read(8), sys.byteorder)
        return folder if found == int(wanted or 0) % (1 << 64) else None
    except (SQLAlchemyError, OSError):
        return None


def cannot_read(engine: Engine, path: str) -> str:
    """Why that file of the server cannot be read through it; nothing when it can."""
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_read_binary_file(:path, 0, 1, true)"), {"path": path})
    except SQLAlchemyError as error:
        return describe(getattr(error, "orig", error)) or "error"
    return ""


def describe(error: object) -> str:
    """What the server reports, without any value of a row; empty when it is no error of a server."""
    state = _state(error)
    for prefix in (state[:5], state[:2]):
        if prefix in _KNOWN:
            return _KNOWN[prefix]
    return f"error {state}" if state else ""


def may_pass(error: object) -> bool:
    """Whether the same statement may succeed later. The driver has one class for nearly all errors."""
    return _state(error).startswith(_PASSING)


def _state(error: object) -> str:
    """The SQLSTATE, as pg8000 and psycopg give it."""
    if state := getattr(error, "sqlstate", None):
        return str(state)
    arguments = getattr(error, "args", ())
    if arguments and isinstance(arguments[0], dict):
        return str(arguments[0].get("C", ""))
    return ""
