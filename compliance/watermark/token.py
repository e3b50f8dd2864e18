"""What a mark says: of which call it is."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date

SHORT_BITS = 16
BITS = 32


@dataclass(frozen=True, slots=True)
class CallToken:
    """A random number that stands for one call, one file or one day's apology; it says nothing about anybody."""

    day: date
    """The UTC day on which it was made, and whose key it is marked with."""
    generation: int
    """Of the deployment's key."""
    bits: int
    """32 of them."""

    def __post_init__(self) -> None:
        if not 0 <= self.bits < 1 << BITS:
            raise ValueError(f"A call's token has {BITS} bits, got {self.bits}.")

    @property
    def short(self) -> int:
        """The high 16 bits, which ten seconds of sound tell."""
        return self.bits >> SHORT_BITS

    @property
    def text(self) -> str:
        """As it stands in manifests and in the ledger: `YYYYMMDD-xxxxxxxx`, in hexadecimal."""
        return f"{self.day:%Y%m%d}-{self.bits:08x}"


def draw(short: int) -> int:
    """32 bits of which the high 16 are given and the others random."""
    return short << SHORT_BITS | secrets.randbelow(1 << SHORT_BITS)
