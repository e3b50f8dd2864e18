"""A stand-in for ElevenLabs' multi-context websocket: its documented JSON over a real socket on loopback.

Each word of the text is a tone of `word_ms` and a gap; the alignment tells each character's time, per message,
from that message's first sample, as the real one does.
"""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.doubles.openai_voice import tones


@dataclass
class Script:
    """How the server behaves; may be changed while it runs."""

    refuses: bool = False
    """Answers the handshake with 401."""
    aligned: bool = True
    word_ms: int = 250
    gap_ms: int = 20
    lead_ms: int = 100
    """Silence before the first word; part of its alignment."""
    dies_after_words: int | None = None
    hangs_after_words: int | None = None
    pause_s: float = 0.0
    """Between two words."""


@dataclass
class Connection:
    """One client, and what it sent."""

    path: str
    query: dict[str, str]
    key: str
    messages: list[dict[str, Any]] = field(default_factory=list)


class ElevenLabsServer:
    """`async with ElevenLabsServer() as server: ... server.url`."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script()
        self.connections: list[Connection] = []
        self.words_sent = 0
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(self._serve, "127.0.0.1", 0, process_request=self._admit)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close(close_connections=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        return connection.respond(HTTPStatus.UNAUTHORIZED, "") if self.script.refuses else None

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        parts = urlsplit(socket.request.path)
        client = Connection(
            parts.path,
            {key: values[0] for key, values in parse_qs(parts.query).items()},
            socket.request.headers.get("xi-api-key", ""),
        )
        self.connections.append(client)
        texts: dict[str, str] = {}
        speaking: dict[str, asyncio.Task[None]] = {}
        rate_hz = int(client.query["output_format"].removeprefix("pcm_"))
        try:
            async for raw in socket:
                message = json.loads(raw)
                client.messages.append(message)
                if message.get("close_socket"):
                    await socket.close()
                    break
                context = message.get("context_id", "")
                texts[context] = texts.get(context, "") + message.get("text", "")
                if message.get("flush") and texts[context].strip():
                    text, texts[context] = texts[context].strip(), ""
                    speaking[context] = asyncio.create_task(self._speak(socket, context, text, rate_hz))
                if message.get("close_context") and (task := speaking.pop(context, None)):
                    # The real one ends what it has begun, then says that it is final.
                    speaking[f"{context} final"] = asyncio.create_task(_final(task, socket, context))
        except ConnectionClosed:
            pass
        finally:
            for task in speaking.values():
                task.cancel()

    async def _speak(self, socket: ServerConnection, context: str, text: str, rate_hz: int) -> None:
        script = self.script
        for index, word in enumerate(text.split()):
            if script.dies_after_words == index:
                await socket.close(1011)
                return
            if script.hangs_after_words == index:
                await asyncio.sleep(3600)
            lead_ms = script.lead_ms if index == 0 else 0
            audio = bytes(2 * (rate_hz * lead_ms // 1000))
            audio += tones(1, rate_hz=rate_hz, word_ms=script.word_ms, gap_ms=script.gap_ms)
            message: dict[str, Any] = {"contextId": context, "audio": base64.b64encode(audio).decode()}
            if script.aligned:
                characters = [*word, " "]
                each = script.word_ms // len(word)
                starts = [lead_ms + each * i for i in range(len(word))] + [lead_ms + script.word_ms]
                message["alignment"] = {
                    "chars": characters,
                    "charStartTimesMs": starts,
                    "charDurationsMs": [each] * len(word) + [script.gap_ms],
                }
            try:
                await socket.send(json.dumps(message))
            except ConnectionClosed:
                return
            self.words_sent += 1
            await asyncio.sleep(script.pause_s)


async def _final(speaking: asyncio.Task[None], socket: ServerConnection, context: str) -> None:
    await asyncio.wait({speaking})
    try:
        await socket.send(json.dumps({"contextId": context, "isFinal": True}))
    except ConnectionClosed:
        return
