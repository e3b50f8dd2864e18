"""The browser channel alone, on a real server and an ephemeral port."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from channels.call import Host
from channels.web.routes import no_still, router
from channels.web.settings import WebSettings
from tests.doubles.host import TestHost

DISCLOSURE_MS = 300
STATUS: Mapping[str, object] = {"name": "Ada Example", "models": [], "notices": [], "engines": {}}
START_LIMIT_S = 10.0


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@asynccontextmanager
async def serving(
    host: Host,
    settings: WebSettings | None = None,
    *,
    status: Callable[[], Mapping[str, object]] = lambda: STATUS,
    still: Callable[[], Awaitable[bytes | None]] = no_still,
    port: int = 0,
) -> AsyncIterator[str]:
    """Serve until the block is left; gives the base URL."""
    app = FastAPI()
    app.include_router(router(host, settings or WebSettings(), status=status, still=still))
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=5)
    server = _Server(config)
    task = asyncio.create_task(server.serve(), name="web-server")
    try:
        async with asyncio.timeout(START_LIMIT_S):
            await server.up.wait()
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def _forever() -> None:
    async with serving(TestHost(disclosure_ms=DISCLOSURE_MS), port=int(sys.argv[1])) as url:
        print(url, flush=True)
        await asyncio.Event().wait()


@asynccontextmanager
async def served_apart(port: int = 0) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """The same in a process of its own that a test can kill; gives the base URL and the process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.doubles.webserver",
        str(port),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        yield (await asyncio.wait_for(process.stdout.readline(), START_LIMIT_S * 3)).decode().strip(), process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(_forever())
