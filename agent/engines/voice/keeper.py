"""Keeps one voice server per home: the first process starts it, the others use it, one takes over when it is gone.

A lock in the cache belongs to the process that keeps the server; beside it lies, for the owner's eyes only, where
the server listens and the token it asks for. The server ends with its keeper, also with one that is killed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import httpx

from agent.engines.voice.server_process import (
    Address,
    LastWords,
    Launch,
    announced,
    read,
    reap,
    spawn,
    try_lock,
    write,
)
from compliance.errors import EngineError, EngineFailed, EngineMissing, EngineTimeout

logger = logging.getLogger(__name__)

UNUSABLE = 69
"""The server's exit status when a new process would not help."""
STEADY_S = 60.0
"""A server that lived this long is healthy: its earlier deaths are forgotten."""
LOOK_S = 0.25
_SILENT_S = 30.0
"""Without an answer to a health check; it hangs then, for one that is only busy answers."""
Ready = Callable[[Address], Awaitable[None]]


class Keeper:
    """Knows where the server is, and sees to it that there is one."""

    def __init__(self, launch: Launch, folder: Path, *, on_ready: Ready, ready_timeout_s: float = 60.0) -> None:
        """`folder` is the home's cache; `on_ready` is awaited when a server was newly found, before it is used."""
        self._launch = launch
        self._lock_file = folder / f"voice-server-{launch.name}.lock"
        self._state_file = folder / f"voice-server-{launch.name}.json"
        self._on_ready = on_ready
        self._ready_timeout_s = ready_timeout_s
        self._address: Address | None = None
        self._up = asyncio.Event()
        self._missing: EngineMissing | None = None
        self._task: asyncio.Task[None] | None = None
        self._client: httpx.AsyncClient | None = None
        self.state = "stopped"
        """For people: starting, loading, warming, ready, restarting, failed."""
        self.deaths = 0

    @property
    def address(self) -> Address | None:
        """The server that is ready now."""
        return self._address

    async def start(self) -> None:
        """Wait until a server is ready. Raises `EngineMissing` when it cannot work here, and `EngineTimeout` when
        it takes long; it is waited for in the background then."""
        if self._task is None or self._task.done():
            self._missing = None
            self._client = httpx.AsyncClient(timeout=_SILENT_S)
            self.state = "starting"
            self._task = asyncio.create_task(self._keep(), name=f"keep voice server {self._launch.name}")
        try:
            async with asyncio.timeout(self._ready_timeout_s):
                await self._up.wait()
        except TimeoutError:
            # It goes on: a model that loads for minutes serves as soon as it is there.
            raise EngineTimeout(
                f"voice {self._launch.name}: its server is still {self.state} after {self._ready_timeout_s:g} s"
            ) from None
        if self._missing is not None:
            missing = self._missing
            await self.close()
            raise missing

    async def close(self) -> None:
        """Stop looking; a server that is ours ends within 5 s."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task}, timeout=5.0)
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
        self._gone("stopped")

    async def _keep(self) -> None:
        while self._missing is None:
            lock = try_lock(self._lock_file)  # not in a thread: a cancelled wait would lose the lock's file
            if lock is None:
                await self._use_the_others()
            else:
                try:
                    await self._keep_our_own()
                finally:
                    os.close(lock)

    async def _use_the_others(self) -> None:
        """Another process keeps the server: use it while it is there."""
        address = await asyncio.to_thread(read, self._state_file)
        with suppress(TimeoutError):
            while address is not None and await self._healthy(address):
                await self._found(address)
                await asyncio.sleep(LOOK_S)
        self._gone("restarting" if self.deaths else "starting")
        await asyncio.sleep(LOOK_S)

    async def _keep_our_own(self) -> None:
        """We keep it: start it again and again, ever more slowly."""
        loop = asyncio.get_running_loop()
        while self._missing is None:
            born_s = loop.time()
            why = await self._live()
            self.deaths = 1 if loop.time() - born_s > STEADY_S else self.deaths + 1
            if isinstance(why, EngineMissing):
                self._missing = why
                self.state = "failed"
                self._up.set()
                return
            delay_s = min(0.2 * 2 ** (self.deaths - 1), 30.0)
            logger.warning(
                "the voice server restarts",
                extra={"voice": self._launch.name, "deaths": self.deaths, "delay_s": delay_s},
            )
            await asyncio.sleep(delay_s)

    async def _live(self) -> EngineError:
        """One life of our server; returns why it ended."""
        token = secrets.token_urlsafe(32)
        try:
            process = await spawn(self._launch, token)
        except OSError as error:
            return EngineMissing(
                f"voice {self._launch.name}: {self._launch.python} cannot be run ({error.strerror})"
            )
        last_words = LastWords()
        noise = asyncio.create_task(last_words.read(process), name=f"voice server {self._launch.name} stderr")
        try:
            address = await announced(process, token)
            if address is not None:
                await asyncio.to_thread(write, self._state_file, address)
                await self._watch(process, address)
        finally:
            self._gone("restarting")
            self._state_file.unlink(missing_ok=True)
            await reap(process)
            noise.cancel()
            await asyncio.wait({noise}, timeout=1.0)
        if process.returncode == UNUSABLE:
            return EngineMissing(last_words.error or f"voice {self._launch.name}: its server cannot work here")
        return EngineFailed(f"voice {self._launch.name}: its server ended with status {process.returncode}")

    async def _watch(self, process: asyncio.subprocess.Process, address: Address) -> None:
        """Until it ends, or is silent for too long."""
        ended = asyncio.create_task(process.wait(), name=f"voice server {self._launch.name}")
        try:
            while not ended.done():
                try:
                    healthy = await self._healthy(address)
                except TimeoutError:
                    logger.error("the voice server hangs", extra={"voice": self._launch.name})
                    return
                if healthy:
                    await self._found(address)
                else:
                    self._gone(self.state)
                await asyncio.wait({ended}, timeout=LOOK_S)
        finally:
            ended.cancel()

    async def _healthy(self, address: Address) -> bool:
        assert self._client is not None
        try:
            async with asyncio.timeout(_SILENT_S):
                answer = await self._client.get(f"{address.url}/healthz")
            self.state = str(answer.json()["state"])
        except httpx.TimeoutException:
            raise TimeoutError from None
        except (httpx.HTTPError, ValueError, KeyError):
            return False
        return answer.status_code == 200

    async def _found(self, address: Address) -> None:
        if self._address == address:
            return
        try:
            await self._on_ready(address)
        except (EngineMissing, httpx.HTTPError) as error:
            if isinstance(error, EngineMissing):
                self._missing = error
                self._up.set()
            return
        logger.info("the voice server is ready", extra={"voice": self._launch.name, "pid": address.pid})
        self._address = address
        self._up.set()

    def _gone(self, state: str) -> None:
        self._address = None
        self.state = state
        if self._missing is None:
            self._up.clear()
