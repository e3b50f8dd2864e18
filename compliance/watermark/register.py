"""Which token is whose: found from what the mark in a recording says, and forgotten with the call."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Literal

from sqlalchemy import delete, insert, literal, select
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from compliance.errors import VaultError
from compliance.store.schema import calls, watermarks
from compliance.store.transaction import Transaction
from compliance.vault import Vault
from compliance.watermark.keys import DayKey
from compliance.watermark.token import SHORT_BITS, CallToken, draw

What = Literal["call", "file", "apology", "spare"]

ASK_LIMIT_S = 0.25
"""A call does not wait longer for a token that no other call of the day has; an erasure may hold the store."""
_SHORTS = 1 << SHORT_BITS
_AGAIN = 1 << 31
_TRIES = 8
_SPARE_DAYS = 2


class Marks:
    """The register of tokens in the vault. Every method raises `VaultError`."""

    def __init__(self, vault: Vault, *, now: Callable[[], float] = time.time) -> None:
        """`now` is Unix time in seconds."""
        self._vault = vault
        self._now = now

    async def for_call(self, call_id: str, key: DayKey, *, limit_s: float = ASK_LIMIT_S) -> CallToken:
        """A token for a call whose beginning was recorded, marked with `key`; the call's last one counts.

        No other call of that day has the same short, as long as there are shorts left (65,536 a day); where the
        store does not answer in `limit_s`, that is left to chance, and recorded when the store can.
        """
        return await self._soon("call", key, call_id, limit_s)

    async def spare(self, key: DayKey) -> CallToken:
        """A token that is set aside for a call to come: see `give`. It is let go of after two days."""
        wish = secrets.randbelow(_SHORTS)

        def work(tx: Transaction) -> CallToken:
            of_before = watermarks.c.day < key.day - timedelta(days=_SPARE_DAYS)
            tx.connection.execute(delete(watermarks).where(watermarks.c.what == "spare", of_before))
            return self._enter(tx, "spare", key, wish)

        return await self._vault.run(work)

    def give(self, call_id: str, token: CallToken) -> None:
        """Record that a spare token is that of this call, whose beginning was recorded; returns at once."""
        its = (watermarks.c.day == token.day) & (watermarks.c.bits == token.bits) & (watermarks.c.what == "spare")

        def work(tx: Transaction) -> bool:
            tx.connection.execute(delete(watermarks).where(its))
            return _put(tx, "call", token, call_id, self._now_ms(), again=_again(tx, token))

        self._vault.record(work)

    async def for_apology(self, key: DayKey, *, limit_s: float = ASK_LIMIT_S) -> CallToken:
        """The token of a day's apology, which is said when a call's own mark fails: one per day and key, unless
        the store does not answer in `limit_s`."""
        return await self._soon("apology", key, None, limit_s)

    async def for_file(self, key: DayKey) -> CallToken:
        """A token for a file that the twin speaks into."""
        wish = secrets.randbelow(_SHORTS)
        return await self._vault.run(lambda tx: self._enter(tx, "file", key, wish))

    async def find(self, day: date, short: int, full: int | None = None) -> list[str]:
        """The ids of the calls of that day whose mark says this; `full` is all 32 bits, where they were read."""
        of_it = select(watermarks.c.call_id).where(
            watermarks.c.day == day, watermarks.c.short == short, watermarks.c.call_id.is_not(None)
        )
        if full is not None:
            of_it = of_it.where(watermarks.c.bits == full)
        return await self._vault.run(lambda tx: list(tx.connection.execute(of_it).scalars()))

    async def tokens(self, day: date, short: int) -> list[CallToken]:
        """All tokens of that day, of calls and of files, that begin with `short`."""
        of_it = select(watermarks).where(watermarks.c.day == day, watermarks.c.short == short)
        return await self._vault.run(lambda tx: [_token(row) for row in tx.connection.execute(of_it)])

    async def of(self, call_id: str) -> CallToken | None:
        """The token of a call; None where it has none (any more)."""
        of_it = select(watermarks).where(watermarks.c.call_id == call_id)
        row = await self._vault.run(lambda tx: tx.connection.execute(of_it).first())
        return _token(row) if row is not None else None

    async def days(self) -> list[date]:
        """The days on which this twin made tokens, the newest first; days stay when their calls are forgotten."""
        spoken = watermarks.c.what != "spare"
        of_it = select(watermarks.c.day).where(spoken).distinct().order_by(watermarks.c.day.desc())
        return await self._vault.run(lambda tx: list(tx.connection.execute(of_it).scalars()))

    async def _soon(self, what: What, key: DayKey, call_id: str | None, limit_s: float) -> CallToken:
        wish = secrets.randbelow(_SHORTS)
        try:
            async with asyncio.timeout(limit_s):
                return await self._vault.run(lambda tx: self._enter(tx, what, key, wish, call_id))
        except (TimeoutError, VaultError):
            token = CallToken(key.day, key.generation, draw(wish))

        def late(tx: Transaction) -> bool:
            return _put(tx, what, token, call_id, self._now_ms(), again=_again(tx, token))

        self._vault.record(late)
        return token

    def _enter(self, tx: Transaction, what: What, key: DayKey, wish: int, call_id: str | None = None) -> CallToken:
        """Take the short `wish`, or a free one instead; on the vault's thread."""
        if what == "apology" and (known := _apology(tx, key)) is not None:
            return known
        of_day = select(watermarks.c.short).where(watermarks.c.day == key.day, watermarks.c.again == 0)
        used = set(tx.connection.execute(of_day).scalars())
        for _ in range(_TRIES):
            short = _free(used, wish)
            token = CallToken(key.day, key.generation, draw(short))
            try:
                with tx.connection.begin_nested():
                    again = 0 if len(used) < _SHORTS else secrets.randbelow(_AGAIN)
                    _put(tx, what, token, call_id, self._now_ms(), again=again)
                    return token
            except IntegrityError:
                # Another process took it between the two statements.
                used.add(short)
        raise VaultError("No token for the watermark could be taken: other processes were quicker each time.")

    def _now_ms(self) -> int:
        return int(self._now() * 1000)


