"""Workers as real processes on a real LiveKit server: rooms are served, taken over, and finished."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.doubles.deepgram import Deepgram, Script
from tests.fleet import Person, WorkerProcess, furnish, until, worker
from tests.livekit_server import livekit_server

pytestmark = pytest.mark.alone

SERVED_S = 40.0
ROOMS = 3


async def test_rooms_of_a_killed_worker_are_served_again_and_a_stopped_one_finishes_its_rooms(home: Path) -> None:
    """One test for both, because workers take their time to begin."""
    async with AsyncExitStack() as stack:
        deepgram = await stack.enter_async_context(Deepgram(Script()))
        server = await stack.enter_async_context(livekit_server())
        speech = f'[speech]\nengine = "deepgram"\nbase_url = "{deepgram.url}"\n'
        furnish(home, f'{speech}[face]\nengine = "none"\n[worker]\nidle = 2\nmax_rooms = 8\n')
        two = [await stack.enter_async_context(worker(home, server, DEEPGRAM_API_KEY="stub")) for _ in range(2)]
        await asyncio.gather(*(one.ready() for one in two))
        people = [Person(f"room{n}") for n in range(ROOMS)]
        await asyncio.gather(*(person.join(server, dispatch="twin") for person in people))
        await until(lambda: all(person.disclosed for person in people), SERVED_S)
        assert [len(person.twins) for person in people] == [1] * ROOMS

        # The one with more rooms dies as with its machine: no process of it says goodbye.
        served = [int(await one.number("twin_rooms_live")) for one in two]
        assert sum(served) == ROOMS
        dead, left = (two[0], two[1]) if served[0] >= served[1] else (two[1], two[0])
        died = time.monotonic()
        dead.kill()
        await until(lambda: sum(len(person.twins) for person in people) == ROOMS + max(served), SERVED_S)
        again = [at - died for person in people for _, at in person.twins[1:]]
        assert len(again) == max(served)
        assert await left.number("twin_rooms_served_anew_total") == max(served)
        # Who hears another process's twin hears what it is once more.
        await until(lambda: all(person.disclosed == len(person.twins) for person in people), SERVED_S)
        assert max(person.most for person in people) == 1, "never two in one room"
        assert [len(person.twins) for person in people if len(person.twins) > 2] == []

        # Asked to stop, it takes no room and goes on with those it has.
        left.ask_to_stop()
        await says(left, "draining")
        late = Person("late")
        await late.join(server, dispatch="twin")
        assert await left.number("twin_rooms_live") == ROOMS
        assert all(person.here == 1 for person in people)
        async with server.api() as api:
            from livekit.api import DeleteRoomRequest

            for person in people:
                await api.room.delete_room(DeleteRoomRequest(room=person.name))
        assert await left.ended(SERVED_S) == 0
        assert late.twins == []
        await asyncio.gather(*(person.leave() for person in (*people, late)))
        print({"served again after s": [round(s, 2) for s in sorted(again)]})


async def says(one: WorkerProcess, wanted: str) -> None:
    """Wait until it gives this for not taking rooms."""
    async with asyncio.timeout(SERVED_S):
        while await one.page("readyz") != wanted:  # noqa: ASYNC110  it has to be asked
            await asyncio.sleep(0.05)


async def test_twin_join_goes_to_one_room_and_leaves_when_it_is_asked(home: Path) -> None:
    async with Deepgram(Script()) as deepgram, livekit_server() as server:
        furnish(home, f'[speech]\nengine = "deepgram"\nbase_url = "{deepgram.url}"\n[face]\nengine = "none"\n')
        person = Person("standup")
        await person.join(server)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agent.cli", "join", "--home", str(home),
            "--room", "standup", "--name", "Helper", "--mode", "silent",
            env={**os.environ, **server.environment, "DEEPGRAM_API_KEY": "stub"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            await until(lambda: person.disclosed > 0, SERVED_S)
            assert person.names == ["Helper (Your Name (AI twin))"]
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(SERVED_S):
                out, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            await person.leave()
        assert process.returncode == 0
        assert out.decode().splitlines()[-1] == "left: owner_left"
