"""A stand-in for an OpenAI-compatible voice (`POST /v1/audio/speech`) and Piper's HTTP server (`POST /`).

Every written word sounds as a tone of `word_ms` with a short gap after it, so that tests know the true times.

    python -m tests.doubles.openai_voice --port 8767 --delay-ms 80
"""

from __future__ import annotations

import argparse
import asyncio
import io
import socket
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

_PIECE_BYTES = 4801  # odd: real sockets cut anywhere


@dataclass(frozen=True)
class Asked:
    """One request, as it arrived."""

    path: str
    authorization: str
    body: dict[str, Any]


@dataclass
class Script:
    """How the server behaves; may be changed while it runs."""

    delay_ms: float = 0.0
    """Before the first byte."""
    status: int = 200
    content_type: str = "audio/pcm"
    body: bytes | None = None
    """Sent instead of audio."""
    wav: bool = False
    dies_after_bytes: int | None = None
    hangs_after_bytes: int | None = None
    word_ms: int = 250
    gap_ms: int = 20
    rate_hz: int = 24000


def tones(words: int, *, rate_hz: int, word_ms: int = 250, gap_ms: int = 20) -> bytes:
    """int16 mono: a tone and a gap for each word."""
    n = rate_hz * word_ms // 1000
    tone = (6000 * np.sin(2 * np.pi * 300 * np.arange(n) / rate_hz)).astype(np.int16).tobytes()
    return (tone + bytes(2 * (rate_hz * gap_ms // 1000))) * words


def wav(pcm: bytes, rate_hz: int) -> bytes:
    """The same as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(pcm)
    return file.getvalue()


class OpenAIVoiceServer:
    """`async with OpenAIVoiceServer(Script(delay_ms=50)) as server: ... server.url`."""

    def __init__(self, script: Script | None = None, *, port: int = 0) -> None:
        self.script = script or Script()
        self.asked: list[Asked] = []
        self.sent_bytes = 0
        self.left = asyncio.Event()
        """Set when a client went away in the middle."""
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        routes = [Route(path, self._speak, methods=["POST"]) for path in ("/v1/audio/speech", "/")]
        self._server = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=routes), log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1
            )
        )
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._socket.listen()
        serve = self._server.serve(sockets=[self._socket])
        self._serving = asyncio.create_task(serve, name="openai voice double")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        assert self._serving is not None
        await asyncio.wait({self._serving}, timeout=5)
        self._socket.close()

    @property
    def root(self) -> str:
        """The address without a path."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def url(self) -> str:
        """The base address, as the engine's `base_url`."""
        return f"{self.root}/v1"

    async def _speak(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(Asked(request.url.path, request.headers.get("authorization", ""), body))
        script = self.script
        await asyncio.sleep(script.delay_ms / 1000)
        if script.body is not None or script.status != 200:
            return Response(script.body or b"", script.status, media_type=script.content_type)
        text = body.get("input") or body.get("text")
        audio = tones(len(text.split()), rate_hz=script.rate_hz, word_ms=script.word_ms, gap_ms=script.gap_ms)
        data = wav(audio, script.rate_hz) if script.wav else audio
        return StreamingResponse(self._stream(data), media_type=script.content_type)

    async def _stream(self, data: bytes) -> AsyncIterator[bytes]:
        script = self.script
        whole = False
        try:
            for start in range(0, len(data), _PIECE_BYTES):
                if script.dies_after_bytes is not None and start >= script.dies_after_bytes:
                    raise ConnectionResetError
                if script.hangs_after_bytes is not None and start >= script.hangs_after_bytes:
                    await asyncio.sleep(3600)
                self.sent_bytes += _PIECE_BYTES
                yield data[start : start + _PIECE_BYTES]
                await asyncio.sleep(0)
            whole = True
        finally:
            if not whole:
                self.left.set()


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8767)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    given = parser.parse_args()
    async with OpenAIVoiceServer(Script(delay_ms=given.delay_ms), port=given.port) as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
