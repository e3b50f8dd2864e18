"""The revisions make exactly the tables that the code uses, and a start leaves logging alone."""

from __future__ import annotations

import logging
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import compliance
from compliance.settings import StoreSettings
from compliance.store import schema
from compliance.store.database import Database


def test_the_newest_revision_is_the_one_the_tables_are_written_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(compliance.__file__).parent / "store" / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_the_revisions_make_the_tables(home: Path) -> None:
    database = Database(home, StoreSettings())
    database.open()
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
    database.close()


def test_upgrading_touches_no_logger(home: Path) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.getLogger("alembic").level)
    database = Database(home, StoreSettings())
    database.open()
    database.close()
    assert (root.level, list(root.handlers), logging.getLogger("alembic").level) == before


def test_every_personal_column_is_bytes_and_called_sealed() -> None:
    for table in schema.metadata.sorted_tables:
        for column in table.columns:
            assert column.name.startswith("sealed_") == (column.type.python_type is bytes)
