"""The manifests of files that were handed out, to be found again by the watermark after a program stripped them.

Each is kept about the person whose call it is, and forgotten with them.
"""

from __future__ import annotations

from sqlalchemy import select

from compliance.errors import KeyGone
from compliance.store.schema import items
from compliance.store.transaction import Transaction
from compliance.vault import Vault

KIND = "manifest"
OWN = "participant:twin"
"""Whom a manifest is kept about when it is nobody's call: the twin itself."""


class Manifests:
    """The store of manifests, by what the watermark says."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def keep(self, token: str, manifest: bytes, *, subject: str = OWN) -> None:
        """Keep the manifest of a file whose watermark says `token`. Raises `VaultError`."""
        await self._vault.put(subject, KIND, manifest, name=token)

    async def find(self, token: str) -> bytes | None:
        """The newest manifest of a file with this watermark; None when there is none, or it was forgotten."""

        def work(transaction: Transaction) -> bytes | None:
            query = (
                select(items.c.subject_id, items.c.sealed_data)
                .where(items.c.kind == KIND, items.c.name == token)
                .order_by(items.c.at_ms.desc())
            )
            for row in transaction.connection.execute(query):
                try:
                    return transaction.open(row.sealed_data, key_id=row.subject_id, place="items.sealed_data")
                except KeyGone:
                    continue
            return None

        return await self._vault.run(work)