def _apology(tx: Transaction, key: DayKey) -> CallToken | None:
    of_it = select(watermarks).where(
        watermarks.c.what == "apology", watermarks.c.day == key.day, watermarks.c.generation == key.generation
    )
    row = tx.connection.execute(of_it.order_by(watermarks.c.short)).first()
    return _token(row) if row is not None else None


def _free(used: set[int], wish: int) -> int:
    short = wish
    while short in used and len(used) < _SHORTS:
        short = secrets.randbelow(_SHORTS)
    return short


def _again(tx: Transaction, token: CallToken) -> int:
    """0, or a number that sets it apart from one with the same short."""
    same = select(watermarks.c.day).where(
        watermarks.c.day == token.day, watermarks.c.short == token.short, watermarks.c.again == 0
    )
    return 0 if tx.connection.execute(same).first() is None else secrets.randbelow(_AGAIN)


def _put(tx: Transaction, what: What, token: CallToken, call_id: str | None, at_ms: int, *, again: int) -> bool:
    """False when its call is not stored (any more)."""
    row = {
        "day": token.day,
        "short": token.short,
        "again": again,
        "bits": token.bits,
        "generation": token.generation,
        "what": what,
        "call_id": call_id,
        "at_ms": at_ms,
    }
    if call_id is None:
        tx.connection.execute(insert(watermarks), row)
        return True
    tx.connection.execute(delete(watermarks).where(watermarks.c.call_id == call_id))
    values = [literal(value, watermarks.c[name].type) for name, value in row.items()]
    if_there = select(*values).where(calls.c.id == call_id)
    return tx.connection.execute(insert(watermarks).from_select(list(row), if_there)).rowcount == 1


def _token(row: Row[tuple[object, ...]]) -> CallToken:
    return CallToken(row.day, row.generation, row.bits)
