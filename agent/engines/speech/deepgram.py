"""Deepgram's live transcription, or a server that speaks its protocol, over one websocket per person.

The caller's own rate goes over the wire, without resampling. `offset` sends `Finalize`, so that the text of a
turn is there when its end is decided; a connection that dies is not reopened here, for only the caller knows
whether the person still speaks.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from agent.engines.base import Card, EngineConfig, Hypothesis, Speech
from agent.engines.speech.latest import Latest
from compliance.errors import EngineError, EngineFailed, EngineMissing

logger = logging.getLogger(__name__)

CARD = Card(
    kind="speech",
    name="deepgram",
    about="Deepgram's streaming recognition (nova-3), in the cloud or self-hosted",
    factory="agent.engines.speech.deepgram:create",
    keys=("DEEPGRAM_API_KEY",),
    modules=("websockets",),
    falls_back_to="pocketsphinx",
)

OPEN_TIMEOUT_S = 5.0
SEND_TIMEOUT_S = 5.0
FINALIZE_TIMEOUT_S = 1.0
"""Deepgram may leave a `Finalize` unanswered when it has next to nothing buffered."""
KEEP_ALIVE_S = 4.0
"""It closes a connection that is silent for 10 s; a muted person sends nothing."""
MAX_BACKLOG_S = 5.0
"""Audio that waits to be sent; beyond it the oldest is dropped, for late words answer nobody."""
LATE_S = 0.05


def create(config: EngineConfig) -> Speech:
    """The engine; `options` become query parameters (`keyterm`, `smart_format`, ...)."""
    return DeepgramSpeech(config)


def address(config: EngineConfig, *, rate_hz: int, language: str) -> str:
    """The websocket address with its query."""
    base = urlsplit(config.base_url or "wss://api.deepgram.com")
    scheme = {"http": "ws", "https": "wss"}.get(base.scheme, base.scheme)
    path = base.path.rstrip("/")
    query = {
        "model": config.model or "nova-3",
        "language": language or config.language,
        "encoding": "linear16",
        "sample_rate": rate_hz,
        "channels": 1,
        "interim_results": "true",
        "punctuate": "true",
        "endpointing": 300,
        **config.options,
    }
    return urlunsplit((scheme, base.netloc, path if path.endswith("/listen") else f"{path}/v1/listen",
                       urlencode(query), ""))  # fmt: skip


class DeepgramSpeech:
    """The engine: nothing to load, one connection per person."""

    name = "deepgram"

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._key = config.secrets.get("DEEPGRAM_API_KEY", "")
        self._hearings: set[DeepgramHearing] = set()

    async def start(self) -> None:
        if not self._key:
            raise EngineMissing("deepgram needs a key: set DEEPGRAM_API_KEY in the environment or in .env")

    async def open(self, *, rate_hz: int, language: str) -> DeepgramHearing:
        url = address(self._config, rate_hz=rate_hz, language=language)
        headers = {"Authorization": f"Token {self._key}"}
        try:
            connection = await connect(
                url, additional_headers=headers, open_timeout=OPEN_TIMEOUT_S, close_timeout=1.0, max_size=2**20
            )
        except InvalidStatus as error:
            status = error.response.status_code
            hint = "check DEEPGRAM_API_KEY" if status in (401, 403) else "check model, language and options"
            raise EngineFailed(f"deepgram refused the connection with status {status}: {hint}") from None
        except (OSError, TimeoutError, WebSocketException) as error:
            raise EngineFailed(f"deepgram cannot be reached ({type(error).__name__})") from None
        hearing = DeepgramHearing(connection, rate_hz)
        self._hearings.add(hearing)
        hearing.on_close = self._hearings.discard
        return hearing

    async def close(self) -> None:
        await asyncio.gather(*(hearing.close() for hearing in list(self._hearings)))


class Transcript:
    """What Deepgram said since the last turn. Pure: results in, text out; positions are seconds of audio."""

    def __init__(self) -> None:
        self._finals: list[str] = []
        self._interim = ""
        self._begins_s = 0.0

    def add(self, result: dict[str, Any]) -> bool:
        """Take a `Results` message; False when it belongs to a turn that is over."""
        if result["start"] + result["duration"] <= self._begins_s + LATE_S and self._begins_s:
            return False
        text = result["channel"]["alternatives"][0]["transcript"].strip()
        if result["is_final"]:
            self._interim = ""
            if text:
                self._finals.append(text)
        else:
            self._interim = text
        return True

    @property
    def hypothesis(self) -> Hypothesis:
        """Finals are stable, an interim is not."""
        stable = " ".join(self._finals)
        return Hypothesis(f"{stable} {self._interim}".strip(), len(stable.split()))

    def take(self, ends_s: float) -> str:
        """The text of the turn that ends at `ends_s`; a new one begins there."""
        text = self.hypothesis.text
        self._finals.clear()
        self._interim = ""
        self._begins_s = ends_s
        return text


class DeepgramHearing:
    """One person on one connection."""

    def __init__(self, connection: ClientConnection, rate_hz: int) -> None:
        self.on_close: Any = None
        self._connection = connection
        self._bytes_per_s = 2 * rate_hz
        self._outbox: deque[bytes | str] = deque()
        self._outbox_bytes = 0
        self._fed_bytes = 0
        self._waiting = asyncio.Event()
        self._transcript = Transcript()
        self._latest = Latest()
        self._finalized = asyncio.Event()
        self._ends_s = 0.0  # where the last `Finalize` was put
        self._open_turn = True  # something may have been said since that `Finalize`
        self._tasks = [
            asyncio.create_task(self._send(), name="deepgram send"),
            asyncio.create_task(self._receive(), name="deepgram receive"),
        ]

    def feed(self, pcm: bytes) -> None:
        if self._latest.failure is not None:
            return
        self._outbox.append(pcm)
        self._outbox_bytes += len(pcm)
        self._fed_bytes += len(pcm)
        while self._outbox_bytes > MAX_BACKLOG_S * self._bytes_per_s:
            self._drop_oldest()
        self._waiting.set()

    def _drop_oldest(self) -> None:
        for index, item in enumerate(self._outbox):
            if isinstance(item, bytes):
                del self._outbox[index]
                self._outbox_bytes -= len(item)
                self._fed_bytes -= len(item)  # positions count what the server gets
                return

    def onset(self) -> None:
        self._open_turn = True

    def offset(self) -> None:
        self._finalize()

    def _finalize(self) -> None:
        self._finalized.clear()
        self._open_turn = False
        self._ends_s = self._fed_bytes / self._bytes_per_s
        self._outbox.append(json.dumps({"type": "Finalize"}))
        self._waiting.set()

    async def finish(self) -> str:
        if self._open_turn:
            self._finalize()
        try:
            async with asyncio.timeout(FINALIZE_TIMEOUT_S):
                await self._finalized.wait()
        except TimeoutError:
            logger.warning("deepgram left a finalize unanswered")
        self._latest.check()
        self._open_turn = True
        return self._transcript.take(self._ends_s)

    def hypotheses(self) -> AsyncIterator[Hypothesis]:
        return self._latest.read()

    async def close(self) -> None:
        self._latest.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=0.5)
        try:
            async with asyncio.timeout(1.0):
                await self._connection.send(json.dumps({"type": "CloseStream"}))
                await self._connection.close()
        except (TimeoutError, ConnectionClosed):
            self._connection.transport.abort()
        if self.on_close is not None:
            self.on_close(self)

    async def _send(self) -> None:
        try:
            while True:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        await self._waiting.wait()
                except TimeoutError:
                    self._outbox.append(json.dumps({"type": "KeepAlive"}))
                self._waiting.clear()
                while self._outbox:
                    async with asyncio.timeout(SEND_TIMEOUT_S):
                        await self._connection.send(self._next())
        except (ConnectionClosed, TimeoutError) as error:
            self._fail(EngineFailed(f"deepgram's connection broke ({type(error).__name__})"))

    def _next(self) -> bytes | str:
        item = self._outbox.popleft()
        if isinstance(item, bytes):
            self._outbox_bytes -= len(item)
        return item

    async def _receive(self) -> None:
        try:
            async for message in self._connection:
                self._take(json.loads(message))
            self._fail(EngineFailed("deepgram closed the connection"))
        except ConnectionClosed as error:
            self._fail(EngineFailed(f"deepgram's connection broke ({type(error).__name__})"))
        except (ValueError, KeyError, IndexError, TypeError) as error:
            self._fail(EngineFailed(f"deepgram sent what its protocol does not have ({type(error).__name__})"))

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("type") != "Results":
            return
        if self._transcript.add(message):
            self._latest.put(self._transcript.hypothesis)
        # The answer to an earlier `Finalize`, sent at a pause, must not end the turn.
        if message.get("from_finalize") and message["start"] + message["duration"] >= self._ends_s - 2 * LATE_S:
            self._finalized.set()

    def _fail(self, failure: EngineError) -> None:
        self._latest.fail(failure)
        self._finalized.set()  # nobody waits for a dead connection
