"""Our own voice server in the test's event loop, on a real socket, with the sine voice as its model."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx
import uvicorn

from persona.voice.server import app
from persona.voice.server.engine import Setup, SpeechModel
from persona.voice.server.worker import Limits, Worker
from tests.doubles.sine_voice import SineVoice

TOKEN = "a-token"


class VoiceServer:
    """`async with VoiceServer() as server: await server.client.post("/v1/audio/speech", json=...)`."""

    def __init__(
        self,
        *,
        model: SpeechModel | None = None,
        limits: Limits | None = None,
        at_once: int = 2,
        token: str = TOKEN,
    ) -> None:
        self.broken: list[str] = []
        model = model or SineVoice(Setup(Path(), threads=at_once))
        self.worker = Worker(model, limits=limits or Limits(), broken=self.broken.append)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        application = app.build(self.worker, model="sine", token=token)
        self._server = uvicorn.Server(
            uvicorn.Config(application, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1)
        )
        self.port: int = self._socket.getsockname()[1]
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", headers={"Authorization": f"Bearer {token}"}, timeout=20
        )

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="voice server")
        self.worker.start()
        await until(lambda: self.worker.state in ("ready", "failed"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()
        await asyncio.to_thread(self.worker.close)
        self._server.should_exit = True
        await asyncio.wait({self._serving}, timeout=5)
        self._socket.close()

    def say(self, text: str, **more: Any) -> Any:
        """The stream of one sentence, as an async context manager."""
        return self.client.stream("POST", "/v1/audio/speech", **self.request(text, **more))

    def request(self, text: str, client: str = "", **more: Any) -> dict[str, Any]:
        """The arguments of the request for one sentence."""
        body = {"model": "sine", "voice": "low", "input": text, "response_format": "pcm"} | more
        return {"json": body, "headers": {"X-Twin-Client": client} if client else {}}

    async def settled(self) -> None:
        """Until the model has nothing to do."""
        await until(lambda: not self.worker.waiting and not self.worker.speaking)


async def until(holds: Callable[[], bool], *, limit_s: float = 30.0) -> None:
    """Wait for something that happens on its own."""
    for _ in range(int(limit_s / 0.005)):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen in time")
