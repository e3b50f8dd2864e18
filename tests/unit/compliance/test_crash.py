"""Processes that are killed, and processes that share one store."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from compliance.vault import Vault
from tests.unit.compliance.store_helpers import copy_files, files_in, heard, run_python

_RECORDER = """
import asyncio, itertools, sys, time
from pathlib import Path
from compliance.vault import Vault
from tests.unit.compliance.store_helpers import heard
async def main():
    async with Vault(Path(sys.argv[1])) as vault:
        vault.begin_call("killed", channel="phone", subject="+4930123456")
        print("ready", flush=True)
        for n in itertools.count():
            vault.turn_heard("killed", heard(n // 10, "word " * (n % 10 + 1), who="twin"))
            vault.event("killed", "hold", position_samples=n)
            print(n, time.monotonic(), flush=True)
            await asyncio.sleep(0.005)
asyncio.run(main())
"""


async def test_what_was_heard_up_to_the_last_second_survives_kill_9(home: Path) -> None:
    recorder = run_python(_RECORDER, home)
    assert recorder.stdout is not None
    marks: list[float] = []
    assert (await asyncio.to_thread(recorder.stdout.readline)).strip() == "ready"
    while len(marks) < 10 or marks[-1] - marks[0] < 2.0:
        number, at_s = (await asyncio.to_thread(recorder.stdout.readline)).split()
        assert int(number) == len(marks)
        marks.append(float(at_s))
    recorder.send_signal(signal.SIGKILL)
    recorder.communicate(timeout=30)
    assert recorder.returncode == -signal.SIGKILL

    async with Vault(home) as vault:
        found = await vault.call("killed")
    assert found is not None
    positions = [event.position_samples for event in found.events]
    assert positions == list(range(len(positions)))  # in order, without a hole
    due = sum(1 for at_s in marks if at_s <= marks[-1] - 1.0)
    assert len(positions) >= due > 100
    last = found.turns[-1]
    assert [word.text for word in last.words] == ["word"] * len(last.words)
    assert last.sequence * 10 + len(last.words) >= due
    assert (found.call.state, found.call.end_reason) == ("ended", "interrupted")
    assert found.call.ended_ms == found.events[-1].at_ms


_HOLDER = """
import asyncio, sys
from pathlib import Path
from compliance.vault import Vault
async def main():
    async with Vault(Path(sys.argv[1])) as vault:
        vault.begin_call(sys.argv[2], channel="phone")
        await vault.flush()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
asyncio.run(main())
"""


async def test_only_the_calls_of_dead_processes_are_ended_as_interrupted(home: Path) -> None:
    alive, killed = run_python(_HOLDER, home, "alive"), run_python(_HOLDER, home, "killed")
    for process in (alive, killed):
        assert process.stdout is not None
        assert (await asyncio.to_thread(process.stdout.readline)).strip() == "ready"
    killed.kill()
    killed.communicate(timeout=30)
    async with Vault(home) as vault:
        states = {call.id: (call.state, call.end_reason) for call in await vault.calls()}
        assert states == {"alive": ("live", None), "killed": ("ended", "interrupted")}
    await asyncio.to_thread(alive.communicate, "stop\n", 30)
    assert alive.returncode == 0
    assert files_in(home / "workers") == []


async def test_a_store_copied_elsewhere_has_no_live_calls(home: Path, tmp_path: Path) -> None:
    async with Vault(home) as vault:
        vault.begin_call("c", channel="web")
        await vault.flush()
        copy = tmp_path / "copy"
        copy_files(home, copy)
        async with Vault(copy) as restored:
            (call,) = await restored.calls()
            assert call.end_reason == "interrupted"
        (call,) = await vault.calls()
        assert call.state == "live"


async def test_a_call_left_live_by_its_own_process_is_interrupted_on_close(home: Path) -> None:
    async with Vault(home) as vault:
        vault.begin_call("c", channel="web")
    async with Vault(home) as vault:
        (call,) = await vault.calls()
        assert (call.state, call.end_reason) == ("ended", "interrupted")


_WRITER = """
import asyncio, sys
from pathlib import Path
from compliance.vault import Vault
from tests.unit.compliance.store_helpers import heard
async def main():
    async with Vault(Path(sys.argv[1])) as vault:
        name = sys.argv[2]
        vault.begin_call(name, channel="phone", subject="+4930123456")
        for n in range(500):
            vault.turn_heard(name, heard(n, f"{name} says {n}"))
            if n % 20 == 0:
                await vault.flush()
        await vault.flush()
        assert vault.health() is None, vault.health()
        assert vault.counters().failed == 0
asyncio.run(main())
"""


async def test_two_processes_make_and_write_one_store_at_once(home: Path) -> None:
    writers = [run_python(_WRITER, home, name) for name in ("one", "two")]
    for writer in writers:
        await asyncio.to_thread(writer.communicate, timeout=120)
    assert [writer.returncode for writer in writers] == [0, 0]
    async with Vault(home) as vault:
        for name in ("one", "two"):
            found = await vault.call(name)
            assert found is not None
            assert found.call.subject == "+4930123456"
            assert [turn.text for turn in found.turns] == [f"{name} says {n}" for n in range(500)]
        assert (await vault.forget("+4930123456")).deleted["subjects"] == 1


async def test_close_writes_what_is_still_queued(home: Path) -> None:
    async with Vault(home) as vault:
        vault.begin_call("c", channel="web")
        for n in range(2_000):
            vault.turn_heard("c", heard(n, "hello"))
    async with Vault(home) as vault:
        found = await vault.call("c")
        assert found is not None
        assert len(found.turns) == 2_000
