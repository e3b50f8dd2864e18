"""`twin join`: one room, served by this process."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from agent.fleet.access import Access, checked
from agent.fleet.job import RoomJob
from agent.fleet.serving import Session, ended, session, signs_of
from agent.home import Home
from agent.house import House
from agent.meeting.addressee.said import Mode
from agent.settings import Settings, environment, load
from channels.livekit.signs import Signs
from compliance.errors import SettingsError

logger = logging.getLogger(__name__)

E2EE = "LIVEKIT_E2EE_KEY"
ASKED = "owner_left"
"""The reason when whoever started the twin ends it."""


@dataclass(slots=True, eq=False)
class InProcess:
    """One room on a house that has started. `run` returns when the twin has left; `drain` has it leave after what
    it says now, because whoever stops it waits at a terminal."""

    house: House
    job: RoomJob
    signs: Signs
    reason: str = ""
    """Why the meeting ended, once it has."""
    _session: Session | None = None
    _running: asyncio.Task[str] | None = field(default=None, repr=False)

    @property
    def rooms(self) -> tuple[str, ...]:
        return (self.job.room,) if self._running is not None and not self._running.done() else ()

    async def run(self) -> None:
        """Raises `TwinError` when the room cannot be entered: one line. Cancelling it leaves the room as well."""
        self._session = session(self.house, self.job, self.signs)
        self._running = asyncio.create_task(self._session.run(), name="room")
        try:
            self.reason = await asyncio.shield(self._running)
        finally:
            if not self._running.done():
                await ended(self._running, self._session, "cancelled")

    async def drain(self) -> None:
        if self._session is not None and self._running is not None:
            await ended(self._running, self._session, ASKED)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What `twin join` was told."""

    url: str = ""
    room: str = ""
    token: str = ""
    name: str = ""
    """Shown before the words that say what the twin is, never instead of them."""
    mode: Mode | None = None


def job_of(invitation: Invitation, house: House, signs: Signs) -> RoomJob:
    """Where to go; a ticket is made where none was given. Raises `SettingsError` and `EngineMissing`."""
    variables, settings = house.environment, house.settings
    metadata = json.dumps({"mode": invitation.mode}) if invitation.mode else ""
    if invitation.token:
        url = invitation.url or variables.get("LIVEKIT_URL", "")
        if not url:
            raise SettingsError("name the server: --url wss://..., or LIVEKIT_URL")
        return RoomJob(checked(url), invitation.token, invitation.room, metadata, variables.get(E2EE, ""))
    if not invitation.room:
        raise SettingsError("name the room: --room NAME, or give its ticket: --token")
    access = Access.of(variables, url=invitation.url)
    ticket = access.ticket(invitation.room, identity=settings.worker.agent_name, signs=signs)
    return RoomJob(access.url, ticket, invitation.room, metadata, variables.get(E2EE, ""))


async def join(home: Home, invitation: Invitation) -> str:
    """Go to a room and stay until the meeting is over or this process is asked to stop; gives why it ended.

    Raises `TwinError`: one line.
    """
    house = House(load_for_rooms(home.path), home.persona(), environment(home.path), home=home.path)
    signs = signs_of(house, invitation.name)
    job = job_of(invitation, house, signs)
    await house.start()
    try:
        host = InProcess(house, job, signs)
        await until_asked(host)
        return host.reason
    finally:
        await house.drain()
        await house.close()


async def until_asked(host: InProcess) -> None:
    """Run the room; the first SIGINT or SIGTERM has the twin leave."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    running = asyncio.create_task(host.run(), name="one room")
    waiting = asyncio.create_task(asked.wait(), name="asked to leave")
    try:
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            await host.drain()
        await running
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        for task in (running, waiting):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def load_for_rooms(home: Path) -> Settings:
    """The settings as a process for one room takes them: it fetches no models, which would outlive its room."""
    settings = load(home)
    return settings.model_copy(update={"speech": settings.speech.model_copy(update={"fetch": False})})
