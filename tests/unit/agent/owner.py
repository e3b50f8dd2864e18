"""The owner at another desk: an own vault on the home of a house, to consent to the cloned voice and to revoke it.

Store and receipts are real; what the recogniser heard and the matcher found of the statement is given.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.clone import Clones, Enrolment
from compliance.likeness.permits import Permits
from compliance.likeness.statement import Likeness, Terms, Use
from compliance.proofs.agreement import Agreement
from compliance.proofs.receipt import make_receipt, verify_receipt
from compliance.proofs.signing import Signer
from compliance.vault import Vault

OWNER = "Martin Alder"
SOUND = bytes(3_200)
HOUR_S = 3_600


@dataclass
class Owner:
    """The owner at another process's desk: an own vault on the same home."""

    enrolment: Enrolment
    clones: Clones
    heard: str = ""

    async def consents(self, *uses: Use, likeness: Likeness = "voice") -> None:
        """For an hour, to calls unless other uses are named."""
        expires_ms = int((time.time() + HOUR_S) * 1000)
        challenge = self.enrolment.challenge(Terms(likeness, uses or ("calls",), expires_ms), "en")
        self.heard = challenge.text
        await self.enrolment.consent(challenge.id, SOUND, SOUND, 16_000)


class Same:
    """Finds the owner in every statement."""

    threshold = 0.7

    async def similarity(self, statement: bytes, training: bytes, rate_hz: int) -> float:
        return 0.9


@asynccontextmanager
async def owner(home: Path) -> AsyncIterator[Owner]:
    async with Vault(home) as vault:
        signer = Signer.open(home, vault.master)

        def make(agreement: Agreement, at_ms: int) -> Mapping[str, Any]:
            return make_receipt(agreement, signer, made_ms=at_ms)

        def read(receipt: Mapping[str, Any]) -> Mapping[str, Any] | None:
            report = verify_receipt(receipt, signer.public_pem)
            return report.content if report.valid else None

        def note(kind: str, *, subject: str, detail: Mapping[str, Any]) -> None: ...

        async def recognise(sound: bytes, rate_hz: int, language: str) -> str:
            return here.heard

        permits = Permits(vault, home, read_receipt=read)
        await permits.refresh()
        enrolment = Enrolment(
            vault, permits, owner_name=OWNER, controller="", recognise=recognise, matcher=Same(),
            make_receipt=make, note=note,
        )  # fmt: skip
        clones = Clones(vault, permits, home, owner_name=OWNER, controller="", make_receipt=make, note=note)
        here = Owner(enrolment, clones)
        yield here
