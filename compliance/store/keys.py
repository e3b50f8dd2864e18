"""The keys: one of 256 bits for each person and each call, kept apart from what they open.

Each is wrapped under the key of this key store, and that one under the master key (see `master`). Destroying
a person's keys makes all that was sealed for them unreadable, wherever copies of it are. A key that was
destroyed never comes back: its name stays as a tombstone.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    select,
    update,
)
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from compliance.errors import KeyGone, VaultError
from compliance.settings import StoreSettings
from compliance.store import postgres, sqlite
from compliance.store.connect import are_one, connect, describe, parse, shown
from compliance.store.key_cache import CACHED_S, KeyCache
from compliance.store.master import MasterKey, open_master

__all__ = ["CACHED_S", "KEYS_FILE", "Keys"]

KEYS_FILE = "keys.db"
KEY_BYTES = 32
_NONCE_BYTES = 12
_IN_THE_LOG = "the key store's server may hold the wrapped keys in its log until it uses that space again"
"""Nobody but the server can purge its log, and what it kept there opens with the key store's own key."""
_MANY = 500
_metadata = MetaData()

_store = Table(
    "key_store",
    _metadata,
    Column("id", String(64), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    comment="one row: the name of this key store, and the key that wraps all others, wrapped by the master key",
)
_keys = Table(
    "keys",
    _metadata,
    Column("key_id", String(160), primary_key=True),
    Column("wrapped", LargeBinary, nullable=True),
    Column("made_ms", BigInteger, nullable=True),
    Column("destroyed_ms", BigInteger, nullable=True),
    comment="a row without a key is a tombstone: it was destroyed and may not be made again",
)


class Keys:
    """One key store. Its methods block, for a read or a commit at most, and may be called from any thread.

    They raise `KeyGone`, `VaultError`, and what SQLAlchemy raises when the database cannot be used now.
    """

    def __init__(
        self,
        home: Path,
        settings: StoreSettings,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`now` is Unix time in seconds. Nothing is touched before `open`."""
        self._home = home
        self._settings = settings
        self._now = now
        self._lock = threading.RLock()
        self._engine: Engine | None = None
        self._root = AESGCM(bytes(KEY_BYTES))
        self._cache = KeyCache(monotonic)
        self._master: MasterKey | None = None
        self.id = ""
        """The random name of this key store, to which a database is bound."""
        self.file: Path | None = None
        """Its SQLite file; None on a server."""

    @property
    def master(self) -> MasterKey:
        """The master key, for the other keys of this twin that are kept in files. Raises `VaultError`."""
        if self._master is None:
            raise VaultError("The store is not open.")
        return self._master

    def open(self, *, bound: str | None, apart_from: URL) -> None:
        """Connect; `bound` is the id of the key store that the database at `apart_from` was made with.

        None makes a key store when there is none. Raises `VaultError`, one line that says what to do.
        """
        url = parse(self._settings.keys_url, default=self._home / KEYS_FILE, setting="keys_url")
        if are_one(url, apart_from):
            raise VaultError("[store] keys_url must be another database than url, or keys and data go together.")
        lost = f"The keys of this store are not in {shown(url)}; restore them: nothing in it opens without them."
        if url.get_backend_name() == "sqlite":
            self.file = sqlite.file_of(url)
            if bound is not None and not self.file.exists():
                raise VaultError(lost)
            sqlite.prepare_file(self.file)
        engine = connect(url, setting="keys_url", busy_timeout_ms=self._settings.busy_timeout_ms)
        try:
            with engine.begin() as connection:
                postgres.one_at_a_time(connection)
                _metadata.create_all(connection)
                self._unlock(connection, bound, lost)
        except SQLAlchemyError as error:
            engine.dispose()
            raise VaultError(
                f"The key store {shown(url)} cannot be used: {describe(error)}. Mend it, or restore it."
            ) from error
        except BaseException:  # whatever it was, nobody else would close the connections
            engine.dispose()
            raise
        self._engine = engine

    def close(self) -> None:
        """Disconnect and drop every key from memory; safe to call twice."""
        with self._lock:
            self._cache.clear()
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def sealing(self, key_id: str) -> AESGCM:
        """The key to close something with, made when it is new. Raises `KeyGone` when it was destroyed."""
        return self._found(key_id) or self._made([key_id])[0]

    def opening(self, key_id: str) -> AESGCM:
        """The key to open something with; `KeyGone` when it was destroyed, `VaultError` when it was lost."""
        cipher = self._found(key_id)
        if cipher is None:
            raise VaultError(
                "A key is missing that nobody destroyed: the key store is older than the store; "
                "restore both from the same backup."
            )
        return cipher

    def make(self, key_ids: Sequence[str]) -> None:
        """Make those that are new, in one commit. Raises `KeyGone` when one of them was destroyed."""
        if not all(self._cached(key_id) for key_id in key_ids):
            self._made(key_ids)

    def load(self, key_ids: Iterable[str]) -> None:
        """Read those that are there with one question, when many values are about to be opened."""
        asked = [key_id for key_id in dict.fromkeys(key_ids) if not self._cached(key_id)]
        if not asked:
            return
        with self._lock, self._reading() as connection:
            for start in range(0, len(asked), _MANY):
                there = _keys.c.key_id.in_(asked[start : start + _MANY]) & _keys.c.wrapped.is_not(None)
                for row in connection.execute(select(_keys.c.key_id, _keys.c.wrapped).where(there)):
                    self._cache.put(row.key_id, self._unwrapped(row.key_id, row.wrapped))

    def is_gone(self, key_id: str) -> bool:
        """Whether the key was destroyed."""
        try:
            self._found(key_id)
        except KeyGone:
            return True
        return False

    def missing(self, key_ids: Iterable[str]) -> set[str]:
        """Those that are neither there nor destroyed."""
        asked = list(key_ids)
        found: set[str] = set()
        with self._lock, self._reading() as connection:
            for start in range(0, len(asked), _MANY):
                query = select(_keys.c.key_id).where(_keys.c.key_id.in_(asked[start : start + _MANY]))
                found.update(connection.execute(query).scalars())
        return set(asked) - found

    def standing(self, key_ids: Iterable[str]) -> set[str]:
        """Those that were not destroyed in this key store, which may be a restored copy."""
        asked = list(key_ids)
        gone: set[str] = set()
        with self._lock, self._reading() as connection:
            for start in range(0, len(asked), _MANY):
                among = _keys.c.key_id.in_(asked[start : start + _MANY])
                gone.update(
                    connection.execute(select(_keys.c.key_id).where(among, _keys.c.wrapped.is_(None))).scalars()
                )
        return set(asked) - gone

    def destroy(self, key_ids: Iterable[str]) -> str:
        """Destroy these keys for ever, known or not; nothing in this process can use them on return.

        Other processes stop within `CACHED_S`. Returns why their bytes could not be purged from the files,
        or nothing when they were; calling it again purges again.
        """
        ids = list(dict.fromkeys(key_ids))
        at_ms = int(self._now() * 1000)
        with self._lock:
            engine = self._connected()
            with engine.begin() as connection:
                for key_id in ids:
                    _bury(connection, key_id, at_ms=at_ms)
            for key_id in ids:
                self._cache.drop(key_id)
        # On a connection of its own: it may have to wait for other processes, and calls here must not wait too.
        purging = connect(engine.url, setting="keys_url", busy_timeout_ms=self._settings.busy_timeout_ms)
        try:
            if self.file is not None:
                return sqlite.purge(purging, limit_s=self._settings.wait_s)
            return postgres.purge(purging, [_keys.name]) or _IN_THE_LOG
        finally:
            purging.dispose()

    def _unlock(self, connection: Connection, bound: str | None, lost: str) -> None:
        """Read the key of the key store, or make it. Of processes that start at once one makes it."""
        row = connection.execute(select(_store.c.id, _store.c.wrapped)).first()
        if bound is not None and (row is None or row.id != bound):
            raise VaultError(lost)
        if row is not None:
            self._master = open_master(self._home, self._settings, account=row.id, create=False)
            self.id, root = row.id, self._master.unwrap(row.wrapped)
        else:
            self.id, root = secrets.token_hex(16), secrets.token_bytes(KEY_BYTES)
            self._master = open_master(self._home, self._settings, account=self.id, create=True)
            wrapped = self._master.wrap(root)
            if self._master.unwrap(wrapped) != root:
                raise VaultError("[store] master does not unwrap what it wrapped; nothing was stored.")
            connection.execute(insert(_store), {"id": self.id, "wrapped": wrapped})
        if len(root) != KEY_BYTES:
            raise VaultError("[store] master unwrapped something that is not a key; restore the one it was.")
        self._root = AESGCM(root)

    def _connected(self) -> Engine:
        if self._engine is None:
            raise VaultError("The store is not open.")
        return self._engine

    def _reading(self) -> AbstractContextManager[Connection]:
        return self._connected().execution_options(**{sqlite.READING: True}).begin()

    def _found(self, key_id: str) -> AESGCM | None:
        if cached := self._cached(key_id):
            return cached
        # Reading waits for no other process that makes a key or purges.
        with self._lock, self._reading() as connection:
            return self._read(connection, [key_id])[0]

    def _cached(self, key_id: str) -> AESGCM | None:
        with self._lock:
            return self._cache.get(key_id)

    def _made(self, key_ids: Sequence[str]) -> list[AESGCM]:
        with self._lock, self._connected().begin() as connection:
            found = self._read(connection, key_ids)
            new = [key_id for key_id, cipher in zip(key_ids, found, strict=True) if cipher is None]
            for key_id in new:
                self._insert(connection, key_id)
            # Read back, also because another process may have made it meanwhile: that one counts.
            ciphers = self._read(connection, key_ids) if new else found
        return [cipher for cipher in ciphers if cipher is not None]

    def _insert(self, connection: Connection, key_id: str) -> None:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
        wrapped = nonce + self._root.encrypt(nonce, key, key_id.encode())
        row = {"key_id": key_id, "wrapped": wrapped, "made_ms": int(self._now() * 1000)}
        try:
            with connection.begin_nested():
                connection.execute(insert(_keys), row)
        except IntegrityError:
            if not connection.execute(select(_keys.c.key_id).where(_keys.c.key_id == key_id)).first():
                raise

    def _read(self, connection: Connection, key_ids: Sequence[str]) -> list[AESGCM | None]:
        query = select(_keys.c.key_id, _keys.c.wrapped).where(_keys.c.key_id.in_(key_ids))
        rows = {row.key_id: row.wrapped for row in connection.execute(query)}
        if any(wrapped is None for wrapped in rows.values()):
            raise KeyGone("The key to this was destroyed: the person was forgotten.")
        ciphers = {key_id: self._unwrapped(key_id, wrapped) for key_id, wrapped in rows.items()}
        for key_id, cipher in ciphers.items():
            self._cache.put(key_id, cipher)
        return [ciphers.get(key_id) for key_id in key_ids]

    def _unwrapped(self, key_id: str, wrapped: bytes) -> AESGCM:
        try:
            return AESGCM(self._root.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], key_id.encode()))
        except InvalidTag as error:
            raise VaultError("A key in the key store is damaged; restore the key store.") from error


def _bury(connection: Connection, key_id: str, *, at_ms: int) -> None:
    dead = {"wrapped": None, "destroyed_ms": at_ms}
    # A second burial keeps the first date.
    bury = update(_keys).where(_keys.c.key_id == key_id, _keys.c.wrapped.is_not(None)).values(dead)
    if connection.execute(bury).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(_keys), {"key_id": key_id, **dead})
    except IntegrityError:
        # Buried before, or made by another process between the two statements.
        connection.execute(bury)
