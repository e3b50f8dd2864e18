"""A burst of rooms over several workers, one worker killed, and how soon every room is served again.

Real processes, a real LiveKit server, one machine. Recognition is a stub on loopback, as a fleet has it on a
server, and there is no face. `FLEET_ROOMS`, `FLEET_WORKERS` and `FLEET_IDLE` change the size.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import psutil

from tests.bench import report
from tests.doubles.deepgram import Deepgram, Script
from tests.fleet import Person, WorkerProcess, furnish, until, worker
from tests.livekit_server import LiveKitServer, livekit_server

ROOMS = int(os.environ.get("FLEET_ROOMS", "20"))
WORKERS = int(os.environ.get("FLEET_WORKERS", "3"))
IDLE = int(os.environ.get("FLEET_IDLE", "7"))
SERVED_LIMIT_S = 90.0
PREPARED_LIMIT_S = 240.0
STEADY_S = 3.0


async def measure() -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        deepgram = await stack.enter_async_context(Deepgram(Script()))
        server = await stack.enter_async_context(livekit_server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        furnish(
            folder / "home",
            f'[speech]\nengine = "deepgram"\nbase_url = "{deepgram.url}"\n[face]\nengine = "none"\n'
            f"[worker]\nidle = {IDLE}\nmax_rooms = {ROOMS}\n[store]\nwait_s = 10\n",
        )
        begun = time.monotonic()
        workers = [
            await stack.enter_async_context(worker(folder / "home", server, DEEPGRAM_API_KEY="stub"))
            for _ in range(WORKERS)
        ]
        for one in workers:
            await one.ready(PREPARED_LIMIT_S)
        ready_s = time.monotonic() - begun
        await asyncio.sleep(STEADY_S)
        idle = memory(workers)
        people = [Person(f"room{n}") for n in range(ROOMS)]
        burst = await dispatched(server, people)
        serving = memory(workers)
        spread = [int(await one.number("twin_rooms_live")) for one in workers]
        await prepared(workers)
        too_early = await served_anew(workers)
        again = await killed(workers, people)
        anew = await served_anew([one for one in workers if one.process.returncode is None])
        most = max(person.most for person in people)
        too_many = sum(len(person.twins) for person in people) - ROOMS - len(again)
        await asyncio.gather(*(person.leave() for person in people))
    rows = [
        {"what": "room dispatched to twin there", **report.summary([s * 1000 for s in burst])},
        {"what": "worker killed to another twin there (goal < 5000)", **report.summary([s * 1000 for s in again])},
    ]
    report.show(f"Fleet: {ROOMS} rooms, {WORKERS} workers, {IDLE} idle processes each; milliseconds", rows)
    numbers = {
        "ready_s": round(ready_s, 1),
        "rooms_per_worker": spread,
        "lost_with_the_worker": len(again),
        "served_anew_before_the_kill": too_early,
        "served_anew_in_all": anew,
        "twins_at_once_in_a_room": most,
        "twins_too_many": too_many,
        "idle_process_mb": idle,
        "with_rooms_mb": serving,
    }
    print(numbers)
    return {"rows": rows, **numbers}


async def dispatched(server: LiveKitServer, people: list[Person]) -> list[float]:
    """Everybody comes and sends for the twin; seconds until it is heard, for each."""
    begun = time.monotonic()
    await asyncio.gather(*(person.join(server, dispatch="twin") for person in people))
    await until(lambda: all(person.heard for person in people), SERVED_LIMIT_S)
    return [person.heard[0][1] - begun for person in people]


async def served_anew(workers: list[WorkerProcess]) -> int:
    """How often keepers sent for a twin again."""
    return sum([int(await one.number("twin_rooms_served_anew_total")) for one in workers])


async def prepared(workers: list[WorkerProcess]) -> None:
    """Wait until processes wait again for rooms: their number no longer changes."""
    async with asyncio.timeout(PREPARED_LIMIT_S):
        before = -1
        while (now := sum(len(children(one)) for one in workers)) != before:
            before = now
            await asyncio.sleep(2 * STEADY_S)


async def killed(workers: list[WorkerProcess], people: list[Person]) -> list[float]:
    """Kill the worker with the most rooms; seconds until each of them has another twin."""
    counts = [int(await one.number("twin_rooms_live")) for one in workers]
    victim = workers[counts.index(max(counts))]
    begun = time.monotonic()
    victim.kill()
    await victim.process.wait()

    def again() -> list[float]:
        later = [[at for _, at in person.heard if at > begun] for person in people]
        return [times[0] - begun for times in later if times]

    await until(lambda: len(again()) >= max(counts), SERVED_LIMIT_S)
    await asyncio.sleep(STEADY_S)
    return again()


def children(one: WorkerProcess) -> list[psutil.Process]:
    try:
        return psutil.Process(one.process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def memory(workers: list[WorkerProcess]) -> dict[str, float]:
    """What all processes of the workers take of this machine, and how many they are."""
    taken = []
    for process in (process for one in workers for process in children(one)):
        with suppress(psutil.NoSuchProcess):
            taken.append(process.memory_full_info().pss)
    return {"processes": len(taken), "all_mb": round(sum(taken) / 2**20)}


if __name__ == "__main__":
    report.save("fleet", asyncio.run(measure()))
