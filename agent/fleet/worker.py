"""`twin worker`: takes rooms that a LiveKit server offers under the twin's name, each in a process of its own.

livekit-agents has the protocol, the warm processes, their memory limit and the drain; which room is taken, and
what becomes of rooms whose worker died, is decided here.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

import psutil

from agent.fleet import entry
from agent.fleet.access import Access, library
from agent.fleet.exits import read_exits_once
from agent.fleet.keeper import Keeper
from agent.fleet.load import Burden, load, refusal, told
from agent.fleet.pages import Pages, application
from agent.fleet.wishes import Wishes
from agent.home import VARIABLE, Home
from agent.settings import Settings
from compliance.errors import EngineFailed, TwinError
from compliance.vault import Vault

logger = logging.getLogger(__name__)

PREPARE_S = 90.0
"""How long a process may take to be ready; the first one on a cold machine takes seconds."""
END_S = 45.0
"""How long a room's process may take to leave its room, to write the digest and to close its store."""
FOREVER = 1_000_000_000
"""Attempts to reach the server: it may be away for a night."""
PRELOADED = ("agent.fleet.preloaded",)
WITHOUT = {
    # Their models are LiveKit's own voice activity and turn detection; ours are others.
    "LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE": "0",
}


class Fleet:
    """One worker; see `JobHost`."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        access: Access,
        *,
        prewarm: Callable[[Any], None] = entry.prewarm,
        serve: Callable[[Any], Awaitable[None]] = entry.serve,
        preload: Sequence[str] = PRELOADED,
    ) -> None:
        """`prewarm` and `serve` are found again by their names in the processes of rooms, which are forked from
        one that has imported `preload`. Raises `EngineMissing` when livekit-agents is not installed,
        `SettingsError` when the address of its pages is taken."""
        self.counters: Counter[str] = Counter()
        """taken, refused."""
        self._home = home
        self._settings = settings
        self._worker = settings.worker
        self._access = access
        os.environ.update(WITHOUT)
        os.environ[VARIABLE] = str(home.path)
        agents = library("livekit.agents", extra="worker")
        # It logs rooms' names, and its metrics' names are not ours.
        logging.getLogger("livekit").setLevel(logging.ERROR)
        self._coming = 0
        self._cpu = 0.0
        self._registered = False
        self._draining = False
        self._asked = asyncio.Event()
        self._keeper: Keeper | None = None
        self._server = self._made(agents, prewarm, serve, preload)
        self.pages = Pages(application(self.why_not, self.numbers), self._worker.host, self._worker.port)

    @property
    def rooms(self) -> tuple[str, ...]:
        return tuple(job.job.room.name for job in self._jobs())

    async def run(self) -> None:
        """Raises `TwinError` when it cannot start."""
        async with AsyncExitStack() as stack:
            vault = await stack.enter_async_context(Vault(self._home.path, self._settings.store))
            wishes = await stack.enter_async_context(Wishes(self._access, self._worker.agent_name))
            self._keeper = Keeper(
                vault,
                wishes,
                self._worker.agent_name,
                attempts=self._worker.attempts,
                jobs=lambda: [(job.job.id, job.job.room.name) for job in self._jobs()],
            )
            serving = asyncio.create_task(self._server.run(), name="rooms' worker")
            others = [
                asyncio.create_task(self._keeper.run(), name="keep rooms served"),
                asyncio.create_task(self.pages.run_until_cancelled(), name="worker's pages"),
                asyncio.create_task(self._measure(), name="measure the machine"),
            ]
            asked = asyncio.create_task(self._asked.wait(), name="asked to drain")
            try:
                await asyncio.wait({serving, asked, *others}, return_when=asyncio.FIRST_COMPLETED)
                for ended in (serving, *others):
                    if ended.done():
                        await _result(ended)
                        raise EngineFailed(f"the worker ended: {ended.get_name()}")
                await self._finish()
                await _result(serving)
                with suppress(TwinError):  # the store or the server is away: others miss our beats instead
                    await self._keeper.leave()
            finally:
                self.pages.should_exit = True
                for task in (serving, asked, *others):
                    task.cancel()
                await asyncio.wait({serving, asked, *others}, timeout=END_S)

    async def drain(self) -> None:
        self._draining = True
        self._asked.set()

    def why_not(self) -> str:
        """Why no room is taken now, or empty."""
        if not self._registered:
            return "starting"
        if self._keeper is not None and not self._keeper.reachable:
            return "the store or the LiveKit server does not answer"
        return refusal(self._burden(), self._worker)

    def numbers(self) -> dict[str, tuple[str, float]]:
        """For /metrics."""
        burden = self._burden()
        kept = self._keeper.counters if self._keeper is not None else Counter()
        return {
            "twin_rooms_live": ("gauge", burden.rooms),
            "twin_rooms_total": ("counter", self.counters["taken"]),
            "twin_rooms_refused_total": ("counter", self.counters["refused"]),
            "twin_rooms_served_anew_total": ("counter", kept["served_anew"]),
            "twin_rooms_given_up_total": ("counter", kept["given_up"]),
            "twin_worker_rooms_max": ("gauge", self._worker.max_rooms),
            "twin_worker_load": ("gauge", load(burden, self._worker)),
            "twin_worker_ready": ("gauge", 0 if self.why_not() else 1),
            "twin_worker_draining": ("gauge", int(burden.draining)),
        }

    def _made(
        self,
        agents: Any,
        prewarm: Callable[[Any], None],
        serve: Callable[[Any], Awaitable[None]],
        preload: Sequence[str],
    ) -> Any:
        server = agents.AgentServer(
            setup_fnc=prewarm,
            load_fnc=self._load,
            # Ours decides: theirs refuses the third of three rooms that come at once when two processes wait.
            load_threshold=float("inf"),
            num_idle_processes=self._worker.idle,
            initialize_process_timeout=PREPARE_S,
            shutdown_process_timeout=END_S,
            job_memory_warn_mb=0,
            job_memory_limit_mb=self._worker.memory_limit_mb,
            drain_timeout=self._worker.drain_s,
            max_retry=FOREVER,
            ws_url=self._access.url,
            api_key=self._access.key,
            api_secret=self._access.secret,
            host="127.0.0.1",
            port=0,
            preload_modules=list(preload),
            log_level="ERROR",
        )
        read_exits_once(server)
        server.rtc_session(serve, agent_name=self._worker.agent_name, on_request=self._offered)
        server.on("worker_registered", self._on_registered)
        return server

    def _jobs(self) -> list[Any]:
        return list(self._server.active_jobs) if self._registered else []

    def _load(self) -> float:
        return told(load(self._burden(), self._worker))

    def _burden(self) -> Burden:
        free_mb = psutil.virtual_memory().available / 2**20
        return Burden(len(self._jobs()), self._coming, free_mb, self._cpu, self._draining)

    async def _measure(self) -> None:
        psutil.cpu_percent()
        while True:
            await asyncio.sleep(2.0)
            self._cpu = psutil.cpu_percent() / 100

    async def _offered(self, request: Any) -> None:
        """A room is offered; taking it waits until its process has begun with it."""
        why = refusal(self._burden(), self._worker)
        if why:
            self.counters["refused"] += 1
            logger.info("a room was left to others", extra={"why": why})
            await request.reject(terminate=False)
            return
        self._coming += 1
        try:
            # Nobody enters by this identity: the ticket is made where the room is served.
            await request.accept(identity=f"{self._worker.agent_name}-{request.id}")
            self.counters["taken"] += 1
            if self._keeper is not None:
                self._keeper.took(request.id, request.room.name)
        finally:
            self._coming -= 1

    def _on_registered(self, name: str, _: Any) -> None:
        self._registered = True
        if self._keeper is not None:
            self._keeper.names.add(name)
        logger.info("rooms are taken")

    async def _finish(self) -> None:
        """Let the rooms come to their end, within the limit; then end them."""
        logger.info("no further rooms are taken", extra={"rooms": len(self.rooms)})
        with suppress(TimeoutError):
            await self._server.drain(timeout=self._worker.drain_s or 1)
        async with asyncio.timeout(4 * END_S):
            await self._server.aclose()


async def _result(serving: asyncio.Task[None]) -> None:
    try:
        await serving
    except TwinError:
        raise
    except Exception as error:  # noqa: BLE001  whatever the library found, people get one line
        raise EngineFailed(f"the worker ended: {error}") from None


def without_rooms(record: logging.LogRecord) -> bool:
    """livekit-agents adds the room's name to every line of a room's process; people name rooms after people."""
    for name in ("room", "room_id", "agent_name"):
        record.__dict__.pop(name, None)
    return True


async def work(home: Home, settings: Settings, access: Access) -> None:
    """Serve rooms until SIGINT or SIGTERM, and then until the last is over. Raises `TwinError`: one line."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(without_rooms)
    # Read here as well, so that a broken home is one line and not one for each process.
    home.persona()
    fleet = Fleet(home, settings, access)
    loop = asyncio.get_running_loop()
    asked: set[asyncio.Task[None]] = set()

    def on_signal() -> None:
        if asked:
            os._exit(1)
        asked.add(asyncio.create_task(fleet.drain(), name="drain"))

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        await fleet.run()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
