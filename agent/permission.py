"""The owner's cloned voice sounds only while the owner's consent stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from agent.settings import Settings
from channels.gate import Samples
from compliance.errors import ConsentMissing
from compliance.likeness.permits import Permits
from compliance.likeness.statement import EVERYWHERE, Use
from compliance.proofs.receipt import verify_receipt
from compliance.proofs.signing import Signer
from compliance.vault import Vault

CLOSE_LIMIT_S = 5.0


class Permit(Protocol):
    """`compliance.likeness.permits.Permit`: true while this use is allowed; quick."""

    @property
    def valid(self) -> bool: ...


class Permission:
    """A stage of the outlet: once the consent is revoked or over, the next 20 ms already are not the clone's.

    Raising closes the door; the apology that follows is in the built-in voice, which imitates nobody.
    """

    def __init__(self, permit: Permit) -> None:
        self._permit = permit

    def process(self, samples: Samples, position: int) -> Samples:
        """Return the samples unchanged. Raises `ConsentMissing`."""
        if not self._permit.valid and samples.any():
            raise ConsentMissing("The owner's consent to the cloned voice was revoked or is over.")
        return samples


@asynccontextmanager
async def permitted(home: Path, settings: Settings, use: Use) -> AsyncIterator[Permit | None]:
    """For a command: the permission to use the chosen voice, kept up to date; None where that is no clone.

    Raises `ConsentMissing`, `VaultError` and `LedgerError`: one line each.
    """
    if not settings.voice.cloned:
        yield None
        return
    async with Vault(home, settings.store) as vault:
        signer = await asyncio.to_thread(Signer.open, home, vault.master)

        def read(receipt: Mapping[str, Any]) -> Mapping[str, Any] | None:
            report = verify_receipt(receipt, signer.public_pem)
            return report.content if report.valid else None

        permits = Permits(vault, home, read_receipt=read)
        await permits.refresh()
        permit = permits.permit("voice", use, settings.consent.jurisdiction or EVERYWHERE)
        watching = asyncio.create_task(permits.watch(), name="watch the owner's consent")
        try:
            yield permit
        finally:
            watching.cancel()
            await asyncio.wait([watching], timeout=CLOSE_LIMIT_S)
