"""Other people's SQLite files lose one person's rows, also the words in their full-text tables and free pages."""

from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path

import pytest

from compliance.forgetting.foreign import erase_from_databases, is_database, key_copies
from compliance.forgetting.needles import Wanted, seek

ANNA, BEN = "+493011111111", "+493022222222"
SOUGHT = seek(Wanted(names=(ANNA,)))


def make(path: Path) -> None:
    """mem0's history beside a store with full text, both in write-ahead mode."""
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE history (id TEXT PRIMARY KEY, memory_id TEXT, new_memory TEXT)")
        db.execute("CREATE TABLE facts (id TEXT, user_id TEXT, data TEXT)")
        db.execute("CREATE VIRTUAL TABLE words USING fts5(who, text)")
        for number in range(300):
            who, name = (ANNA, "anna") if number % 3 == 0 else (BEN, "ben")
            memory = str(uuid.UUID(int=number))
            db.execute(
                "INSERT INTO history VALUES (?, ?, ?)", (f"h{number}", memory, f"{name} collects stamps {number}")
            )
            db.execute("INSERT INTO facts VALUES (?, ?, ?)", (memory, who, f"{name} fact {number}"))
            db.execute("INSERT INTO words VALUES (?, ?)", (who, f"{name} collects stamps {number}"))
    db.close()


def test_rows_go_by_name_and_by_what_they_are_linked_to(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    make(path)
    assert is_database(path)
    assert erase_from_databases([path], SOUGHT, []) == 300
    assert b"anna" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM history").fetchone() == (200,)
        assert db.execute("SELECT count(*) FROM facts WHERE user_id = ?", (BEN,)).fetchone() == (200,)
        assert db.execute("SELECT count(*) FROM words WHERE words MATCH 'stamps'").fetchone() == (200,)
    db.close()
    assert erase_from_databases([path], SOUGHT, []) == 0


def test_rows_go_by_our_own_ids_too(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE notes (subject TEXT, note TEXT)")
        db.executemany(
            "INSERT INTO notes VALUES (?, ?)", [("0123456789abcdef", "hers"), ("fedcba9876543210", "his")]
        )
    db.close()
    assert erase_from_databases([path], SOUGHT, ["0123456789abcdef"]) == 1


def test_a_file_that_another_process_holds_is_an_error_not_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compliance.forgetting.foreign._BUSY_S", 0.1)
    path = tmp_path / "memory.db"
    make(path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(OSError, match="cannot be changed"):
        erase_from_databases([path], SOUGHT, [])
    holder.close()


def test_an_error_does_not_name_whom_a_file_is_named_after(tmp_path: Path) -> None:
    path = tmp_path / f"{ANNA}.db"
    path.write_bytes(b"SQLite format 3\x00 and nothing that is one")
    with pytest.raises(OSError, match="a file named after the person cannot be") as caught:
        erase_from_databases([path], SOUGHT, [])
    assert ANNA not in str(caught.value)


def test_tables_without_row_numbers_are_an_error_not_silence(tmp_path: Path) -> None:
    path = tmp_path / "odd.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE odd (user_id TEXT PRIMARY KEY) WITHOUT ROWID")
        db.execute("INSERT INTO odd VALUES (?)", (ANNA,))
    db.close()
    with pytest.raises(OSError, match="cannot be changed"):
        erase_from_databases([path], SOUGHT, [])


def test_copies_of_a_key_store_are_recognised_by_what_they_hold(tmp_path: Path) -> None:
    for name, wrapped in (("living.bin", b"key"), ("dead.bin", None)):
        with sqlite3.connect(tmp_path / name) as db:
            db.execute("CREATE TABLE keys (key_id TEXT, wrapped BLOB)")
            db.execute("INSERT INTO keys VALUES ('c1', ?)", (wrapped,))
        db.close()
    (tmp_path / "text").write_text("no database")
    make(tmp_path / "memory.db")
    assert key_copies([tmp_path], ["c1"]) == [tmp_path / "living.bin"]
    assert key_copies([tmp_path], ["c2"]) == []
