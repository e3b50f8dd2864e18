"""One person's memories in mem0: sealed and turned on the way in, opened on the way out. Blocks, on one thread."""

from __future__ import annotations

import base64
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from compliance.errors import KeyGone, VaultError
from compliance.vault import Vault
from persona.memory.changes import Change
from persona.memory.delta import delta
from persona.memory.embedder import Embedder
from persona.memory.embedders import make_embedder
from persona.memory.envelope import Page, packed, unpacked
from persona.memory.mem0_store import Mem0
from persona.memory.owner import Owner
from persona.memory.settings import MemorySettings
from persona.memory.turned import Turn
from persona.recall import Recall

log = logging.getLogger(__name__)

_PLACE = "memory"
"""What a sealed memory is bound to, besides its person's key."""
_SLACK = 1_000
"""So many more than the limit are read: a job that was killed may have left some twice."""


class Shelf:
    """Everything that is opened for the memory: mem0, and the embedder."""

    def __init__(
        self, folder: Path, vault: Vault, settings: MemorySettings, *, embedder: Embedder | None, api_key: str
    ) -> None:
        """Raises `SettingsError`, `VaultError` and `EngineError`."""
        self._vault = vault
        self._most = settings.most
        self.embedder = embedder or make_embedder(settings, api_key=api_key)
        self.mem0 = Mem0(folder, settings, dims=self.embedder.dims)

    def _read(self, owner: Owner) -> list[tuple[str, Page]]:
        """What is stored, with mem0's id of each. Raises `KeyGone` and `VaultError`."""
        sealer = self._vault.sealer(owner.id)
        name, dims = self.embedder.name, self.embedder.dims
        found: list[tuple[str, Page]] = []
        damaged = 0
        for row in self.mem0.rows(owner.id, most=self._most + _SLACK):
            try:
                opened = sealer.open(base64.b64decode(row.sealed), place=_PLACE)
                found.append((row.id, unpacked(opened, embedder=name, dims=dims)))
            except KeyGone:
                raise
            except (ValueError, VaultError):
                damaged += 1
        if damaged:
            log.warning("memories that cannot be opened were left out", extra={"count": damaged})
        return found

    def pages(self, owner: Owner) -> list[Page]:
        """What is remembered of them, the oldest first, each once. Raises `KeyGone` and `VaultError`."""
        once = {page.memory.id: page for _, page in self._read(owner)}
        return sorted(once.values(), key=lambda page: (page.memory.at_ms, page.memory.id))[-self._most :]

    def recall(self, owner: Owner) -> Recall:
        """The same, ready to answer from RAM."""
        pages = self.pages(owner)
        memories = [page.memory for page in pages]
        vectors = np.zeros((len(pages), self.embedder.dims), dtype=np.float32)
        strange = [at for at, page in enumerate(pages) if page.vector is None]
        for row, page in zip(vectors, pages, strict=True):
            if page.vector is not None:
                row[:] = page.vector
        # Made by an embedder of before; a slow one is not asked again while a phone rings.
        if strange and self.embedder.in_ram:
            vectors[strange] = self.embedder.embed([memories[at].text for at in strange])
        return Recall(memories, embedder=self.embedder, vectors=vectors)

    def write(self, owner: Owner, changes: Sequence[Change]) -> None:
        """Carry out changes, of which some may have been already. Raises `VaultError` and `EngineError`."""
        sealer = self._vault.sealer(owner.id)
        stored = [(own_id, page.memory) for own_id, page in self._read(owner)]
        todo = delta(stored, changes, most=self._most)
        vectors = self.embedder.embed([memory.text for memory in todo.add])
        turned = Turn(owner.secret, self.embedder.dims).turned(vectors) if todo.add else vectors
        for memory, vector, stored_vector in zip(todo.add, vectors, turned, strict=True):
            sealed = sealer.seal(packed(memory, vector, embedder=self.embedder.name), place=_PLACE)
            text = base64.b64encode(sealed).decode()
            self.mem0.add(owner.id, text, stored_vector.tolist(), run_id=memory.call_id)
        for own_id in todo.delete:
            self.mem0.delete(own_id)
        if todo.delete:
            self.mem0.forget_history()
