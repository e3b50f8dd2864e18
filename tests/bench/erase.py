"""How long an erasure takes, by the number of the person's calls, in a store with a thousand other callers."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.erasure import Eraser
from compliance.forgetting.forgotten import ErasureLedger
from compliance.forgetting.layout import layout, mirror_of
from compliance.settings import StoreSettings
from compliance.vault import Vault
from tests.bench import report
from tests.unit.compliance.erasing_helpers import Notes
from tests.unit.compliance.store_helpers import heard

CALLS = (1, 10, 100, 1_000)
OTHERS = 1_000
TURNS = 12


async def measure(calls: tuple[int, ...] = CALLS, others: int = OTHERS) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="twin-erase-") as folder:
        home = Path(folder) / "home"
        settings = StoreSettings(queue_records=1_000_000, wait_s=60)
        async with Vault(home, settings) as vault:
            for number in range(others):
                await conversation(vault, f"other-{number}", f"+4940{number:08d}", number)
            for count in calls:
                for number in range(count):
                    await conversation(vault, f"call-{count}-{number}", f"+4930{count:08d}", number)
            rows = [await erase(vault, home, settings, count) for count in calls]
    report.show("Erasing one person, by their calls (goals: keys <= 5 s, all <= 60 s per 1,000 calls)", rows)
    return {"rows": rows}


async def conversation(vault: Vault, call: str, who: str, seed: int) -> None:
    """A call of twelve turns, an event and a message."""
    vault.begin_call(call, channel="phone", subject=who)
    for turn in range(TURNS):
        side = "twin" if turn % 2 else "caller"
        said = (
            f"turn {turn} of {call}: please order {seed * 7 + turn} boxes of chamomile for the warehouse in Husum"
        )
        vault.turn_heard(call, heard(turn, said, who=side))
    vault.event(call, "dtmf", detail={"digits": f"pin {seed}"})
    vault.message(f"call back about order {seed}", call_id=call, subject=who)
    vault.end_call(call, "hangup")
    if seed % 100 == 99:
        await vault.flush()


async def erase(vault: Vault, home: Path, settings: StoreSettings, count: int) -> dict[str, Any]:
    await vault.flush()
    stores = layout(vault, home, settings)
    reached: dict[str, float] = {}

    def on_step(step: str) -> None:
        reached.setdefault(step, time.monotonic())

    eraser = Eraser(
        vault, home, ErasureLedger(home, mirror_of(home, settings)), stores.stores, note=Notes(),
        sign=Ed25519PrivateKey.generate().sign, places=stores.places, skip=stores.skip,
        on_step=on_step,
    )  # fmt: skip
    begun = time.monotonic()
    receipt = await eraser.erase(f"+4930{count:08d}")
    taken = time.monotonic() - begun
    return {
        "calls": count,
        "rows": sum(receipt.deleted.values()),
        "keys destroyed s": round(reached["keys_destroyed"] - begun, 2),
        "rows deleted s": round(reached["rows"] - begun, 2),
        "all s": round(taken, 2),
        "needles": receipt.needles,
        "of": receipt.needles_offered,
        "scanned MB": round(sum(store.scanned_bytes for store in receipt.stores) / 1e6, 1),
        "found": sum(store.found for store in receipt.stores),
        "done": receipt.done,
    }


if __name__ == "__main__":
    report.save("erase", asyncio.run(measure()))
