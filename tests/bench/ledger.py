"""What the ledger costs: appending, signing a head, verifying, opening, and proofs, per entry."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import open_evidence
from compliance.ledger import Ledger
from compliance.proofs.audit import verify
from compliance.proofs.proof import Proofs
from compliance.proofs.signing import Signer
from compliance.settings import StoreSettings
from compliance.vault import Vault
from tests.bench import report

ENTRIES = 20_000
BATCH = 20
PROOFS = 500
NOTES = 2_000


async def measure(entries: int = ENTRIES) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        rows = await asyncio.to_thread(_ledger, Path(folder), entries)
        rows.append(await _notes(Path(folder) / "home"))
    report.show(f"Ledger of {entries} entries, a head for {BATCH}: microseconds each", rows)
    return {"entries": entries, "rows": rows}


def _ledger(folder: Path, entries: int) -> list[dict[str, Any]]:
    signer = Signer(Ed25519PrivateKey.generate())
    files, mirror = folder / "ledger", folder / "mirror"
    appends: list[float] = []
    heads: list[float] = []
    with Ledger(files, signer, mirror=mirror) as ledger:
        for number in range(entries):
            appends.append(_us(lambda number=number: ledger.append("viewed", f"{number:064x}")))  # type: ignore[misc]
            if number % BATCH == BATCH - 1:
                heads.append(_us(ledger.sync))
    opened = Ledger(files, signer, mirror=mirror)
    proofs = Proofs(files)
    whole = {
        "open": opened.open,
        "verify, each signature": lambda: verify(files, mirror, signer.public),
        "verify by the newest head": lambda: verify(files, mirror, signer.public, signatures=False),
        "read for proofs": lambda: proofs.leaves(()),
    }
    passes = {what: _both_us(work) for what, work in whole.items()}
    opened.close()
    hashes = [line.split(b'"hash":"')[1][:64].decode() for line in (files / "entries.jsonl").open("rb")]
    chosen = [hashes[number * (len(hashes) // PROOFS)] for number in range(PROOFS)]
    made = [proofs.inclusion(digest) for digest in chosen]
    proving = [_us(lambda digest=digest: proofs.inclusion(digest)) for digest in chosen]  # type: ignore[misc]
    checking = [_us(lambda proof=proof: proof.check(signer.public)) for proof in made]  # type: ignore[misc]
    return [
        {"what": "append an entry", "goal": "~48", **report.summary(appends)},
        {"what": "sign a head, three fsyncs", "goal": "", **report.summary(heads)},
        *(
            {
                "what": f"{what}, per entry",
                "goal": "<= 150" if "each" in what else "",
                "p50": round(wall / len(hashes), 1),
                "processor": round(processor / len(hashes), 1),
            }
            for what, (wall, processor) in passes.items()
        ),
        {"what": "make a proof of inclusion", "goal": "", **report.summary(proving)},
        {"what": "check a proof of inclusion", "goal": "", **report.summary(checking)},
    ]


async def _notes(home: Path) -> dict[str, Any]:
    """Evidence of one call through the whole vault: sealed, stored, in the ledger and under a head."""
    async with Vault(home) as vault, open_evidence(home, vault, StoreSettings()) as evidence:
        vault.begin_call("bench", channel="phone")
        await vault.flush()
        begun = time.perf_counter()
        for number in range(NOTES):
            evidence.note("viewed", call_id="bench", detail={"n": number})
        await evidence.flush()
        each = (time.perf_counter() - begun) / NOTES * 1e6
    return {"what": "note evidence, committed and signed", "goal": "", "p50": round(each, 1), "n": NOTES}


def _us(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1e6


def _both_us(work: Callable[[], object]) -> tuple[float, float]:
    """Time on the wall, and of the processor: other programs on the machine are in the first."""
    begun = time.process_time()
    wall = _us(work)
    return wall, (time.process_time() - begun) * 1e6


if __name__ == "__main__":
    report.save("ledger", asyncio.run(measure()))
