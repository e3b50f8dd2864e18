"""Forgetting a person for an erasure: in mem0's store, in its history, and in the files that mem0 keeps at home.

    layout(vault, home, settings, memory=MemoryErasure(library))

Their keys are destroyed before: what is sealed opens nowhere any more, in no backup either. Here what was sealed
goes as well. mem0 is asked to delete it, and then asked again; what others may have written into its files goes
too; and at the end the files are searched for the vault's ids of the person, which are on every row of theirs.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from compliance.forgetting.foreign import is_database, rewrite
from compliance.forgetting.needles import Sought
from compliance.forgetting.plan import Plan
from compliance.forgetting.scan import Needles
from compliance.forgetting.stores import MemoryStore, Outcome, Result, files_below, worst
from persona.memory.library import Library
from persona.memory.vectors import NAME

_BESIDE = ("", "-wal", "-journal")


class MemoryErasure:
    """The memory as one store of an erasure, in the place of the one that does not know mem0."""

    name = "memory"

    def __init__(self, library: Library) -> None:
        """`library` need not be started: it is opened when there is something to forget."""
        self.folder: Path | None = library.folder
        self._folder = library.folder
        self._library = library
        self._files = MemoryStore(library.folder, skip=(NAME,))

    async def erase(self, plan: Plan, sought: Sought) -> int:
        """Raises `TwinError` and `OSError`; asked again, it goes on where it stopped."""
        # mem0 first: rows that vanished behind its back would stay in its indices.
        gone = await self._library.forget(plan.subject_ids, plan.call_ids)
        gone += await self._files.erase(plan, sought)
        await asyncio.to_thread(self._rewrite, _ids(plan), sought)
        return gone

    async def check(self, plan: Plan, sought: Sought) -> Outcome:
        """By asking mem0 again, and by a search for the ids in its files."""
        left = await self._library.left(plan.subject_ids, plan.call_ids)
        ids = _ids(plan)
        holding = await asyncio.to_thread(lambda: [path for path in files_below(self._folder) if _has(path, ids)])
        known = await self._files.check(plan, sought)
        results: list[Result] = [known.result]
        notes = [known.note] if known.note else []
        if self._library.on_a_server:
            results.append("key_destroyed")
            notes.append("the rows are gone from the memory's server; nothing opens what its files keep of them")
        if holding:
            results.append("not_purged")
            files = ", ".join(sought.shown(path.name) for path in holding)
            notes.append(f"sealed values, which nothing opens any more, are still in {files}")
        if left:
            results.append("residue")
        return Outcome(self.name, worst(results), needles=ids.count, found=left, note="; ".join(notes))

    def _rewrite(self, ids: Needles, sought: Sought) -> None:
        """Databases that still hold an id: in pages that were freed, or in the log."""
        for path in filter(is_database, files_below(self._folder)):
            beside = [path.with_name(path.name + suffix) for suffix in _BESIDE]
            if any(one.exists() and _has(one, ids) for one in beside):
                rewrite(path, sought.shown(path.name))


def _ids(plan: Plan) -> Needles:
    return Needles([], always=[id_.encode() for id_ in (*plan.subject_ids, *plan.call_ids)])


def _has(path: Path, ids: Needles) -> bool:
    return bool(ids.hits_in_file(path)[0])
