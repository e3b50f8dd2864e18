"""What a worker tells of itself by HTTP: whether it lives, whether it takes rooms, and its numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse

from agent.serve import listen

CLOSE_S = 2


def application(why_not: Callable[[], str], numbers: Callable[[], dict[str, tuple[str, float]]]) -> FastAPI:
    """`why_not`: why no room is taken now, or empty. `numbers`: name to kind and value."""
    app = FastAPI(title="AI twin worker", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> str:
        """The process lives."""
        return "ok"

    @app.get("/readyz")
    async def readyz() -> Response:
        """Rooms are taken; otherwise 503 and why."""
        why = why_not()
        return PlainTextResponse(why or "ok", status_code=503 if why else 200)

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> str:
        """Prometheus's text format. No personal data."""
        return "".join(f"# TYPE {name} {kind}\n{name} {value:g}\n" for name, (kind, value) in numbers().items())

    return app


class Pages(uvicorn.Server):
    """Serves on an address that is taken at once, and leaves signals to the worker."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        """Raises `SettingsError` when the address is taken."""
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=CLOSE_S,
            )
        )
        self._listener = listen(host, port)
        self.port = int(self._listener.getsockname()[1])

    async def run_until_cancelled(self) -> None:
        with self._listener:
            await self.serve(sockets=[self._listener])

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[Any]:
        yield
