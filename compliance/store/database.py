"""The database behind the vault: which one, brought up to date, and what it was told of itself."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, insert, inspect, select
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import SQLAlchemyError

from compliance.errors import VaultError
from compliance.settings import StoreSettings
from compliance.store import postgres, schema, sqlite, stored
from compliance.store.connect import connect, describe, parse, shown
from compliance.store.stored import StoredFiles

DATABASE_FILE = "twin.db"
_VERSION_TABLE = "alembic_version"
SECRET_CHECK = "secret_check"
"""The mark of what the secret of this database must hash to."""
KEYS_CHECK = "keys_check"
"""The mark of the key store that its values are sealed with."""
SEALED = "sealed"
"""The mark of a database in which every value is encrypted."""


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
    def url(self) -> URL:
        """Where the database is. Raises `VaultError` when the setting is not a URL."""
        return parse(self._settings.url, default=self._home / DATABASE_FILE, setting="url")

    @property
    def locks(self) -> Path:
        """Where worker processes that use this database from this machine show that they live."""
        return (self.file.parent if self.file else self._home) / "workers"

    def open(self) -> None:
        """Connect and bring the tables up to date. Raises `VaultError`, one line that says what to do."""
        url = self.url
        if url.get_backend_name() == "sqlite":
            self.file = sqlite.file_of(url)
            sqlite.prepare_file(self.file)
        engine = self._make_engine()
        try:
            with engine.begin() as connection:
                postgres.one_at_a_time(connection)
                _upgrade(connection)
        except SQLAlchemyError as error:
            engine.dispose()
            raise VaultError(
                f"The store {shown(url)} cannot be used: {describe(error)}. Mend it, or restore it from a backup."
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
            return postgres.purge(self.engine, [table.name for table in schema.metadata.sorted_tables])
        return sqlite.purge(self.engine, limit_s=limit_s)

    def settle(self) -> None:
        """Empty the log, where that is possible at once, so that what was just deleted is in no file."""
        if self.file is not None:
            sqlite.empty_log(self.engine)

    def stored(self) -> StoredFiles:
        """The bytes of this database on the disk, for a scan. Blocks."""
        if self.file is not None:
            return stored.of_sqlite(self.file, sqlite.files(self.file))
        return stored.of_server(self.engine, self._make_engine)

    def _make_engine(self) -> Engine:
        return connect(self.url, setting="url", busy_timeout_ms=self._settings.busy_timeout_ms)


def read_mark(connection: Connection, name: str) -> str | None:
    """A fact that this database was given; None when it was not."""
    value = schema.marks.c.value
    return connection.execute(select(value).where(schema.marks.c.name == name)).scalar()


def write_mark(connection: Connection, name: str, value: str) -> None:
    """Give the database a fact that it does not have yet."""
    connection.execute(insert(schema.marks).values(name=name, value=value))


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
