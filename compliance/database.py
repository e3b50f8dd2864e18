"""The database behind the vault: which one, brought up to date, and its errors in one line."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Engine, create_engine, insert, inspect, select
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
    SQLAlchemyError,
)

from compliance import schema, sqlite
from compliance.errors import VaultError
from compliance.settings import StoreSettings

DATABASE_FILE = "twin.db"
_VERSION_TABLE = "alembic_version"
_SECRET_CHECK = "secret_check"


class Database:
    """One database: its engine, made by `open` on the thread that will use it, and its files."""

    def __init__(self, home: Path, settings: StoreSettings) -> None:
        self._home = home
        self._settings = settings
        self._engine: Engine | None = None
        self.file: Path | None = None
        """The SQLite file; None for a server."""

    @property
    def engine(self) -> Engine:
        """Raises `VaultError` before `open` and after `close`."""
        if self._engine is None:
            raise VaultError("The store is not open.")
        return self._engine

    @property
    def locks(self) -> Path:
        """Where worker processes that use this database from this machine show that they live."""
        return (self.file.parent if self.file else self._home) / "workers"

    def open(self) -> None:
        """Connect and bring the tables up to date. Raises `VaultError`, one line that says what to do."""
        url = self._url()
        if url.get_backend_name() == "sqlite":
            self.file = sqlite.file_of(url)
            sqlite.prepare_file(self.file)
        engine = _make_engine(url)
        if self.file:
            sqlite.configure(engine, busy_timeout_ms=self._settings.busy_timeout_ms)
        try:
            with engine.begin() as connection:
                _upgrade(connection)
        except SQLAlchemyError as error:
            engine.dispose()
            raise VaultError(
                f"The store {_shown(url)} cannot be used: {describe(error)}. Mend it, or restore it from a backup."
            ) from error
        except VaultError:
            engine.dispose()
            raise
        self._engine = engine

    def close(self) -> None:
        """Disconnect; safe to call twice."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def purge(self, *, limit_s: float) -> str:
        """Remove deleted bytes from the files. Returns why not, or nothing when it was done."""
        if self.file is None:
            return "only the server's administrator can rewrite its files"
        return sqlite.purge(self.engine, limit_s=limit_s)

    def files(self) -> list[Path]:
        """The database's files that can be read here: none for a server."""
        return sqlite.files(self.file) if self.file else []

    def _url(self) -> URL:
        if not self._settings.url:
            return URL.create("sqlite", database=str(self._home / DATABASE_FILE))
        try:
            return make_url(self._settings.url)
        except (ArgumentError, ValueError) as error:
            raise VaultError("[store] url is not a database URL; see the README for examples.") from error


def read_secret_check(connection: Connection) -> str | None:
    """What the secret of this database must hash to; None in a new one."""
    value = schema.marks.c.value
    return connection.execute(select(value).where(schema.marks.c.name == _SECRET_CHECK)).scalar()


def write_secret_check(connection: Connection, check: str) -> None:
    """Bind the database to its secret."""
    connection.execute(insert(schema.marks).values(name=_SECRET_CHECK, value=check))


def describe(error: BaseException) -> str:
    """The cause in a few words, without statements, parameters or row values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    if isinstance(cause, VaultError):
        return cause.message
    if isinstance(cause, sqlite3.Error):
        return sqlite.describe(cause)
    return type(cause).__name__


def may_pass(error: BaseException) -> bool:
    """Whether the same write may succeed later (disk full, locked, connection lost), so it is worth keeping."""
    return isinstance(error, DBAPIError) and not isinstance(error, (IntegrityError, ProgrammingError, DataError))


def _make_engine(url: URL) -> Engine:
    try:
        if url.get_dialect().is_async:
            raise VaultError("[store] url needs a synchronous driver, e.g. postgresql+psycopg://.")
        # One connection: all work is done by one thread. Parameters are hidden since errors may be logged.
        return create_engine(url, pool_size=1, max_overflow=0, hide_parameters=True)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise VaultError(
            f"[store] url names the database driver {url.drivername!r}, which is not installed; "
            "install it or use sqlite:///."
        ) from error
    except (ArgumentError, TypeError) as error:
        raise VaultError(f"[store] url cannot be used: {type(error).__name__} for {_shown(url)}.") from error


def _shown(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return f"{url.drivername}://{url.host or ''}"


def _upgrade(connection: Connection) -> None:
    revision = _revision(connection)
    if revision == schema.HEAD:
        return
    # Alembic takes 100 ms to import; a database that is up to date does not need it.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise VaultError(
            f"The store was made by a newer version of the twin (revision {revision}); update the twin."
        )
    try:
        command.upgrade(config, schema.HEAD)
    except CommandError as error:
        raise VaultError("The store cannot be brought up to date; restore it from a backup.") from error


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    return str(connection.exec_driver_sql(f"SELECT version_num FROM {_VERSION_TABLE}").scalar() or "") or None
