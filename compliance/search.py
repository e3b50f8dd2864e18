"""Full-text search over what was said: decrypted into memory when somebody searches, and never onto a disk.

    search = Search(vault)
    hits = await search.find('invoice "next tuesday"')

Words are found by their beginning, whatever the case and accents; what stands in quotation marks is found as
it stands; Chinese and Japanese are found anywhere in a text.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import func, select

from compliance.errors import KeyGone
from compliance.store.schema import key_of, turns
from compliance.store.search_index import Hit, Index, Spoken
from compliance.store.transaction import Transaction
from compliance.vault import Vault

__all__ = ["Hit", "Search"]

MOST_TURNS = 100_000
_TURNS_AT_ONCE = 500
"""Turns that the store's thread opens in one go, before it writes again what was recorded meanwhile."""


@dataclass(frozen=True, slots=True)
class _State:
    """By what a change of a call's turns is noticed."""

    turns: int
    newest_ms: int
    size: int


_Census: TypeAlias = dict[str, _State]


class Search:
    """One index in this process's memory, built at the first search and brought up to date at each."""

    def __init__(self, vault: Vault, *, most_turns: int = MOST_TURNS) -> None:
        """The calls with the newest `most_turns` turns are searched. Nothing is read before the first search."""
        self._vault = vault
        self._most_turns = most_turns
        self._index: Index | None = None
        self._indexed: _Census = {}
        self._lock = asyncio.Lock()

    async def find(self, text: str, *, limit: int = 50, before: int | None = None) -> tuple[Hit, ...]:
        """The newest turns in which all the words are, or those stored before `before` (Unix milliseconds).

        Sees what was recorded before it, also by other processes, and nothing of whom was forgotten. The first
        search takes seconds for many calls. Raises `VaultError`.
        """
        async with self._lock:
            index = self._index
            if index is None:
                index = self._index = await asyncio.to_thread(Index)
            await self._refresh(index)
            hits = await asyncio.to_thread(index.find, text, limit=limit, before_ms=before)
            gone = await self._vault.run(lambda tx: _gone(tx, hits))
            if gone:
                await self._forget(index, {call_id for call_id, _ in gone})
            return tuple(hit for hit in hits if (hit.call_id, hit.sequence) not in gone)

    async def forget(self, call_ids: Iterable[str]) -> None:
        """Remove calls from memory now, without waiting for the next search."""
        async with self._lock:
            if self._index is not None:
                await self._forget(self._index, call_ids)

    async def memory(self) -> bytes:
        """All bytes of the index, for the scan after an erasure; nothing when there is no index yet."""
        async with self._lock:
            return await asyncio.to_thread(self._index.memory) if self._index is not None else b""

    async def close(self) -> None:
        """Drop the index; the next search builds it anew."""
        async with self._lock:
            if self._index is not None:
                await asyncio.to_thread(self._index.close)
            self._index, self._indexed = None, {}

    async def _forget(self, index: Index, call_ids: Iterable[str]) -> None:
        known = [call_id for call_id in call_ids if call_id in self._indexed]
        if known:
            await asyncio.to_thread(index.forget, known)
        for call_id in known:
            del self._indexed[call_id]

    async def _refresh(self, index: Index) -> None:
        census = _newest(await self._vault.run(_count), self._most_turns)
        shrunk = [
            call_id
            for call_id, before in self._indexed.items()
            if call_id not in census or census[call_id].turns < before.turns
        ]
        await self._forget(index, shrunk)
        changed = [call_id for call_id, state in census.items() if self._indexed.get(call_id) != state]
        for calls in _portions(changed, census):
            read = await self._vault.run(lambda tx, calls=calls: _read(tx, calls))  # type: ignore[misc]
            await asyncio.to_thread(index.replace, read)
            self._indexed.update((call_id, census[call_id]) for call_id in calls)


def _count(tx: Transaction) -> _Census:
    size = func.sum(func.length(turns.c.sealed_text))
    query = select(turns.c.call_id, func.count(), func.max(turns.c.at_ms), size).group_by(turns.c.call_id)
    return {
        call_id: _State(int(count), int(at), int(sum_))
        for call_id, count, at, sum_ in tx.connection.execute(query)
    }


def _newest(census: _Census, most_turns: int) -> _Census:
    """The calls that were spoken in last, as many as have so many turns together."""
    kept: _Census = {}
    left = most_turns
    for call_id, state in sorted(census.items(), key=lambda item: item[1].newest_ms, reverse=True):
        left -= state.turns
        if left < 0:
            break
        kept[call_id] = state
    return kept


def _portions(call_ids: Sequence[str], census: _Census) -> Iterable[list[str]]:
    portion: list[str] = []
    size = 0
    for call_id in call_ids:
        portion.append(call_id)
        size += census[call_id].turns
        if size >= _TURNS_AT_ONCE:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _read(tx: Transaction, call_ids: Sequence[str]) -> dict[str, list[Spoken]]:
    found: dict[str, list[Spoken]] = {call_id: [] for call_id in call_ids}
    key_id = key_of(turns).label("key_id")
    columns = (turns.c.call_id, turns.c.sequence, turns.c.at_ms, turns.c.sealed_text, key_id)
    rows = tx.connection.execute(select(*columns).where(turns.c.call_id.in_(call_ids))).all()
    tx.keys.load(row.key_id for row in rows)
    for row in rows:
        with contextlib.suppress(KeyGone):
            text = tx.open_text(row.sealed_text, key_id=row.key_id, place="turns.sealed_text")
            found[row.call_id].append(Spoken(row.sequence, row.at_ms, text))
    return found


def _gone(tx: Transaction, hits: Iterable[Hit]) -> set[tuple[str, int]]:
    """Those of the hits that are whose key was destroyed, or are not there any more."""
    asked = {(hit.call_id, hit.sequence) for hit in hits}
    columns = (turns.c.call_id, turns.c.sequence, key_of(turns).label("key_id"))
    rows = tx.connection.execute(select(*columns).where(turns.c.call_id.in_({call_id for call_id, _ in asked})))
    there = {(row.call_id, row.sequence): row.key_id for row in rows}
    gone = {key_id for key_id in set(there.values()) if tx.keys.is_gone(key_id)}
    return {turn for turn in asked if there.get(turn) is None or there[turn] in gone}
