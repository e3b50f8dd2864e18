"""The index behind the search: SQLite's full text in memory, one row for each turn. It never touches a disk."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_AROUND = 60
"""Characters of a snippet on either side of what was found."""
_LEAST_GRAM = 3
"""The shortest text that the index of three characters finds; a shorter one is looked for in every text."""
_NO_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Scripts that write words without spaces: Japanese, Chinese, Thai, Lao, Burmese."""
_WORD = re.compile(r"\w+")
_ASKED = re.compile(r'"([^"]+)"|(\S+)')

_TABLES = """
CREATE TABLE turns (
    id INTEGER PRIMARY KEY, call_id TEXT NOT NULL, sequence INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    text TEXT NOT NULL, UNIQUE (call_id, sequence)
);
CREATE VIRTUAL TABLE words USING fts5(
    text, content='turns', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE grams USING fts5(text, content='turns', content_rowid='id', tokenize='trigram');
"""
_INDEXES = ("words", "grams")
_NEWEST_FIRST = "ORDER BY at_ms DESC, call_id DESC, sequence DESC LIMIT ?"


@dataclass(frozen=True, slots=True)
class Hit:
    """A turn in which all the words were found."""

    call_id: str
    sequence: int
    snippet: str
    """The first of the words, with what stands around it."""
    at_ms: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """A turn as it is indexed."""

    sequence: int
    at_ms: int
    text: str


class Index:
    """Texts by call. Every method blocks, is whole or not at all, and may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # In memory: also what SQLite puts aside while it sorts or merges.
        self._database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._database.executescript("PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON;" + _TABLES)

    def close(self) -> None:
        """Drop everything; safe to call twice."""
        with self._lock:
            self._database.close()

    def replace(self, calls: Mapping[str, Sequence[Spoken]]) -> None:
        """These are the turns of these calls now; a call without turns goes."""
        with self._lock, self._database:
            self._database.execute("BEGIN")
            for call_id, turns in calls.items():
                self._remove(call_id)
                for turn in turns:
                    self._add(call_id, turn)

    def forget(self, call_ids: Iterable[str]) -> None:
        """Remove calls so that none of their words is left in this memory."""
        with self._lock:
            with self._database:
                self._database.execute("BEGIN")
                for call_id in call_ids:
                    self._remove(call_id)
            # What is deleted from a full-text index stays in it as words to be skipped, until it is merged.
            for index in _INDEXES:
                self._database.execute(f"INSERT INTO {index}({index}) VALUES ('optimize')")

    def find(self, asked: str, *, limit: int, before_ms: int | None) -> tuple[Hit, ...]:
        """The newest turns that hold all that is asked for, older than `before_ms`."""
        parts = [phrase or word for phrase, word in _ASKED.findall(asked)]
        parts = [part for part in parts if _WORD.search(part)]
        if not parts or limit <= 0:
            return ()
        conditions: list[str] = []
        values: list[str | int] = []
        for index, terms in _terms(parts).items():
            conditions.append(f"id IN (SELECT rowid FROM {index} WHERE {index} MATCH ?)")
            values.append(" AND ".join(terms))
        for part in parts:
            if _NO_SPACES.search(part) and len(part) < _LEAST_GRAM:
                conditions.append("instr(text, ?) > 0")
                values.append(part)
        if before_ms is not None:
            conditions.append("at_ms < ?")
            values.append(before_ms)
        query = (
            f"SELECT call_id, sequence, at_ms, text FROM turns WHERE {' AND '.join(conditions)} {_NEWEST_FIRST}"
        )
        with self._lock:
            rows = self._database.execute(query, (*values, limit)).fetchall()
        return tuple(
            Hit(call_id, sequence, _snippet(text, parts), at_ms) for call_id, sequence, at_ms, text in rows
        )

    def memory(self) -> bytes:
        """All bytes of the index, for a scan."""
        with self._lock:
            return self._database.serialize()

    def _add(self, call_id: str, turn: Spoken) -> None:
        row = (call_id, turn.sequence, turn.at_ms, turn.text)
        insert = "INSERT INTO turns (call_id, sequence, at_ms, text) VALUES (?, ?, ?, ?)"
        at = self._database.execute(insert, row).lastrowid
        for index in self._indexes_of(turn.text):
            self._database.execute(f"INSERT INTO {index} (rowid, text) VALUES (?, ?)", (at, turn.text))

    def _remove(self, call_id: str) -> None:
        of_call = "SELECT id, text FROM turns WHERE call_id = ?"
        for at, text in self._database.execute(of_call, (call_id,)).fetchall():
            for index in self._indexes_of(text):
                delete = f"INSERT INTO {index} ({index}, rowid, text) VALUES ('delete', ?, ?)"
                self._database.execute(delete, (at, text))
        self._database.execute("DELETE FROM turns WHERE call_id = ?", (call_id,))

    @staticmethod
    def _indexes_of(text: str) -> tuple[str, ...]:
        return _INDEXES if _NO_SPACES.search(text) else _INDEXES[:1]


def _terms(parts: Iterable[str]) -> dict[str, list[str]]:
    """What each index is asked for: beginnings of words, and pieces of three characters and more."""
    terms: dict[str, list[str]] = {}
    for part in parts:
        quoted = '"' + part.replace('"', '""') + '"'
        if not _NO_SPACES.search(part):
            terms.setdefault("words", []).append(quoted + " *")
        elif len(part) >= _LEAST_GRAM:
            terms.setdefault("grams", []).append(quoted)
    return terms


def _snippet(text: str, parts: Sequence[str]) -> str:
    lower = text.lower()
    places = [at for part in parts if (at := lower.find(part.lower())) >= 0]
    at = min(places, default=0)
    start, end = max(0, at - _AROUND), at + _AROUND
    if start:
        start = text.find(" ", start, at) + 1 or start
    if end < len(text):
        end = max(text.rfind(" ", at + 1, end), at + _AROUND // 2)
    return ("… " if start else "") + text[start:end].strip() + (" …" if end < len(text) else "")
