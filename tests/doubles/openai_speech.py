"""A stand-in for an OpenAI-compatible speech server: `POST /v1/audio/transcriptions` on loopback.

python -m tests.doubles.openai_speech --port 8766 --text "what is the capital" --delay-ms 80
"""

from __future__ import annotations

import argparse
import asyncio
import io
import socket
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass(frozen=True)
class Asked:
    """One request, as it arrived."""

    authorization: str
    fields: dict[str, str]
    rate_hz: int
    pcm: bytes = field(repr=False)
    """int16 mono."""

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / self.rate_hz


@dataclass
class Script:
    """How the server behaves; may be changed while it runs."""

    says: Sequence[str] | Callable[[Asked], str] = ("hello",)
    """Texts by request (the last one repeats), or a function of the request."""
    delay_ms: float = 0.0
    status: int = 200
    body: str | None = None
    """Sent instead of the JSON."""
    hangs: bool = False


class OpenAISpeechServer:
    """`async with OpenAISpeechServer(Script(says=["hi"])) as server: ... server.url`."""

    def __init__(self, script: Script | None = None, *, port: int = 0) -> None:
        self.script = script or Script()
        self.asked: list[Asked] = []
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        application = Starlette(routes=[Route("/v1/audio/transcriptions", self._transcribe, methods=["POST"])])
        self._server = uvicorn.Server(
            uvicorn.Config(application, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1)
        )
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._socket.listen()
        serve = self._server.serve(sockets=[self._socket])
        self._serving = asyncio.create_task(serve, name="openai speech double")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        assert self._serving is not None
        await asyncio.wait({self._serving}, timeout=5)
        self._socket.close()

    @property
    def url(self) -> str:
        """The base address, as the engine's `base_url`."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    async def _transcribe(self, request: Request) -> Response:
        async with request.form() as form:
            upload = form["file"]
            assert isinstance(upload, UploadFile)
            with wave.open(io.BytesIO(await upload.read())) as file:
                pcm, rate_hz = file.readframes(file.getnframes()), file.getframerate()
            fields = {key: value for key, value in form.items() if isinstance(value, str)}
        asked = Asked(request.headers.get("authorization", ""), fields, rate_hz, pcm)
        self.asked.append(asked)
        says = self.script.says
        text = says(asked) if callable(says) else says[min(len(self.asked), len(says)) - 1]
        if self.script.hangs:
            await asyncio.sleep(3600)
        await asyncio.sleep(self.script.delay_ms / 1000)
        if self.script.body is not None or self.script.status != 200:
            return Response(self.script.body or "", self.script.status)
        return JSONResponse({"text": text})


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8766)
    parser.add_argument("--text", action="append", help="a turn's text; may be given several times")
    parser.add_argument("--delay-ms", type=float, default=0.0)
    given = parser.parse_args()
    script = Script(says=given.text or ("hello",), delay_ms=given.delay_ms)
    async with OpenAISpeechServer(script, port=given.port) as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
