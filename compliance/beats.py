"""Signs of life of processes that share one store, so that what one leaves behind when it dies can be taken over.

They stand among the spent tokens: a name that is nobody's and a time; old ones are swept as those are.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, insert, select, update

from compliance.clear import plain_id
from compliance.store.schema import tokens
from compliance.store.transaction import Transaction
from compliance.vault import Vault

_PREFIX = "beat:"


class Beats:
    """One group of processes, e.g. the workers of one name."""

    def __init__(self, vault: Vault, group: str) -> None:
        self._vault = vault
        self._prefix = plain_id(f"{_PREFIX}{group}:")

    async def beat(self, own: Collection[str]) -> dict[str, int]:
        """Show that these live, and return everybody of the group, each with a number that another beat changes.

        Compare a number with an earlier one rather than with the time: clocks of machines differ. Raises
        `VaultError`.
        """
        rows = [plain_id(self._prefix + name) for name in own]

        def work(tx: Transaction) -> dict[str, int]:
            for row in rows:
                here = tokens.c.nonce_hash == row
                done = tx.connection.execute(update(tokens).where(here).values(expires_ms=tx.now_ms))
                if not done.rowcount:
                    tx.connection.execute(insert(tokens), {"nonce_hash": row, "expires_ms": tx.now_ms})
            group = tokens.c.nonce_hash.startswith(self._prefix, autoescape=True)
            found = tx.connection.execute(select(tokens.c.nonce_hash, tokens.c.expires_ms).where(group))
            return {name.removeprefix(self._prefix): stamp for name, stamp in found}

        return await self._vault.run(work)

    async def end(self, names: Collection[str]) -> None:
        """Forget these: they ended well, or what they left is taken over. Raises `VaultError`."""
        rows = [plain_id(self._prefix + name) for name in names]

        def work(tx: Transaction) -> None:
            tx.connection.execute(delete(tokens).where(tokens.c.nonce_hash.in_(rows)))

        await self._vault.run(work)
