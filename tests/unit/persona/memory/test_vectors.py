"""Our vector store: searching, several processes at once, one killed while it writes, and what is deleted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from compliance.errors import VaultError
from persona.memory.vectors import SqliteVectors
from tests.unit.compliance.store_helpers import run_python

DIMS = 8
HALF = 40
"""Memories of each of two processes."""
WRITER = """
import sys
from persona.memory.vectors import SqliteVectors
path, name, count = sys.argv[1:]
store = SqliteVectors(path, "twin", 8, 30.0)
for number in range(int(count)):
    store.insert([[1.0] * 8] * 3, [{"user_id": name}] * 3, [f"{name}-{number}-{part}" for part in range(3)])
    print(number, flush=True)
store.close()
"""


def make(folder: Path) -> SqliteVectors:
    return SqliteVectors(str(folder / "vectors.db"), "twin", DIMS, 5.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteVectors]:
    made = make(tmp_path)
    yield made
    made.close()


def axis(at: int, also: int | None = None) -> list[float]:
    vector = np.zeros(DIMS)
    vector[at] = 1
    if also is not None:
        vector[also] = 0.5
    return [float(number) for number in vector]


def test_the_most_alike_of_one_person_comes_first(store: SqliteVectors) -> None:
    payloads = [{"user_id": "anna"}, {"user_id": "anna"}, {"user_id": "ben"}, {"user_id": "anna"}]
    store.insert([axis(0, 1), axis(0), axis(0), axis(2)], payloads, ["a", "b", "c", "d"])
    found = store.search("", axis(0), top_k=5, filters={"user_id": "anna"})
    assert [row.id for row in found] == ["b", "a"]
    assert found[0].score == pytest.approx(1)
    assert [row.id for row in store.search("", axis(0), top_k=1)] == ["b"]


def test_an_empty_store_finds_nothing(store: SqliteVectors) -> None:
    assert store.search("", axis(0)) == []
    assert store.list() == [[]]
    assert store.get("a") is None
    assert store.list_cols() == []


def test_filters_compare_what_is_not_a_column_row_by_row(store: SqliteVectors) -> None:
    store.insert(
        [axis(0)] * 3, [{"n": 1, "user_id": "a"}, {"n": 2, "user_id": "a"}, {"user_id": "a"}], ["x", "y", "z"]
    )
    for filters, ids in (
        ({"n": 2}, ["y"]),
        ({"n": [1, 2]}, ["x", "y"]),
        ({"n": "*"}, ["x", "y"]),
        ({}, ["x", "y", "z"]),
    ):
        assert [row.id for row in store.list(filters)[0]] == ids
    assert [row.id for row in store.list(top_k=2)[0]] == ["x", "y"]
    with pytest.raises(VaultError, match="no filter like"):
        store.list({"n": {"gt": 1}})


def test_the_same_id_again_replaces(store: SqliteVectors) -> None:
    store.insert([axis(0)], [{"user_id": "anna", "data": "old"}], ["a"])
    store.insert([axis(1)], [{"user_id": "anna", "data": "new"}], ["a"])
    (found,) = store.search("", axis(1), filters={"user_id": "anna"})
    assert found.payload["data"] == "new"


def test_an_update_changes_what_it_is_given(store: SqliteVectors) -> None:
    store.insert([axis(0)], [{"user_id": "anna", "data": "old"}], ["a"])
    store.update("a", payload={"user_id": "ben", "data": "new"})
    store.update("a", vector=axis(3))
    (found,) = store.search("", axis(3), filters={"user_id": "ben"})
    assert found.payload == {"user_id": "ben", "data": "new"}


def test_a_vector_of_another_length_is_refused_and_nothing_is_stored(store: SqliteVectors) -> None:
    with pytest.raises(VaultError, match="does not fit"):
        store.insert([axis(0), [1.0]], [{}, {}], ["a", "b"])
    assert store.col_info() == {"name": "twin", "count": 0}


def test_collections_in_one_file_do_not_mix(store: SqliteVectors, tmp_path: Path) -> None:
    other = SqliteVectors(str(tmp_path / "vectors.db"), "twin_entities", DIMS, 5.0)
    store.insert([axis(0)], [{}], ["a"])
    other.insert([axis(0)], [{}], ["b"])
    assert sorted(store.list_cols()) == ["twin", "twin_entities"]
    other.reset()
    assert [row.id for row in store.list()[0]] == ["a"]
    other.close()


def test_what_is_deleted_is_in_no_byte_of_the_files(store: SqliteVectors, tmp_path: Path) -> None:
    store.insert(
        [axis(0)] * 200, [{"data": f"canary {at} " * 40} for at in range(200)], [f"id-{at}" for at in range(200)]
    )
    for at in range(0, 200, 2):
        store.delete(f"id-{at}")
    assert store.purge() == ""
    data = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert [at for at in range(0, 200, 2) if f"canary {at} ".encode() in data] == []
    assert [at for at in range(1, 200, 2) if f"canary {at} ".encode() not in data] == []


def test_a_reader_elsewhere_keeps_it_from_purging_and_it_says_so(tmp_path: Path) -> None:
    store = SqliteVectors(str(tmp_path / "vectors.db"), "twin", DIMS, 0.2)
    store.insert([axis(0)], [{}], ["a"])
    reader = sqlite3.connect(tmp_path / "vectors.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM memories").fetchall()
    store.delete("a")
    assert "another process" in store.purge()
    reader.close()
    assert store.purge() == ""
    store.close()


def test_the_files_are_their_owners_alone(store: SqliteVectors, tmp_path: Path) -> None:
    store.insert([axis(0)], [{}], ["a"])
    assert {oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {"0o600"}


def test_a_damaged_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "vectors.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(VaultError, match="the file is not a database"):
        make(tmp_path).get("a")


def test_two_processes_write_at_once_and_nothing_is_lost(store: SqliteVectors, tmp_path: Path) -> None:
    writers = [run_python(WRITER, tmp_path / "vectors.db", name, HALF) for name in ("anna", "ben")]
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    for name in ("anna", "ben"):
        assert len(store.list({"user_id": name})[0]) == 3 * HALF


def test_a_process_killed_while_it_writes_leaves_whole_memories(store: SqliteVectors, tmp_path: Path) -> None:
    writer = run_python(WRITER, tmp_path / "vectors.db", "anna", 100_000)
    assert writer.stdout is not None
    done = [int(writer.stdout.readline()) for _ in range(5)][-1]
    writer.kill()
    done = max([done, *map(int, writer.communicate(timeout=60)[0].split())])
    ids = {row.id for row in store.list({"user_id": "anna"})[0]}
    assert {f"anna-{number}-{part}" for number in range(done + 1) for part in range(3)} <= ids
    assert len(ids) % 3 == 0
    store.insert([axis(0)], [{"user_id": "anna"}], ["after"])
    assert store.get("after") is not None
