"""What we ask of mem0: to keep what is sealed, to give it back, and to forget it with all that it wrote besides.

mem0 is given a text that is sealed and a vector that is turned (`infer=False`), by the vault's id of the person.
Everything here blocks, and is used from one thread.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.errors import VaultError
from compliance.store.sqlite import describe
from persona.memory.mem0_setup import HISTORY, HandedVectors, open_mem0
from persona.memory.settings import OWN_STORE, MemorySettings

_BUSY_S = 5.0
_ALL = 1_000_000
"""A limit that mem0 wants to be told where there is none."""
_ID = re.compile(r"\S{1,200}")


@dataclass(frozen=True, slots=True)
class Stored:
    """One memory as mem0 holds it."""

    id: str
    """mem0's id."""
    sealed: str


class Mem0:
    """One mem0 `Memory`; made and used on one thread, because its stores bind themselves to the thread."""

    def __init__(self, folder: Path, settings: MemorySettings, *, dims: int) -> None:
        """Opens it, see `open_mem0`. Raises `SettingsError` and `VaultError`."""
        self._history_file = folder / HISTORY
        self._memory = open_mem0(folder, settings, dims=dims)
        self._vectors: HandedVectors = self._memory.embedding_model
        self._own = self._memory.vector_store if settings.store == OWN_STORE else None
        self._store = settings.store

    @property
    def on_a_server(self) -> bool:
        """Whether the rows are in files that are not in the home."""
        return self._own is None and not _is_here(self._memory.config.vector_store.config)

    def rows(self, user_id: str, *, most: int) -> list[Stored]:
        """What is stored of a person. Raises `VaultError`."""
        return self._listed({"user_id": user_id}, most)

    def count(self, user_ids: Sequence[str], run_ids: Sequence[str], *, most: int = 1_000) -> int:
        """How much is stored of these people and of these calls, counted up to `most` of each."""
        users = sum(len(self._listed({"user_id": id_}, most)) for id_ in user_ids)
        return users + sum(len(self._listed({"run_id": id_}, most)) for id_ in run_ids)

    def add(self, user_id: str, sealed: str, vector: list[float], *, run_id: str = "") -> None:
        """Store one memory; `run_id` is the call in which it was said. Raises `VaultError`."""
        scope = {"run_id": run_id} if _ID.fullmatch(run_id) else {}
        self._vectors.hand(sealed, vector)
        with _told(self._store):
            self._memory.add(sealed, user_id=user_id, infer=False, **scope)

    def delete(self, id_: str) -> None:
        """Delete one memory by mem0's id; nothing when it is gone. Raises `VaultError`."""
        with _told(self._store), contextlib.suppress(ValueError):  # mem0's word for "there is none"
            self._memory.delete(id_)

    def forget(self, user_ids: Sequence[str], run_ids: Sequence[str] = ()) -> int:
        """Delete all memories of these people and of these calls, with their history; how many went.

        Raises `VaultError`; asked again, it goes on where it stopped.
        """
        scopes = [{"user_id": id_} for id_ in user_ids] + [{"run_id": id_} for id_ in run_ids]
        gone: set[str] = set()
        for scope in scopes:
            rows = self._listed(scope, _ALL)
            # A store that still lists what was deleted makes mem0 give up: once more, and then the check tells.
            for _ in range(2):
                if not rows:
                    break
                gone.update(row.id for row in rows)
                with _told(self._store):
                    self._memory.delete_all(**scope)
                rows = self._listed(scope, _ALL)
            self._forget_entities(scope)
        self.forget_history(gone, [_scope_of(scope) for scope in scopes])
        if self._own is not None and gone:
            not_purged = self._own.purge()
            if not_purged:
                raise VaultError(f"The memory's file still holds what was deleted: {not_purged}.")
        return len(gone)

    def forget_history(self, ids: set[str] | None = None, scopes: Sequence[str] = ()) -> None:
        """Take out of mem0's history what it says of memories that are gone: it keeps the text of each.

        Also of those deleted before this process was killed in the middle. Raises `VaultError`.
        """
        try:
            with contextlib.closing(
                sqlite3.connect(self._history_file, timeout=_BUSY_S, isolation_level=None)
            ) as db:
                db.execute("PRAGMA secure_delete = ON")
                db.execute("BEGIN IMMEDIATE")
                deleted = "SELECT memory_id FROM history WHERE event = 'DELETE'"
                count = db.execute(f"DELETE FROM history WHERE memory_id IN ({deleted})").rowcount
                of_id = [(id_,) for id_ in ids or ()]
                count += db.executemany("DELETE FROM history WHERE memory_id = ?", of_id).rowcount if of_id else 0
                for (found,) in db.execute("SELECT DISTINCT session_scope FROM messages").fetchall():
                    if not set(scopes).isdisjoint(str(found).split("&")):
                        count += db.execute("DELETE FROM messages WHERE session_scope = ?", (found,)).rowcount
                db.execute("COMMIT")
                if count:
                    db.execute("VACUUM")
        except sqlite3.Error as error:
            raise VaultError(f"The memory's history cannot be purged now: {describe(error)}.") from error

    def close(self) -> None:
        """Close the files and connections that mem0 leaves open."""
        store = self._memory.vector_store
        self._memory.close()
        for owner in (store, getattr(store, "client", None), getattr(store, "connection_pool", None)):
            close = getattr(owner, "close", None)
            if callable(close):
                close()

    def _listed(self, scope: Mapping[str, str], most: int) -> list[Stored]:
        # Not `get_all`, which makes and takes apart a pydantic model for every row.
        with _told(self._store):
            found = self._memory.vector_store.list(filters=dict(scope), top_k=most)
        return [Stored(str(row.id), (row.payload or {}).get("data", "")) for row in _flat(found)]

    def _forget_entities(self, scope: Mapping[str, str]) -> None:
        """Of another mem0's writing: we never let it look for names in a text."""
        with _told(self._store):
            entities = self._memory.entity_store
            for row in _flat(entities.list(filters=dict(scope), top_k=_ALL)):
                entities.delete(vector_id=row.id)


def _is_here(config: Any) -> bool:
    return bool(getattr(config, "path", "")) and not (getattr(config, "url", "") or getattr(config, "host", ""))


def _scope_of(scope: Mapping[str, str]) -> str:
    """As mem0's `messages` table names it; ours have no character that it would escape."""
    return "&".join(f"{name}={value}" for name, value in scope.items())


def _flat(found: Any) -> list[Any]:
    """The rows of what a store listed: some give a list of lists, some a pair, some the rows."""
    if isinstance(found, (list, tuple)) and found and isinstance(found[0], (list, tuple)):
        return list(found[0])
    return list(found or ())


@contextlib.contextmanager
def _told(store: str) -> Iterator[None]:
    """The same of what goes wrong later."""
    try:
        yield
    except VaultError:
        raise
    except Exception as error:  # as above; and its text may hold what it was given
        raise VaultError(f"The memory's store {store!r} failed ({type(error).__name__}).") from error
