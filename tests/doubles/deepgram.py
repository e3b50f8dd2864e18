"""A stand-in for Deepgram's live transcription: the documented JSON over a real websocket on loopback.

It does not recognise: it measures loudness, and says the next of its texts word by word while sound arrives,
the whole of it at `Finalize` or after a silence. It can be late, die or hang on demand.

    python -m tests.doubles.deepgram --port 8765 --text "what is the capital" --delay-ms 80
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self
from urllib.parse import parse_qs, urlsplit

import numpy as np
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

WORD_MS = 250.0
"""How much speech it takes to "recognise" one word."""
LOUD_RMS = 200.0


@dataclass
class Listener:
    """One connection, and what it received: tests look here."""

    number: int
    query: dict[str, str]
    authorization: str
    audio_bytes: int = 0
    controls: list[str] = field(default_factory=list)
    """Types of the JSON messages received, in order."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)


Says = Sequence[str] | Callable[[Listener, int], str]


@dataclass
class Script:
    """How the server behaves; may be changed while it runs."""

    says: Says = ("hello",)
    """Texts by utterance (the last one repeats), or a function of listener and utterance number."""
    delay_ms: float = 0.0
    """Before every answer."""
    endpointing_ms: float = 0.0
    """A silence this long ends an utterance without `Finalize`; 0: never."""
    answers_finalize: bool = True
    """False: it ignores `Finalize`, as the real one may when it has nothing buffered."""
    refuses: bool = False
    """Answers the handshake with 401."""
    dies_after_ms: float | None = None
    """Drops the connection after so much audio."""
    hangs_after_ms: float | None = None
    """Says nothing more after so much audio, but keeps the connection."""


class Deepgram:
    """`async with Deepgram(Script(says=["hi"])) as deepgram: ... deepgram.url`."""

    def __init__(self, script: Script | None = None, *, port: int = 0) -> None:
        self.script = script or Script()
        self.listeners: list[Listener] = []
        self._port = port
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(self._listen, "127.0.0.1", self._port, process_request=self._admit)
        self._port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        """The base address, as the engine's `base_url`."""
        return f"ws://127.0.0.1:{self._port}"

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.script.refuses:
            return connection.respond(HTTPStatus.UNAUTHORIZED, "INVALID_AUTH\n")
        if urlsplit(request.path).path != "/v1/listen":
            return connection.respond(HTTPStatus.NOT_FOUND, "no such path\n")
        return None

    async def _listen(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        listener = Listener(
            number=len(self.listeners),
            query={key: values[0] for key, values in parse_qs(urlsplit(connection.request.path).query).items()},
            authorization=connection.request.headers.get("Authorization", ""),
        )
        self.listeners.append(listener)
        try:
            await _Session(connection, listener, self.script).run()
        except ConnectionClosed:
            pass
        finally:
            listener.closed.set()


class _Session:
    def __init__(self, connection: ServerConnection, listener: Listener, script: Script) -> None:
        self._connection = connection
        self._listener = listener
        self._script = script
        self._rate_hz = int(listener.query.get("sample_rate", "16000"))
        self._utterance = 0
        self._start_s = 0.0  # of the current segment
        self._speech_ms = 0.0
        self._silence_ms = 0.0
        self._said_words = 0

    @property
    def _now_s(self) -> float:
        return self._listener.audio_bytes / (2 * self._rate_hz)

    @property
    def _hangs(self) -> bool:
        limit_ms = self._script.hangs_after_ms
        return limit_ms is not None and self._now_s * 1000 >= limit_ms

    async def run(self) -> None:
        async for message in self._connection:
            if isinstance(message, bytes):
                await self._hear(message)
            elif await self._obey(json.loads(message)["type"]):
                return
            dies_after_ms = self._script.dies_after_ms
            if dies_after_ms is not None and self._now_s * 1000 >= dies_after_ms:
                self._connection.transport.abort()
                return

    async def _obey(self, command: str) -> bool:
        self._listener.controls.append(command)
        if self._hangs:
            return False
        if command == "Finalize" and self._script.answers_finalize:
            await self._say_final(from_finalize=True)
        if command == "CloseStream":
            await self._say_final(from_finalize=False)
            await self._send({"type": "Metadata", "duration": self._now_s, "channels": 1})
            return True
        return False

    async def _hear(self, pcm: bytes) -> None:
        self._listener.audio_bytes += len(pcm)
        chunk_ms = len(pcm) / 2 / self._rate_hz * 1000
        samples = np.frombuffer(pcm, np.int16).astype(np.float64)
        if len(samples) and np.sqrt(np.mean(samples**2)) > LOUD_RMS:
            self._speech_ms += chunk_ms
            self._silence_ms = 0.0
        else:
            self._silence_ms += chunk_ms
        if self._hangs or not self._speech_ms:
            return
        if 0 < self._script.endpointing_ms <= self._silence_ms:
            await self._say_final(from_finalize=False, speech_final=True)
            return
        words = self._text().split()
        heard = min(len(words), int(self._speech_ms // WORD_MS))
        if heard > self._said_words and self._listener.query.get("interim_results") == "true":
            self._said_words = heard
            await self._result(" ".join(words[:heard]), is_final=False)

    def _text(self) -> str:
        says = self._script.says
        if callable(says):
            return says(self._listener, self._utterance)
        return says[min(self._utterance, len(says) - 1)]

    async def _say_final(self, *, from_finalize: bool, speech_final: bool = False) -> None:
        text = self._text() if self._speech_ms else ""
        await self._result(text, is_final=True, from_finalize=from_finalize, speech_final=speech_final)
        self._utterance += bool(text)
        self._start_s = self._now_s
        self._speech_ms = self._silence_ms = 0.0
        self._said_words = 0

    async def _result(self, text: str, *, is_final: bool, **flags: bool) -> None:
        await self._send(
            {
                "type": "Results",
                "channel_index": [0, 1],
                "start": self._start_s,
                "duration": self._now_s - self._start_s,
                "is_final": is_final,
                "speech_final": flags.get("speech_final", False),
                "from_finalize": flags.get("from_finalize", False),
                "channel": {"alternatives": [{"transcript": text, "confidence": 0.99, "words": []}]},
                "metadata": {"request_id": f"double-{self._listener.number}"},
            }
        )

    async def _send(self, message: dict[str, object]) -> None:
        if self._script.delay_ms:
            await asyncio.sleep(self._script.delay_ms / 1000)
        await self._connection.send(json.dumps(message))


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--text", action="append", help="an utterance; may be given several times")
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--endpointing-ms", type=float, default=0.0)
    given = parser.parse_args()
    script = Script(says=given.text or ("hello",), delay_ms=given.delay_ms, endpointing_ms=given.endpointing_ms)
    async with Deepgram(script, port=given.port) as deepgram:
        print(deepgram.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
