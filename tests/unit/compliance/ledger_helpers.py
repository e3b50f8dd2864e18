"""A real ledger in a folder, with a clock that moves when told."""

from __future__ import annotations

import hashlib
from pathlib import Path

from compliance.ledger import ENTRIES, HEADS, Ledger
from compliance.proofs.audit import Report, verify
from compliance.proofs.signing import Signer

START_S = 1_790_000_000.0


class Site:
    """One home with a ledger and its mirror."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "ledger"
        self.mirror = home / "mirror"
        self.signer = Signer.open(home, None)
        self.now_s = START_S

    def ledger(self) -> Ledger:
        return Ledger(self.folder, self.signer, mirror=self.mirror, now=lambda: self.now_s)

    def fill(self, batches: int = 3, each: int = 4) -> None:
        """Begin or continue it with some entries."""
        with self.ledger() as ledger:
            for batch in range(batches):
                for number in range(each):
                    self.now_s += 1
                    ledger.append("viewed", commitment(f"{batch}.{number}"))
                ledger.sync()

    def verify(self, *, known: str = "", settle_s: float = 0) -> Report:
        return verify(self.folder, self.mirror, self.signer.public, known=known, settle_s=settle_s)

    @property
    def entries(self) -> Path:
        return self.folder / ENTRIES

    @property
    def heads(self) -> Path:
        return self.folder / HEADS

    @property
    def copy(self) -> Path:
        return self.mirror / HEADS

    def kinds(self) -> list[str]:
        return [
            line.split(b'"kind":"')[1].split(b'"')[0].decode() for line in self.entries.read_bytes().splitlines()
        ]


def commitment(what: str) -> str:
    return hashlib.sha256(what.encode()).hexdigest()
