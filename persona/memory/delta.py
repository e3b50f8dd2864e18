"""What to add and delete so that the changes of a call are carried out, whatever was done of them before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from persona.memory.changes import Change, Drop, Replace
from persona.source import Memory


@dataclass(frozen=True, slots=True)
class Delta:
    """To be added first and deleted then, so that nothing is lost in between."""

    add: tuple[Memory, ...]
    delete: tuple[str, ...]
    """The store's own ids."""


def delta(stored: Sequence[tuple[str, Memory]], changes: Iterable[Change], *, most: int) -> Delta:
    """`stored` is what the store holds of the person: its own id of each, and the memory.

    A job that was killed in the middle may have left a memory twice, or with the one that it replaces; carrying it
    out again mends both. Of more than `most`, those that a newer one is about as well go first, then the oldest.
    """
    kept: dict[str, tuple[str | None, Memory]] = {}
    delete: list[str] = []
    for own_id, memory in stored:
        if memory.id in kept:
            delete.append(own_id)
        else:
            kept[memory.id] = (own_id, memory)
    for change in changes:
        if not isinstance(change, Drop) and change.memory.id not in kept:
            kept[change.memory.id] = (None, change.memory)
        gone = change.id if isinstance(change, Drop) else change.old_id if isinstance(change, Replace) else None
        if gone is not None and gone in kept and not (isinstance(change, Replace) and gone == change.memory.id):
            delete += _own(kept.pop(gone))
    for memory in _surplus([memory for _, memory in kept.values()], most):
        delete += _own(kept.pop(memory.id))
    return Delta(tuple(memory for own_id, memory in kept.values() if own_id is None), tuple(delete))


def _own(entry: tuple[str | None, Memory]) -> list[str]:
    return [] if entry[0] is None else [entry[0]]


def _surplus(memories: Sequence[Memory], most: int) -> list[Memory]:
    if len(memories) <= most:
        return []
    oldest_first = sorted(memories, key=lambda memory: (memory.at_ms, memory.id))
    newest = {(memory.person, memory.about): memory.id for memory in oldest_first if memory.about}
    last = {memory.id: newest.get((memory.person, memory.about), memory.id) == memory.id for memory in memories}
    return sorted(oldest_first, key=lambda memory: last[memory.id])[: len(memories) - most]
