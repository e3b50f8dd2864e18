"""Rooms one after the other, left by the twin or ended by the server: neither threads nor memory grow."""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from livekit.api import DeleteRoomRequest

from tests.doubles.face import Lamp, shown
from tests.doubles.livekit_room import MeetingHost, meeting
from tests.livekit_server import LiveKitServer, livekit_server

WARM = 4
"""Rooms after which everything that is made once is made."""


@dataclass(frozen=True, slots=True)
class Size:
    threads: float
    rss_mib: float


LEFT = Size(threads=0, rss_mib=1.0)
"""What a room that the twin leaves may cost for good, at most; threads as a fraction of one."""
ENDED = Size(threads=1, rss_mib=1.0)
"""One that the server ends: livekit 1.2.1 sometimes keeps a thread then, so a process serves one room."""


def size() -> Size:
    """Of this process now, the SDK's own threads included."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("ascii").splitlines())
    return Size(int(status["Threads"]), int(status["VmRSS"].split()[0]) / 1024)


@asynccontextmanager
async def visitor(server: LiveKitServer) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """Somebody who enters the rooms that are named, in a process of their own: the twin's side is measured."""
    command = (sys.executable, "-m", "tests.doubles.livekit_guest", server.url)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None

    async def enters(room: str) -> None:
        stdin.write(f"{room} {server.token('anna', room)}\n".encode())
        assert (await asyncio.wait_for(stdout.readline(), 20)).strip() == b"in"

    try:
        yield enters
    finally:
        stdin.close()
        await asyncio.wait_for(process.communicate(), 20)


async def one(
    server: LiveKitServer, enters: Callable[[str], Awaitable[None]], number: int, *, by_server: bool
) -> str:
    """A whole meeting, with a picture; returns why it ended."""
    room = f"room-{number}"
    host = MeetingHost(disclosure_ms=200)
    with ThreadPoolExecutor(1) as pool:
        host.show = lambda call: shown(call.outlet, call.clock, Lamp(), pool)
        async with meeting(server, room, host=host) as twin:
            await enters(room)
            await twin.disclosed()
            if by_server:
                async with server.api() as api:
                    await api.room.delete_room(DeleteRoomRequest(room=room))
            else:
                twin.session.leave("over")
            return await asyncio.wait_for(twin.task, 15)


async def measure(count: int, *, by_server: bool) -> list[Size]:
    """The size of this process after each of so many rooms."""
    sizes = []
    async with livekit_server() as server, visitor(server) as enters:
        for number in range(count):
            reason = await one(server, enters, number, by_server=by_server)
            assert reason == ("room_ended" if by_server else "over")
            gc.collect()
            await asyncio.sleep(0.1)
            sizes.append(size())
    return sizes


def growth(sizes: list[Size]) -> tuple[float, float]:
    """Threads and MiB more for each room since the first few."""
    warm, last, rooms = sizes[WARM - 1], sizes[-1], max(1, len(sizes) - WARM)
    return (last.threads - warm.threads) / rooms, (last.rss_mib - warm.rss_mib) / rooms


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    held = True
    for by_server, limit in ((False, LEFT), (True, ENDED)):
        sizes = asyncio.run(measure(parser.parse_args().count, by_server=by_server))
        threads, mib = growth(sizes)
        held = held and threads <= limit.threads and mib <= limit.rss_mib
        print(f"{len(sizes)} rooms {'ended by the server' if by_server else 'left by the twin'}: ", end="")
        print(f"{sizes[WARM - 1].threads} to {sizes[-1].threads} threads, ", end="")
        print(f"{sizes[WARM - 1].rss_mib:.0f} to {sizes[-1].rss_mib:.0f} MiB, {mib:+.2f} for each")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
