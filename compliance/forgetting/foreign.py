"""SQLite files that are not ours (mem0's history, a vector store): a person's rows found, deleted and purged.

Their tables are not known, so a row belongs to the person when it holds their name, number or one of our ids for
them, or carries the id of such a row in another table: mem0's history has no user, only a `memory_id`.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compliance.forgetting.needles import Sought
from compliance.forgetting.scan import Needles

_MAGIC = b"SQLite format 3\x00"
_BUSY_S = 5.0
_LINKS = ("id", "memory_id", "point_id", "embedding_id", "doc_id", "uuid")
"""Columns whose value names one remembered thing."""
_UUID = re.compile(rb"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")


@dataclass(slots=True)
class _Hits:
    """Rows to delete, by file and table."""

    rows: dict[Path, dict[str, set[int]]] = field(default_factory=dict)
    links: set[bytes] = field(default_factory=set)


def is_database(path: Path) -> bool:
    """Whether it is a SQLite file."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def erase_from_databases(paths: Sequence[Path], sought: Sought, ids: Iterable[str]) -> int:
    """Delete the person's rows from all of these files and rewrite them; how many went.

    Blocks. Raises `OSError` when a file cannot be read, is held by another process, or has tables without row
    numbers.
    """
    known = Needles([], always=[name.encode() for name in ids])
    hits = _Hits()
    with contextlib.ExitStack() as stack:
        databases = {path: stack.enter_context(_opened(path, sought.shown(path.name))) for path in paths}
        for path, database in databases.items():
            for table, columns, number, values in _rows(database):
                data = _bytes_of(values)
                if known.hits_in(data) or sought.named(sought.needles.hits_in(data)):
                    hits.rows.setdefault(path, {}).setdefault(table, set()).add(number)
                    hits.links |= _links(columns, values)
        for path, database in databases.items():
            for table, columns, number, values in _rows(database) if hits.links else ():
                if _links(columns, values) & hits.links:
                    hits.rows.setdefault(path, {}).setdefault(table, set()).add(number)
        erased = 0
        for path, tables in hits.rows.items():
            erased += _delete(sought.shown(path.name), databases[path], tables)
    return erased


def rewrite(path: Path, name: str) -> None:
    """Rewrite a database without what was deleted from it; `name` is what an error calls it.

    Blocks. Raises `OSError` when it cannot be changed now.
    """
    with _opened(path, name) as database:
        _purge(name, database)


def key_copies(folders: Iterable[Path], key_ids: Iterable[str]) -> list[Path]:
    """SQLite files below these folders that are key stores and still hold one of these keys. Blocks."""
    wanted = set(key_ids)
    found: list[Path] = []
    for path in {path for folder in folders for path in folder.rglob("*") if path.is_file()}:
        if not is_database(path):
            continue
        # What has no such table, or cannot be read, is no key store.
        with contextlib.suppress(OSError), _opened(path, path.name, read_only=True) as database:
            living = database.execute("SELECT key_id FROM keys WHERE wrapped IS NOT NULL")
            if any(row[0].decode() in wanted for row in living):
                found.append(path)
    return found


@contextlib.contextmanager
def _opened(path: Path, name: str, *, read_only: bool = False) -> Iterator[sqlite3.Connection]:
    """`name` is what an error calls it."""
    mode = "ro" if read_only else "rw"
    try:
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=_BUSY_S)
        database.isolation_level = None
        database.text_factory = bytes
    except sqlite3.Error as error:
        raise OSError(0, f"{name} cannot be opened as a database ({type(error).__name__})") from None
    try:
        yield database
    except sqlite3.Error as error:
        raise OSError(0, f"{name} cannot be changed ({type(error).__name__})") from None
    finally:
        database.close()


def _rows(database: sqlite3.Connection) -> Iterator[tuple[str, list[str], int, tuple[Any, ...]]]:
    """Every row of every table: the table, its columns, the row's number and values."""
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        table = name.decode()
        if table.startswith("sqlite_") or _is_shadow(database, table):
            continue
        found = database.execute(f"SELECT rowid, * FROM {_quoted(table)}")
        columns = [column[0] for column in found.description][1:]
        for row in found:
            yield table, columns, row[0], row[1:]


def _is_shadow(database: sqlite3.Connection, table: str) -> bool:
    """Whether it belongs to a full-text table, which keeps it up to date itself."""
    query = (
        "SELECT 1 FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%' AND ? LIKE name || '\\_%' ESCAPE '\\'"
    )
    return database.execute(query, (table,)).fetchone() is not None


def _delete(name: str, database: sqlite3.Connection, tables: dict[str, set[int]]) -> int:
    database.execute("PRAGMA secure_delete = ON")
    database.execute("BEGIN IMMEDIATE")
    for table, numbers in tables.items():
        database.executemany(f"DELETE FROM {_quoted(table)} WHERE rowid = ?", [(number,) for number in numbers])
    database.execute("COMMIT")
    full_text = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%USING fts%'"
    for (found,) in database.execute(full_text).fetchall():
        table = found.decode()
        with contextlib.suppress(sqlite3.Error):
            # Rebuilt where it shadows another table, else merged: deleted words stay in its old segments.
            database.execute(f"INSERT INTO {_quoted(table)}({_quoted(table)}) VALUES ('rebuild')")
        database.execute(f"INSERT INTO {_quoted(table)}({_quoted(table)}) VALUES ('optimize')")
    _purge(name, database)
    return sum(len(numbers) for numbers in tables.values())


def _purge(name: str, database: sqlite3.Connection) -> None:
    database.execute("VACUUM")
    busy = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy and busy[0] == 1:
        raise OSError(0, f"{name} could not be purged: another process reads it")


def _bytes_of(values: Sequence[Any]) -> bytes:
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


def _links(columns: Sequence[str], values: Sequence[Any]) -> set[bytes]:
    """The ids of remembered things in a row; a vector store may keep them in base64."""
    found: set[bytes] = set()
    for column, value in zip(columns, values, strict=True):
        if column.lower() not in _LINKS or not isinstance(value, bytes):
            continue
        with contextlib.suppress(binascii.Error, ValueError):
            found.update(_UUID.findall(base64.b64decode(value, validate=True)))
        found.update(_UUID.findall(value))
    return {link.replace(b"-", b"").lower() for link in found}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
