"""Rooms one after the other on one `twin worker`: what serves them all neither grows nor keeps a process.

Half of the rooms are left by their only guest, half are ended by the server, which is where LiveKit's SDK leaks.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from livekit.api import DeleteRoomRequest

from tests.doubles.deepgram import Deepgram, Script
from tests.fleet import Person, WorkerProcess, furnish, until, worker
from tests.livekit_server import LiveKitServer, livekit_server

SETTLED_LIMIT_S = 40.0
MIB_PER_ROOM = 0.1
"""What the worker may grow by for each room; its own measure trembles by some of that."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of a worker and all its processes, while no room is served."""

    processes: int
    threads: int
    lasting_mib: float
    """Of those that live as long as the worker: itself, and what it forks from."""
    all_mib: float


def size(one: WorkerProcess, lasting: set[int]) -> Size:
    root = psutil.Process(one.process.pid)
    processes, threads, kept, taken = 0, 0, 0, 0
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            pss = process.memory_full_info().pss
            processes, threads, taken = processes + 1, threads + process.num_threads(), taken + pss
            kept += pss if process.pid in lasting else 0
    return Size(processes, threads, kept / 2**20, taken / 2**20)


async def settled(one: WorkerProcess, processes: int) -> None:
    """Wait until no room is served and as many processes wait as did at first."""
    async with asyncio.timeout(SETTLED_LIMIT_S):
        root = psutil.Process(one.process.pid)
        while await one.number("twin_rooms_live") or len(root.children(recursive=True)) != processes:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    await asyncio.sleep(0.5)


async def measure(count: int) -> list[Size]:
    """The size after each of so many rooms, the first entry before all of them."""
    async with Deepgram(Script()) as deepgram, livekit_server() as server:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            furnish(
                home,
                f'[speech]\nengine = "deepgram"\nbase_url = "{deepgram.url}"\n[face]\nengine = "none"\n'
                "[worker]\nidle = 1\nmax_rooms = 2\n[livekit]\nalone_minutes = 0.01\n",
            )
            async with worker(home, server, DEEPGRAM_API_KEY="stub") as one:
                await one.ready()
                await asyncio.sleep(5.0)
                root = psutil.Process(one.process.pid)
                children = len(root.children(recursive=True))
                lasting = {root.pid, *(child.pid for child in root.children())}
                sizes = [size(one, lasting)]
                for number in range(count):
                    await room(server, f"room{number}", by_server=number % 2 == 1)
                    await settled(one, children)
                    sizes.append(size(one, lasting))
    return sizes


async def room(server: LiveKitServer, name: str, *, by_server: bool) -> None:
    """One meeting, until its announcement was heard."""
    person = Person(name)
    await person.join(server, dispatch="twin")
    await until(lambda: person.disclosed > 0, 60.0)
    if by_server:
        async with server.api() as api:
            await api.room.delete_room(DeleteRoomRequest(room=name))
    await person.leave()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    sizes = asyncio.run(measure(parser.parse_args().count))
    first, last = sizes[1], sizes[-1]
    half = len(sizes) // 2
    early = statistics.median(one.lasting_mib for one in sizes[1 : half + 1])
    late = statistics.median(one.lasting_mib for one in sizes[half + 1 :])
    each = (late - early) / max(1, half)
    print(f"{len(sizes) - 1} rooms: {first.processes} to {last.processes} processes, ", end="")
    print(
        f"{first.threads} to {last.threads} threads, all {first.all_mib:.0f} to {last.all_mib:.0f} MiB, ", end=""
    )
    print(f"the worker itself {early:.1f} to {late:.1f} MiB, {each:+.3f} for each room")
    return 0 if last.processes == first.processes and each <= MIB_PER_ROOM else 1


if __name__ == "__main__":
    sys.exit(main())
