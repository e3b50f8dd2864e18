"""What the twin remembers of people from call to call.

    library = Library(home, vault, settings)
    await library.start()
    recall = await library.recall("+493012345")        # while it rings; answers come from RAM from then on
    await library.write("+493012345", [Keep(memory)])  # after the call, with consent
    await library.close()

mem0 keeps it, sealed under the person's own key; see `mem0_store`. All of mem0 runs on one thread of its own,
because some of its stores admit no other; a call waits for it no longer than `MemorySettings.load_s`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from compliance.errors import KeyGone, TwinError, VaultError
from compliance.vault import Vault
from persona.memory import owner as owners
from persona.memory.changes import Change, Drop
from persona.memory.embedder import Embedder, LocalEmbedder
from persona.memory.mem0_setup import HISTORY
from persona.memory.owner import Owner
from persona.memory.settings import OWN_STORE, MemorySettings
from persona.memory.shelf import Shelf
from persona.memory.vectors import NAME
from persona.recall import Recall
from persona.source import Memory

log = logging.getLogger(__name__)
T = TypeVar("T")

FOLDER = "memory"
_FORGET_S = 600.0
_CLOSE_S = 5.0
_DAY_MS = 86_400_000


class Library:
    """One for each process. Nothing is imported, opened or connected before `start`, or the first use."""

    def __init__(
        self,
        home: Path,
        vault: Vault,
        settings: MemorySettings,
        *,
        api_key: str = "",
        embedder: Embedder | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`api_key` is for an embedder on a server; `embedder` goes before the one that the settings name.

        `now` is Unix time in seconds.
        """
        self.folder = home / FOLDER
        self._vault = vault
        self._settings = settings
        self._api_key = api_key
        self._embedder = embedder
        self._now = now
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="memory")
        self._used = False
        self._shelf: Shelf | None = None

    async def start(self) -> None:
        """Import mem0 and open its store. Raises `SettingsError`, `VaultError`, or an embedder's `EngineError`."""
        await self._do(self._opened, limit_s=_FORGET_S)

    async def close(self) -> None:
        """Close what was opened and end the thread, in bounded time; safe to call twice."""
        try:
            if self._used:
                await self._do(self._close, limit_s=_CLOSE_S)
        except VaultError as error:
            log.warning("the memory's store did not close", extra={"code": error.code})
        finally:
            self._used = False
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def load(self, subject: str) -> tuple[Memory, ...]:
        """What is remembered of a person, the oldest first; nothing when that fails or takes too long."""
        pages = await self._in_time(subject, lambda owner: self._opened().pages(owner))
        return tuple(page.memory for page in pages or ())

    async def recall(self, subject: str) -> Recall:
        """The same, made ready to answer from RAM: for while it rings. Empty when it fails or takes too long."""
        recall = await self._in_time(subject, lambda owner: self._opened().recall(owner))
        return Recall((), embedder=self._embedder or LocalEmbedder()) if recall is None else recall

    async def memories_of(self, subject: str) -> tuple[Memory, ...]:
        """The same for whoever has a right to it: all, or an error. Raises `VaultError`."""
        owner = await self._vault.run(lambda tx: owners.find(tx, subject))
        if owner is None:
            return ()
        pages = await self._do(lambda: self._opened().pages(owner), limit_s=self._settings.write_s)
        return tuple(page.memory for page in pages)

    async def write(self, subject: str, changes: Sequence[Change]) -> None:
        """Carry out changes; what was done of them before is not done again, so a job may be repeated.

        Raises `KeyGone` when the person or the call was forgotten meanwhile (the job is over then), and another
        `VaultError` when it is to be tried again.
        """
        if not changes:
            return
        said_in = {change.memory.call_id for change in changes if not isinstance(change, Drop)} - {""}
        owner = await self._vault.run(lambda tx: owners.claim(tx, subject, said_in))
        await self._do(lambda: self._opened().write(owner, changes), limit_s=self._settings.write_s)
        if not await self._vault.run(lambda tx: owners.is_there(tx, owner.id)):
            # An erasure had asked the stores before this was written.
            await self.forget([owner.id], [])
            raise KeyGone("The person was forgotten meanwhile; nothing is remembered.")

    async def forget_all(self, subject: str) -> int:
        """Remember nothing of a person any more; the rest that is stored of them stays. How much it was.

        Raises `VaultError`; asked again, it goes on where it stopped.
        """
        owner = await self._vault.run(lambda tx: owners.find(tx, subject))
        return 0 if owner is None else await self._forget_owner(owner.id)

    async def sweep(self) -> int:
        """Forget those who have not been heard for `keep_days`; how many memories went. Raises `VaultError`."""
        until_ms = int(self._now() * 1000) - self._settings.keep_days * _DAY_MS
        old = await self._vault.run(lambda tx: owners.unheard_since(tx, until_ms))
        return sum([await self._forget_owner(owner_id) for owner_id in old])

    async def forget(self, owner_ids: Sequence[str], call_ids: Sequence[str]) -> int:
        """Delete what mem0 holds of these people (by the vault's ids) and of these calls. Raises `VaultError`."""
        if self._never_used():
            return 0
        return await self._do(lambda: self._opened().mem0.forget(owner_ids, call_ids), limit_s=_FORGET_S)

    async def left(self, owner_ids: Sequence[str], call_ids: Sequence[str]) -> int:
        """How much mem0 still holds of them, by asking it again. Raises `VaultError`."""
        if self._never_used():
            return 0
        return await self._do(lambda: self._opened().mem0.count(owner_ids, call_ids), limit_s=_FORGET_S)

    @property
    def on_a_server(self) -> bool:
        """Whether the store keeps its rows elsewhere than in the home; known once it was opened."""
        return self._shelf is not None and self._shelf.mem0.on_a_server

    async def _forget_owner(self, owner_id: str) -> int:
        gone = await self.forget([owner_id], [])
        await self._vault.run(lambda tx: owners.drop(tx, owner_id))
        return gone

    def _never_used(self) -> bool:
        """True when there is nothing to open: whoever remembers nobody pays for nothing."""
        if self._shelf is not None or self._settings.store != OWN_STORE:
            return False
        return not any((self.folder / name).exists() for name in (NAME, HISTORY))

    async def _in_time(self, subject: str, work: Callable[[Owner], T]) -> T | None:
        try:
            async with asyncio.timeout(self._settings.load_s):
                owner = await self._vault.run(lambda tx: owners.find(tx, subject))
                if owner is None:
                    return None
                return await asyncio.wrap_future(self._submit(lambda: work(owner)))
        except KeyGone:
            return None
        except (TwinError, TimeoutError) as error:
            # A call is never late for its memories.
            log.warning("a caller's memories could not be loaded", extra={"error": type(error).__name__})
            return None

    async def _do(self, work: Callable[[], T], *, limit_s: float) -> T:
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.wrap_future(self._submit(work))
        except TimeoutError:
            raise VaultError(f"The memory's store did not answer within {limit_s:g} s.") from None

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        self._used = True
        try:
            return self._thread.submit(work)
        except RuntimeError:
            raise VaultError("The memory is closed.") from None

    # On the memory's thread from here on.

    def _opened(self) -> Shelf:
        if self._shelf is None:
            self._shelf = Shelf(
                self.folder, self._vault, self._settings, embedder=self._embedder, api_key=self._api_key
            )
        return self._shelf

    def _close(self) -> None:
        # Here and not on the caller's thread: what was opened in vain meanwhile is closed as well.
        shelf, self._shelf = self._shelf, None
        if shelf is not None:
            shelf.mem0.close()
