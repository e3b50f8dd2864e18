"""Calls that may not be deleted for now, and why: a dispute, an order of a court.

A hold stops the sweeper and the button "delete". It does not stop the erasure that the person asked for and
the owner approved; who approves that sees the hold first.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from compliance.errors import KeyGone, VaultError
from compliance.store.schema import calls, holds
from compliance.store.transaction import Transaction
from compliance.vault import Vault

_PLACE = "holds.sealed_reason"
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a call stays."""

    call_id: str
    at_ms: int
    reason: str


async def hold(vault: Vault, call_id: str, reason: str) -> None:
    """Keep a call from deletion until `release`; a second reason replaces the first.

    Raises `VaultError` when there is no such call, or no reason.
    """
    text = " ".join(reason.split())[:MAX_REASON]
    if not text:
        raise VaultError("A hold needs a reason.")

    def work(transaction: Transaction) -> bool:
        connection = transaction.connection
        if connection.execute(select(calls.c.id).where(calls.c.id == call_id)).scalar() is None:
            return False
        sealed = transaction.seal(text.encode("utf-8", "replace"), key_id=call_id, place=_PLACE)
        values = {"at_ms": transaction.now_ms, "sealed_reason": sealed}
        if not connection.execute(update(holds).where(holds.c.call_id == call_id).values(values)).rowcount:
            connection.execute(insert(holds), {"call_id": call_id, **values})
        return True

    if not await vault.run(work):
        raise VaultError("There is no such call to hold.")


async def release(vault: Vault, call_id: str) -> bool:
    """Let a call go again; false when it was not held."""
    return await vault.run(
        lambda transaction: (
            transaction.connection.execute(delete(holds).where(holds.c.call_id == call_id)).rowcount == 1
        )
    )


async def held(vault: Vault, call_id: str) -> Hold | None:
    """The hold on a call."""

    def work(transaction: Transaction) -> Hold | None:
        row = transaction.connection.execute(select(holds).where(holds.c.call_id == call_id)).first()
        if row is None:
            return None
        try:
            reason = transaction.open(row.sealed_reason, key_id=call_id, place=_PLACE).decode()
        except KeyGone:
            reason = ""
        return Hold(call_id, row.at_ms, reason)

    return await vault.run(work)
