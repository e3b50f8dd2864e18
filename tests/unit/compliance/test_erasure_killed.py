"""An eraser that is killed, at whatever step, finishes when the twin starts again."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from compliance.erasure import STEPS
from compliance.vault import Vault
from tests.unit.compliance.erasing_helpers import ANNA, BEN, eraser, fill, hits, leave_traces, record_sound
from tests.unit.compliance.store_helpers import run_python

_ERASER = """
import asyncio, os, signal, sys
from pathlib import Path
from compliance.vault import Vault
from tests.unit.compliance.erasing_helpers import ANNA, eraser
def die(step):
    if step == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
async def main():
    home = Path(sys.argv[1])
    async with Vault(home) as vault:
        await eraser(vault, home, on_step=die).erase(ANNA)
asyncio.run(main())
"""


@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_any_step_it_completes_on_restart(home: Path, step: str) -> None:
    async with Vault(home) as vault:
        await fill(vault, ANNA, "anna")
        await fill(vault, BEN, "ben")
        leave_traces(home, ANNA, "anna")
        await record_sound(vault, home, "anna-1")
    killed = run_python(_ERASER, home, step)
    await asyncio.to_thread(killed.communicate, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    async with Vault(home) as vault:
        under = eraser(vault, home)
        receipts = await under.start()
        assert all(receipt.done for receipt in receipts)
        assert len(receipts) == (0 if step == "closed" else 1)
        assert await under.resume() == ()
        assert await under.replay() is None
        assert hits(home, ANNA, "anna") == {}
        assert await vault.call("anna-1") is None
        assert await vault.call("ben-1") is not None


_HOLDER = """
import asyncio, sys
from pathlib import Path
from compliance.vault import Vault
from tests.unit.compliance.erasing_helpers import ANNA, eraser
async def main():
    home = Path(sys.argv[1])
    async with Vault(home) as vault:
        def wait(step):
            if step == "rows":
                print("rows", flush=True)
                sys.stdin.readline()
        assert (await eraser(vault, home, on_step=wait).erase(ANNA)).done
asyncio.run(main())
"""


async def test_what_another_process_is_erasing_is_left_to_it(home: Path) -> None:
    async with Vault(home) as vault:
        await fill(vault, ANNA, "anna")
        other = run_python(_HOLDER, home)
        assert other.stdout is not None
        assert (await asyncio.to_thread(other.stdout.readline)).strip() == "rows"
        assert await eraser(vault, home).resume() == ()
        await asyncio.to_thread(other.communicate, "go on\n", 60)
        assert other.returncode == 0
        assert await eraser(vault, home).resume() == ()
        assert await vault.call("anna-1") is None
