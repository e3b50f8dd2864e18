"""The proof of a leaf, walked before it is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from compliance.errors import LedgerError
from compliance.proofs.chain import read_head
from compliance.proofs.proof import Inclusion
from compliance.proofs.signing import PublicKey


def prover(
    proof_of: Callable[[str], Awaitable[Inclusion]], public: PublicKey
) -> Callable[[str], Awaitable[Mapping[str, Any]]]:
    """For `Desk.prove_leaf`: what a third person needs to check that an entry is under a signed head.

    `proof_of` is `Evidence.proof`. The function raises `LedgerError` when there is no such entry, and when the
    proof does not hold, which means that the ledger was changed.
    """

    def walked(proof: Inclusion) -> Mapping[str, Any]:
        entry = proof.check(public)
        head = read_head(proof.head.encode())
        if entry is None or head is None:
            raise LedgerError("The proof of that leaf does not hold: the ledger was changed.")
        return {
            "seq": entry.seq,
            "kind": entry.kind,
            "at_ms": entry.at_ms,
            "tree_size": head.size,
            "root": head.root,
            "head_at_ms": head.at_ms,
            "key": head.key_id,
            **proof.as_json(),
        }

    async def prove(leaf: str) -> Mapping[str, Any]:
        return walked(await proof_of(leaf))

    return prove
