"""Where in a home bytes about people may be: the stores of an erasure, and whose every file is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from compliance.forgetting.forgotten import FILE as ERASURES_FILE
from compliance.forgetting.stores import (
    BackupStore,
    Copies,
    DatabaseStore,
    FileStore,
    KeyStore,
    MemoryStore,
    ProviderStore,
    RecordingStore,
    SearchStore,
    Store,
)
from compliance.forgetting.traces import Place
from compliance.settings import StoreSettings
from compliance.store.database import DATABASE_FILE
from compliance.store.keys import KEYS_FILE
from compliance.vault import Vault

RECORDINGS, MEMORY, CACHE, LOGS, EXPORTS, BACKUPS = "recordings", "memory", "cache", "logs", "exports", "backups"
_SUFFIXES = ("", "-wal", "-shm", "-journal")
_DOWNLOADS = ("whisper", "models")
"""Folders of the cache with models that were fetched: gigabytes that no person's bytes get into."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What `erasing.Eraser` is told about a home."""

    stores: tuple[Store, ...]
    places: tuple[Place, ...]
    skip: tuple[Path, ...]


def mirror_of(home: Path, settings: StoreSettings) -> Path:
    """The folder with the second copies."""
    return Path(settings.mirror).expanduser() if settings.mirror else home / "mirror"


def layout(
    vault: Vault,
    home: Path,
    settings: StoreSettings,
    *,
    forget_search: Callable[[Sequence[str]], Awaitable[None] | None] | None = None,
    search_memory: Callable[[], Awaitable[bytes]] | None = None,
    copies: Sequence[Copies] = (),
    memory: Store | None = None,
    more: Sequence[Store] = (),
) -> Layout:
    """Every store of a home, in the order in which they are erased; `more` are those of the caller.

    `forget_search` and `search_memory` are the full-text index's `forget` and `memory`. A provider that is not in
    `copies` is not asked, and its name is not in the receipt. `memory` knows how to forget in `<home>/memory`.
    """
    cache = home / CACHE
    skip = tuple(cache / name for name in _DOWNLOADS)
    stores: list[Store] = [KeyStore(vault), DatabaseStore(vault)]
    if forget_search is not None:
        stores.append(SearchStore(forget_search, search_memory))
    stores += [
        RecordingStore(home / RECORDINGS),
        memory or MemoryStore(home / MEMORY),
        FileStore(CACHE, cache, skip=_DOWNLOADS),
        FileStore(LOGS, home / LOGS),
        FileStore(EXPORTS, home / EXPORTS, exports=True),
        *(ProviderStore(one) for one in copies),
        *more,
        BackupStore(home / BACKUPS, home),
    ]
    places = [Place("keys", home / (KEYS_FILE + suffix)) for suffix in _SUFFIXES]
    ledgers = (home / ERASURES_FILE, home / "ledger", mirror_of(home, settings))
    places += [Place("ledgers", path) for path in ledgers]
    # The database looks through its own files, wherever they are.
    own = () if settings.url else tuple(home / (DATABASE_FILE + suffix) for suffix in _SUFFIXES)
    return Layout(tuple(stores), tuple(places), (*skip, *own))
