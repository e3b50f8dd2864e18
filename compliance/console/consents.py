"""Every answer to a question of consent, as the pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.engine import Row

from compliance.errors import KeyGone
from compliance.store.schema import consents
from compliance.store.transaction import Transaction
from compliance.vault import Vault

GIVEN = "granted"
TAKEN_BACK = "revoked"
"""After it nothing of that purpose may be shown any more."""


@dataclass(frozen=True, slots=True)
class Consent:
    """One answer."""

    id: str
    call_id: str | None
    purpose: str
    status: str
    method: str
    language: str
    policy: str
    at_ms: int
    expires_ms: int | None
    receipt: str
    """The signed receipt as it was given out (JSON); empty when its key was destroyed or there is none."""


async def of_call(vault: Vault, call_id: str) -> tuple[Consent, ...]:
    """The answers in a call, the oldest first."""
    query = select(consents).where(consents.c.call_id == call_id).order_by(consents.c.at_ms, consents.c.id)
    return await vault.run(lambda transaction: _read(transaction, query))


async def one(vault: Vault, consent_id: str) -> Consent | None:
    """An answer by its id."""
    query = select(consents).where(consents.c.id == consent_id)
    found = await vault.run(lambda transaction: _read(transaction, query))
    return found[0] if found else None


async def newest(
    vault: Vault, *, limit: int, before: str = "", purpose: str = "", status: str = ""
) -> tuple[Consent, ...]:
    """The newest answers first, or those older than the one with the id `before`."""
    query = select(consents).order_by(consents.c.at_ms.desc(), consents.c.id.desc()).limit(limit)
    if before:
        at_ms = select(consents.c.at_ms).where(consents.c.id == before).scalar_subquery()
        older = and_(consents.c.at_ms == at_ms, consents.c.id < before)
        query = query.where(or_(consents.c.at_ms < at_ms, older))
    if purpose:
        query = query.where(consents.c.purpose == purpose)
    if status:
        query = query.where(consents.c.status == status)
    return await vault.run(lambda transaction: _read(transaction, query))


def counting(answers: tuple[Consent, ...]) -> dict[str, Consent]:
    """The answer that counts for each purpose: the newest."""
    return {answer.purpose: answer for answer in sorted(answers, key=lambda answer: answer.at_ms)}


def may_show(answers: tuple[Consent, ...], purpose: str) -> bool:
    """False once consent to that purpose was taken back."""
    answer = counting(answers).get(purpose)
    return answer is None or answer.status != TAKEN_BACK


def _read(transaction: Transaction, query: Select[Any]) -> tuple[Consent, ...]:
    return tuple(_consent(transaction, row) for row in transaction.connection.execute(query))


def _consent(transaction: Transaction, row: Row[Any]) -> Consent:
    key_id = row.participant_id or row.call_id or row.subject_id or row.id
    try:
        receipt = transaction.open(row.sealed_receipt, key_id=key_id, place="consents.sealed_receipt").decode()
    except KeyGone:
        receipt = ""
    return Consent(
        id=row.id,
        call_id=row.call_id,
        purpose=row.purpose,
        status=row.status,
        method=row.method,
        language=row.language,
        policy=row.policy,
        at_ms=row.at_ms,
        expires_ms=row.expires_ms,
        receipt=receipt,
    )
