"""What runs in the process of one room: prepared before there is a room, then that room, then its end.

The room is entered with a ticket of our own rather than as livekit-agents' `ctx.room`: the session, its encryption
and its reconnects are then the same as in `twin join`; the identity is the same for every process that serves this
room, so that the server itself lets only one of them in; and the server, which ends the job whose participant it
sees replaced, does not end the new one for the sake of the old.
"""

from __future__ import annotations

import asyncio
import logging
import os
from multiprocessing import util
from typing import Any

from agent.fleet.access import Access
from agent.fleet.in_process import E2EE, load_for_rooms
from agent.fleet.indoors import Indoors
from agent.fleet.job import RoomJob
from agent.fleet.serving import STILL_WANTED, ended, session, signs_of
from agent.fleet.wishes import Wishes
from agent.home import find
from agent.house import House
from agent.settings import environment
from channels.livekit.signs import Signs
from compliance.errors import TwinError

logger = logging.getLogger(__name__)

HOUSE = "house"
"""Under which name the process keeps its house."""


def prewarm(process: Any) -> None:
    """livekit-agents calls this when a process begins; its argument keeps what the room will need."""
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    home = find(None, os.environ)
    indoors = Indoors(
        lambda: House(
            load_for_rooms(home.path),
            home.persona(),
            environment(home.path),
            home=home.path,
            late_spare=True,
        )
    )
    indoors.start()
    # Ends with the process, however that ends short of being killed.
    util.Finalize(None, indoors.close, exitpriority=10)
    process.userdata[HOUSE] = indoors


async def serve(context: Any) -> None:
    """livekit-agents calls this with a room's job. It returns at once: what is to end when the process is told to,
    is told by the callback, and a process whose function still runs is told nothing for a quarter of a minute."""
    indoors: Indoors = context.proc.userdata[HOUSE]
    room = Room(indoors, context)
    context.add_shutdown_callback(room.stop)
    room.start()


class Room:
    """The job's side of its session, which runs where the house lives."""

    def __init__(self, indoors: Indoors, context: Any) -> None:
        self._indoors = indoors
        self._context = context
        self._leave = asyncio.Event()
        """On the house's loop."""
        self._running: asyncio.Future[str]
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._running = asyncio.wrap_future(self._indoors.submit(self._serve()))
        for work, name in ((self._watch(), "watch the room"), (self._indoors.guard(), "watch the house")):
            task = asyncio.create_task(work, name=name)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self, reason: str = "") -> None:
        """The process is to end: the session leaves, and the room is another's where it still wants a twin."""
        self._indoors.call(self._leave.set)
        await asyncio.wait({self._running})
        for task in tuple(self._tasks):
            task.cancel()

    async def _watch(self) -> None:
        await asyncio.wait({self._running})
        self._context.shutdown("over")

    async def _serve(self) -> str:
        job, house = self._context.job, self._indoors.house
        reason = "failed"
        try:
            signs = signs_of(house)
            reason = await self._meet(house, _told(house, job, signs), signs)
        except TwinError as error:
            logger.error("a room was not served", extra={"code": error.code, "why": error.message})
        except Exception as error:  # noqa: BLE001  whatever it was, the room goes to another process
            # Its text may be what somebody said.
            logger.error("a room was not served", extra={"code": type(error).__name__})
        if reason not in (*STILL_WANTED, "failed", "room_ended"):
            # Taken back before the process ends: who finds the wish afterwards takes it for an unserved room.
            async with Wishes(Access.of(house.environment), house.settings.worker.agent_name) as wishes:
                await wishes.take_back(job.room.name, job.dispatch_id)
        return reason

    async def _meet(self, house: House, job: RoomJob, signs: Signs) -> str:
        session_of_room = session(house, job, signs)
        running = asyncio.create_task(session_of_room.run(), name="room")
        asked = asyncio.create_task(self._leave.wait(), name="asked to leave")
        try:
            await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                await ended(running, session_of_room, "server_stopping")
        finally:
            asked.cancel()
            running.cancel()
            await asyncio.wait({running, asked})
        if running.cancelled():
            return "cancelled"
        return "server_stopping" if self._leave.is_set() else running.result()


def _told(house: House, job: Any, signs: Signs) -> RoomJob:
    access = Access.of(house.environment)
    ticket = access.ticket(job.room.name, identity=house.settings.worker.agent_name, signs=signs)
    return RoomJob(access.url, ticket, job.room.name, job.metadata, house.environment.get(E2EE, ""))
