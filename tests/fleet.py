"""Workers of the fleet as processes of their own, and people who watch their rooms."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from persona.home import write_example
from tests.livekit_server import LiveKitServer, free_port

READY_S = 60.0
LEAVE_S = 20.0


class WorkerProcess:
    """`twin worker`, with all that it starts in one process group."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    async def ready(self, limit_s: float = READY_S) -> None:
        """Wait until it takes rooms."""
        async with asyncio.timeout(limit_s):
            while await self.page("readyz") != "ok":
                assert self.process.returncode is None, "the worker ended"
                await asyncio.sleep(0.1)

    async def page(self, path: str) -> str:
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                return (await client.get(f"{self.url}/{path}")).text
            except httpx.TransportError:
                return ""

    async def number(self, name: str) -> float:
        """One of its metrics."""
        found = re.search(rf"^{name} (\S+)$", await self.page("metrics"), re.MULTILINE)
        assert found is not None
        return float(found[1])

    def kill(self) -> None:
        """As when its machine dies: nothing of it says goodbye."""
        os.killpg(self.process.pid, signal.SIGKILL)

    def ask_to_stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def ended(self, limit_s: float) -> int:
        async with asyncio.timeout(limit_s):
            return await self.process.wait()


@asynccontextmanager
async def worker(home: Path, server: LiveKitServer, **environment: str) -> AsyncIterator[WorkerProcess]:
    """One worker; killed with everything it started if it still lives at the end."""
    port = free_port()
    out = None if "TWIN_TEST_SHOW" in os.environ else asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent.cli", "worker", "--home", str(home),
        env={**os.environ, **server.environment, "TWIN_WORKER__PORT": str(port), **environment},
        start_new_session=True,
        stdout=out,
        stderr=out,
    )  # fmt: skip
    try:
        yield WorkerProcess(process, port)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def furnish(home: Path, toml: str) -> None:
    """A home with these settings."""
    home.mkdir(parents=True, exist_ok=True)
    write_example(home)
    (home / "twin.toml").write_text(toml, encoding="utf-8")


class Person:
    """Somebody in a room, who notes which twins come."""

    def __init__(self, room: str, identity: str = "anna") -> None:
        self.name = room
        self.identity = identity
        self.twins: list[tuple[str, float]] = []
        """Each twin that came: its session, and when."""
        self.heard: list[tuple[str, float]] = []
        """Each whose sound arrived."""
        self.here = 0
        """Twins that are in the room now."""
        self.most = 0
        """The most at one moment."""
        self.disclosed = 0
        """Announcements that were heard in full, as the twins' attributes say."""
        self.names: list[str] = []
        """What they are called."""
        from livekit import rtc

        self._room: Any = rtc.Room()
        self._room.on("participant_connected", self._came)
        self._room.on("participant_disconnected", self._left)
        self._room.on("track_subscribed", self._sounds)
        self._room.on("participant_attributes_changed", self._told)

    async def join(self, server: LiveKitServer, *, dispatch: str = "") -> None:
        token = server.token(self.identity, self.name, dispatch=dispatch)
        await self._room.connect(server.url, token)
        for participant in self._room.remote_participants.values():
            self._came(participant)

    async def leave(self) -> None:
        async with asyncio.timeout(LEAVE_S):
            await self._room.disconnect()

    def _came(self, participant: Any) -> None:
        if participant.identity == "twin" and participant.sid not in {sid for sid, _ in self.twins}:
            self.twins.append((participant.sid, time.monotonic()))
            self.names.append(participant.name)
            self.here += 1
            self.most = max(self.most, self.here)

    def _left(self, participant: Any) -> None:
        if participant.identity == "twin":
            self.here -= 1

    def _sounds(self, track: Any, publication: Any, participant: Any) -> None:
        # Somebody whose own connection breaks gets all sound anew.
        if participant.identity == "twin" and participant.sid not in {sid for sid, _ in self.heard}:
            self.heard.append((participant.sid, time.monotonic()))

    def _told(self, changed: dict[str, str], participant: Any) -> None:
        if participant.identity == "twin" and "ai.twin.disclosed_at" in changed:
            self.disclosed += 1


async def until(met: Callable[[], bool], limit_s: float) -> None:
    """Wait for something that anything may bring about; looks every 10 ms."""
    async with asyncio.timeout(limit_s):
        while not met():  # noqa: ASYNC110  nothing announces it
            await asyncio.sleep(0.01)
