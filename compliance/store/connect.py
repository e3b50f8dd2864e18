"""From a setting to a database connection, and from a database's error to a few words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
)

from compliance.errors import VaultError
from compliance.store import postgres, sqlite


def parse(url: str, *, default: Path, setting: str) -> URL:
    """The URL of `[store] <setting>`, or of the SQLite file `default` when it is empty. Raises `VaultError`."""
    if not url:
        return URL.create("sqlite", database=str(default))
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:
        raise VaultError(f"[store] {setting} is not a database URL; see the README for examples.") from error


def connect(url: URL, *, setting: str, busy_timeout_ms: int) -> Engine:
    """An engine of one connection, which is made when it is first used. Raises `VaultError`."""
    try:
        if url.get_dialect().is_async:
            raise VaultError(f"[store] {setting} needs a synchronous driver, e.g. postgresql+pg8000://.")
        # One connection: work is done one after the other. Parameters are hidden since errors may be logged.
        engine = create_engine(url, pool_size=1, max_overflow=0, hide_parameters=True)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise VaultError(
            f"[store] {setting} names the database driver {url.drivername!r}, which is not installed; "
            "install it or use sqlite:///."
        ) from error
    except (ArgumentError, TypeError) as error:
        raise VaultError(f"[store] {setting} cannot be used: {type(error).__name__} for {shown(url)}.") from error
    if url.get_backend_name() == "sqlite":
        sqlite.configure(engine, busy_timeout_ms=busy_timeout_ms)
    elif url.get_backend_name() == "postgresql":
        postgres.configure(engine, busy_timeout_ms=busy_timeout_ms)
    return engine


def are_one(url: URL, other: URL) -> bool:
    """Whether two URLs name one database, whoever signs in to it and with whichever driver."""

    def place(of: URL) -> tuple[object, ...]:
        if of.get_backend_name() == "sqlite":
            return ("sqlite", Path(of.database or "").resolve())
        return (of.get_backend_name(), of.host or "", of.port or 0, of.database or "")

    return place(url) == place(other)


def shown(url: URL) -> str:
    """The URL as it may be shown: without user and password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return f"{url.drivername}://{url.host or ''}"


def describe(error: BaseException) -> str:
    """The cause in a few words, without statements, parameters or row values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    if isinstance(cause, VaultError):
        return cause.message
    if isinstance(cause, sqlite3.Error):
        return sqlite.describe(cause)
    return postgres.describe(cause) or type(cause).__name__


def may_pass(error: BaseException) -> bool:
    """Whether the same write may succeed later (disk full, locked, connection lost), so it is worth keeping."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated or postgres.may_pass(error.orig):
        return True
    return not isinstance(error, (IntegrityError, ProgrammingError, DataError))
