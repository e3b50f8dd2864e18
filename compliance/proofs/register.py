"""The register of consents: every answer to a question of consent, with its signed receipt, as it was given."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import insert, select

from compliance.clear import plain_word
from compliance.errors import KeyGone
from compliance.proofs.agreement import Agreement
from compliance.proofs.receipt import make_receipt
from compliance.proofs.signing import Signer
from compliance.store.people import participant_id
from compliance.store.schema import calls, consents, participants, subjects
from compliance.store.seal import to_json
from compliance.store.subject import normalise
from compliance.store.transaction import Transaction
from compliance.vault import Vault

_PLACE = "consents.sealed_receipt"


class Register:
    """Where answers are kept; reading them is the console's."""

    def __init__(self, vault: Vault, signer: Signer) -> None:
        self._vault = vault
        self._signer = signer

    def keep(self, agreement: Agreement) -> None:
        """Sign and store the receipt of one agreement, a row for each answer; returns at once.

        It belongs to the call that the agreement names (in a meeting to the participant), else to the person.
        Raises `VaultError` when the queue is full.
        """
        ids = [secrets.token_hex(16) for _ in agreement.answers]
        self._vault.record(lambda tx: self._write(tx, agreement, ids))

    def _write(self, tx: Transaction, agreement: Agreement, ids: list[str]) -> bool:
        owner = self._owner(tx, agreement)
        if owner is None:
            # They were forgotten between the answer and its record.
            return False
        receipt = to_json(make_receipt(agreement, self._signer, made_ms=tx.now_ms)).encode()
        for consent_id, answer in zip(ids, agreement.answers, strict=True):
            key_id = owner["participant_id"] or owner["call_id"] or owner["subject_id"]
            try:
                sealed = tx.seal(receipt, key_id=key_id, place=_PLACE)
            except KeyGone:
                return False
            row = {
                "id": consent_id,
                **owner,
                "purpose": plain_word(answer.purpose),
                "status": answer.status,
                "method": answer.method,
                "language": agreement.language,
                "policy": agreement.policy,
                "at_ms": answer.at_ms,
                "expires_ms": agreement.expires_ms,
                "sealed_receipt": sealed,
            }
            tx.connection.execute(insert(consents), row)
        return True

    def _owner(self, tx: Transaction, agreement: Agreement) -> dict[str, Any] | None:
        person = agreement.person.subject
        whose = participant_id(tx, agreement.call_id, person) if agreement.call_id and person else None
        if whose is not None:
            owner = select(participants.c.subject_id).where(participants.c.id == whose)
            return _whose(agreement.call_id, tx.connection.execute(owner).scalar_one(), whose)
        if agreement.call_id:
            found = tx.connection.execute(
                select(calls.c.subject_id).where(calls.c.id == agreement.call_id)
            ).first()
            return _whose(agreement.call_id, found[0]) if found else None
        if person is None:
            return None
        lookup = tx.lookup.of(normalise(person))
        known = tx.connection.execute(select(subjects.c.id).where(subjects.c.lookup == lookup)).scalar()
        return _whose(None, known) if known else None


def _whose(call_id: str | None, subject_id: str, participant_id: str | None = None) -> dict[str, Any]:
    return {"call_id": call_id, "subject_id": subject_id, "participant_id": participant_id}
