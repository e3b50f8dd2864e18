"""Shared by the tests of the queue and the writer: a call that took place, and a shelf that is quick to open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple

from compliance.entries import TurnEntry
from compliance.vault import Vault
from persona.memory.changes import Change, Drop, Keep, Replace
from persona.source import Memory

ANNA = "+4930123456"
KIND = "shelf"


def turn(sequence: int, text: str, *, who: str = "caller", cut: bool = False) -> TurnEntry:
    return TurnEntry(sequence, "twin" if who == "twin" else "caller", text, 0, 100, 24_000, cut=cut)


def talk(vault: Vault, call_id: str, *said: str, subject: str | None = ANNA, language: str = "en") -> None:
    """A call with these turns of the caller, which is not over yet."""
    vault.begin_call(call_id, channel="phone", subject=subject, language=language)
    for number, text in enumerate(said):
        vault.turn_heard(call_id, turn(number, text))


class VaultShelf:
    """Memories as one item of the vault, sealed and durable; written as a whole."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.writes: list[tuple[str, tuple[Change, ...]]] = []

    async def memories_of(self, subject: str) -> tuple[Memory, ...]:
        data = await self._vault.get(subject, KIND)
        return tuple(Memory(*entry) for entry in json.loads(data or b"[]"))

    async def write(self, subject: str, changes: Sequence[Change]) -> None:
        self.writes.append((subject, tuple(changes)))
        shelf = {memory.id: memory for memory in await self.memories_of(subject)}
        for change in changes:
            match change:
                case Keep(memory):
                    shelf[memory.id] = memory
                case Replace(old_id, memory):
                    shelf.pop(old_id, None)
                    shelf[memory.id] = memory
                case Drop(old_id):
                    shelf.pop(old_id, None)
        data = json.dumps([astuple(memory) for memory in shelf.values()]).encode()
        await self._vault.put(subject, KIND, data)

    async def texts(self, subject: str = ANNA) -> list[str]:
        return sorted(memory.text for memory in await self.memories_of(subject))
