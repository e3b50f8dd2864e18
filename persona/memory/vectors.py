"""Our own vector store for mem0: one SQLite file that any number of processes use at once.

mem0's embedded Qdrant admits one process, and its FAISS store rewrites its file for every memory. Here a person's
rows are few, so a search reads them and compares them all. Deleted rows are overwritten, in the file and the log.

mem0 makes it by name and calls it as its `VectorStoreBase` says; what it is given is sealed and turned before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from compliance.errors import VaultError
from persona.memory.vector_file import VectorFile

NAME = "vectors.db"
_COLUMNS = ("user_id", "run_id")
"""What rows are found by. Other filters are compared row by row."""


List = list
"""The type, under another name: mem0 calls a method of the store `list`."""


class SqliteConfig(BaseModel):
    """What mem0 hands to the store."""

    model_config = ConfigDict(extra="forbid")

    path: str
    collection_name: str = "mem0"
    embedding_model_dims: int = 384
    busy_s: float = 5.0
    """How long it waits for another process that writes."""


@dataclass(slots=True)
class Row:
    """A memory as mem0 reads it."""

    id: str
    payload: dict[str, Any]
    score: float | None = None


class SqliteVectors:
    """One collection in one file. Its methods block; they raise `VaultError` when the file cannot be used."""

    def __init__(self, path: str, collection_name: str, embedding_model_dims: int, busy_s: float) -> None:
        self.collection_name = collection_name
        self.embedding_model_dims = embedding_model_dims
        self._file = VectorFile(Path(path), busy_s=busy_s)

    def create_col(self, name: str, vector_size: int, distance: str = "cosine") -> None:
        """Nothing: a collection is there as soon as something is in it."""

    def insert(
        self,
        vectors: Sequence[Sequence[float]],
        payloads: Sequence[Mapping[str, Any]] | None = None,
        ids: Sequence[str] | None = None,
    ) -> None:
        """Add memories, or replace those with the same id; all of them or none."""
        given = payloads if payloads is not None else [{}] * len(vectors)
        names = ids if ids is not None else [str(payload.get("id", "")) for payload in given]
        rows = [self._row(*one) for one in zip(names, vectors, given, strict=True)]
        with self._file.writing() as database:
            database.executemany(
                "INSERT OR REPLACE INTO memories (collection, id, user_id, run_id, vector, payload)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )

    def search(
        self, query: str, vectors: Sequence[float], top_k: int = 5, filters: Mapping[str, Any] | None = None
    ) -> List[Row]:
        """The most alike first; the score is the cosine, and nothing below zero is found."""
        rows = self._read("number, vector", filters)
        if not rows:
            return []
        stored = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f4").reshape(len(rows), -1)
        wanted = np.asarray(vectors, dtype=np.float32)
        lengths = np.linalg.norm(stored, axis=1) * np.linalg.norm(wanted)
        scores = np.vecdot(stored, wanted) / np.where(lengths > 0, lengths, 1)
        found: List[Row] = []
        with self._file.reading() as database:
            for at in np.argsort(-scores, kind="stable"):
                if len(found) >= top_k or scores[at] <= 0:
                    break
                query = "SELECT id, payload FROM memories WHERE number = ?"
                row = database.execute(query, (rows[at][0],)).fetchone()
                # None: deleted by another process between the two statements.
                if row is not None and _fits(payload := json.loads(row[1]), filters):
                    found.append(Row(row[0], payload, float(scores[at])))
        return found

    def keyword_search(self, query: str, top_k: int = 5, filters: Mapping[str, Any] | None = None) -> None:
        """None: what is sealed has no words."""

    def delete(self, vector_id: str) -> None:
        """Delete a memory; nothing when there is none."""
        with self._file.writing() as database:
            database.execute(
                "DELETE FROM memories WHERE collection = ? AND id = ?", (self.collection_name, vector_id)
            )

    def update(
        self,
        vector_id: str,
        vector: Sequence[float] | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        """Replace the vector or the payload of a memory, or both."""
        which = (self.collection_name, vector_id)
        with self._file.writing() as database:
            if vector is not None:
                new = np.asarray(vector, dtype="<f4").tobytes()
                database.execute("UPDATE memories SET vector = ? WHERE collection = ? AND id = ?", (new, *which))
            if payload is not None:
                values = (payload.get("user_id"), payload.get("run_id"), _json(payload))
                database.execute(
                    "UPDATE memories SET user_id = ?, run_id = ?, payload = ? WHERE collection = ? AND id = ?",
                    (*values, *which),
                )

    def get(self, vector_id: str) -> Row | None:
        """A memory by its id."""
        with self._file.reading() as database:
            found = database.execute(
                "SELECT id, payload FROM memories WHERE collection = ? AND id = ?",
                (self.collection_name, vector_id),
            ).fetchone()
        return Row(found[0], json.loads(found[1])) if found else None

    def list(self, filters: Mapping[str, Any] | None = None, top_k: int | None = None) -> List[List[Row]]:
        """Those that fit, in the order in which they came; mem0 takes the first list of the result."""
        read = (Row(id_, json.loads(payload)) for id_, payload in self._read("id, payload", filters))
        rows = [row for row in read if _fits(row.payload, filters)]
        return [rows if top_k is None else rows[:top_k]]

    def list_cols(self) -> List[str]:
        """The names of the collections that hold something."""
        with self._file.reading() as database:
            return [row[0] for row in database.execute("SELECT DISTINCT collection FROM memories")]

    def col_info(self) -> dict[str, Any]:
        """The collection's name and how many memories it holds."""
        with self._file.reading() as database:
            query = "SELECT count(*) FROM memories WHERE collection = ?"
            count = database.execute(query, (self.collection_name,)).fetchone()[0]
        return {"name": self.collection_name, "count": count}

    def delete_col(self) -> None:
        """Delete everything in the collection."""
        with self._file.writing() as database:
            database.execute("DELETE FROM memories WHERE collection = ?", (self.collection_name,))

    def reset(self) -> None:
        """The same: an empty collection needs nothing."""
        self.delete_col()

    def purge(self) -> str:
        """Rewrite the file without what was deleted from it; why it could not be done, or nothing."""
        return self._file.purge()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._file.close()

    def _row(self, id_: str, vector: Sequence[float], payload: Mapping[str, Any]) -> tuple[Any, ...]:
        numbers = np.asarray(vector, dtype="<f4")
        if numbers.shape != (self.embedding_model_dims,):
            raise VaultError(
                f"A vector of {numbers.size} numbers does not fit the memory's {self.embedding_model_dims}."
            )
        # mem0 keeps the text a second time for a full-text search; sealed it has no words.
        kept = {name: value for name, value in payload.items() if name != "text_lemmatized"}
        owner = (kept.get("user_id"), kept.get("run_id"))
        return (self.collection_name, id_, *owner, numbers.tobytes(), _json(kept))

    def _read(self, columns: str, filters: Mapping[str, Any] | None) -> List[tuple[Any, ...]]:
        """Rows that may fit: those of the user and the run, where the filters name them."""
        conditions, values = ["collection = ?"], [self.collection_name]
        for column in _COLUMNS:
            wanted = (filters or {}).get(column)
            if isinstance(wanted, str) and wanted != "*":
                conditions.append(f"{column} = ?")
                values.append(wanted)
        query = f"SELECT {columns} FROM memories WHERE {' AND '.join(conditions)} ORDER BY number"
        with self._file.reading() as database:
            return database.execute(query, values).fetchall()


def _fits(payload: Mapping[str, Any], filters: Mapping[str, Any] | None) -> bool:
    """Whether the payload has what the filters ask for: a value, one of several, or any (`*`)."""
    for name, wanted in (filters or {}).items():
        if isinstance(wanted, dict):
            raise VaultError(f"The memory's store knows no filter like the one on {name!r}; ask for a value.")
        has = payload.get(name)
        if wanted == "*":
            if has is None:
                return False
        elif isinstance(wanted, list):
            if has not in wanted:
                return False
        elif has != wanted:
            return False
    return True


def _json(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
