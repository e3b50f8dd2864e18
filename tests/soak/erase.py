"""Erasures, counted: one of a thousand callers on SQLite and PostgreSQL, restore drills, kills at random moments.

    python -m tests.soak.erase --callers 1000 --drills 100 --kills 20

It fails (exit 1) when a byte of the erased is found, a restored backup brings somebody back, a killed erasure does
not complete, or anybody else loses a word.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from compliance.settings import StoreSettings
from compliance.vault import Vault
from tests.postgres import server
from tests.unit.compliance.erasing_helpers import ANNA, BEN, SAID, eraser, fill, hits, leave_traces, record_sound
from tests.unit.compliance.store_helpers import heard, run_python

_ERASER = """
import asyncio, sys
from pathlib import Path
from compliance.vault import Vault
from tests.unit.compliance.erasing_helpers import ANNA, eraser
async def main():
    home = Path(sys.argv[1])
    async with Vault(home) as vault:
        under = eraser(vault, home)
        print("ready", flush=True)
        await under.erase(ANNA)
asyncio.run(main())
"""


class Failed(Exception):
    """What was promised did not hold."""


def hold(condition: bool, what: str) -> None:
    if not condition:
        raise Failed(what)


async def one_of_many(home: Path, settings: StoreSettings, callers: int) -> str:
    """Erase one of so many callers, each with a call of ten turns; all others keep every word."""
    async with Vault(home, settings) as vault:
        for number in range(callers):
            call = f"other-{number}"
            vault.begin_call(call, channel="phone", subject=f"+4940{number:08d}")
            for turn in range(10):
                vault.turn_heard(call, heard(turn, f"caller {number} says in turn {turn}: {SAID.format(n=turn)}"))
            vault.end_call(call, "hangup")
            if number % 100 == 99:
                await vault.flush()
        await fill(vault, ANNA, "anna", calls=10)
        await record_sound(vault, home, "anna-1")
        leave_traces(home, ANNA, "anna")
        begun = time.monotonic()
        receipt = await eraser(vault, home, settings=settings).erase(ANNA)
        taken = time.monotonic() - begun
        hold(receipt.done, f"not done: {[store for store in receipt.stores if store.found or store.note]}")
        hold(hits(home, ANNA, "anna") == {}, "bytes of the erased are left")
        for number in range(callers):
            found = await vault.call(f"other-{number}")
            hold(found is not None and len(found.turns) == 10, f"caller {number} lost something")
            assert found is not None
            said = f"caller {number} says in turn 9: {SAID.format(n=9)}"
            hold(found.turns[9].text == said, f"caller {number} lost words")
        scanned = sum(store.scanned_bytes for store in receipt.stores) / 1e6
        return f"{receipt.needles} needles in {scanned:.0f} MB, 0 found, {taken:.1f} s, {callers} others intact"


async def drill(folder: Path, number: int) -> None:
    """Erase, restore a backup from before over it in one of several ways, start again: nobody is back."""
    home, mirror, backup = folder / "home", folder / "mirror", folder / "backup"
    settings = StoreSettings(mirror=str(mirror))
    async with Vault(home, settings) as vault:
        await fill(vault, ANNA, "anna", calls=2)
        await fill(vault, BEN, "ben", calls=2)
        await record_sound(vault, home, "anna-1")
        leave_traces(home, ANNA, "anna")
    shutil.copytree(home, backup)
    async with Vault(home, settings) as vault:
        hold((await eraser(vault, home, settings=settings).erase(ANNA)).done, "the erasure was not done")
        if number % 2:
            await fill(vault, ANNA, "again", calls=1)
    lost = ("all of the home", "the mirror, and all but the erasure ledger", "the data, not the keys")[number % 3]
    if lost == "all of the home":
        shutil.rmtree(home)
        shutil.copytree(backup, home)
    elif lost == "the mirror, and all but the erasure ledger":
        kept = (home / "erasures.jsonl").read_bytes()
        for path in (home, mirror):
            shutil.rmtree(path)
        shutil.copytree(backup, home)
        (home / "erasures.jsonl").write_bytes(kept)
    else:
        for name in ("twin.db-wal", "twin.db-shm"):
            (home / name).unlink(missing_ok=True)
        shutil.copy(backup / "twin.db", home / "twin.db")
        shutil.copytree(backup / "recordings", home / "recordings", dirs_exist_ok=True)
    async with Vault(home, settings) as vault:
        under = eraser(vault, home, settings=settings)
        receipts = await under.start()
        hold(len(receipts) == 1 and receipts[0].done, f"drill {number} ({lost}): {receipts}")
        hold(await vault.call("anna-1") is None, f"drill {number} ({lost}): she is back")
        hold(hits(home, ANNA, "anna") == {}, f"drill {number} ({lost}): {hits(home, ANNA, 'anna')}")
        hold(await vault.call("ben-1") is not None, f"drill {number} ({lost}): somebody else is gone")
        hold(await under.start() == (), f"drill {number} ({lost}): it does not come to an end")


async def kill(folder: Path, after_s: float) -> None:
    """Kill an erasure at any moment; the next start completes it."""
    home = folder / "home"
    async with Vault(home) as vault:
        await fill(vault, ANNA, "anna", calls=30)
        await fill(vault, BEN, "ben", calls=2)
        leave_traces(home, ANNA, "anna")
    process = run_python(_ERASER, home)
    assert process.stdout is not None
    await asyncio.to_thread(process.stdout.readline)
    await asyncio.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(process.communicate)
    async with Vault(home) as vault:
        under = eraser(vault, home)
        begun = (home / "erasures.jsonl").exists()
        receipts = await under.start()
        hold(all(receipt.done for receipt in receipts), f"killed after {after_s:.2f} s: not done")
        if begun or receipts:
            hold(hits(home, ANNA, "anna") == {}, f"killed after {after_s:.2f} s: bytes are left")
            hold(await vault.call("anna-1") is None, f"killed after {after_s:.2f} s: rows are left")
        hold(await vault.call("ben-1") is not None, "somebody else is gone")
        hold(await under.start() == (), f"killed after {after_s:.2f} s: it does not come to an end")


async def run(callers: int, drills: int, kills: int, *, postgres: bool) -> None:
    stores = [("SQLite", StoreSettings(queue_records=1_000_000, wait_s=60))]
    with ExitStack() as stack:
        if postgres:
            url = stack.enter_context(server()).make_database("soak")
            stores.append(("PostgreSQL", StoreSettings(url=url, queue_records=1_000_000, wait_s=60)))
        for name, settings in stores:
            with tempfile.TemporaryDirectory(prefix="twin-soak-") as folder:
                print(f"{name}: {await one_of_many(Path(folder) / 'home', settings, callers)}", flush=True)
    for number in range(drills):
        with tempfile.TemporaryDirectory(prefix="twin-soak-") as folder:
            await drill(Path(folder), number)
    print(f"{drills} restore drills: nobody back", flush=True)
    chance = random.Random(5)
    for _ in range(kills):
        with tempfile.TemporaryDirectory(prefix="twin-soak-") as folder:
            await kill(Path(folder), chance.uniform(0.0, 0.5))
    print(f"{kills} erasures killed at any moment: all complete", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--callers", type=int, default=1_000)
    parser.add_argument("--drills", type=int, default=100)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--no-postgres", action="store_true")
    options = parser.parse_args()
    try:
        asyncio.run(run(options.callers, options.drills, options.kills, postgres=not options.no_postgres))
    except Failed as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
