"""A caller without a telephone: rings, opens the media socket and plays as Twilio does, for `twin probe`."""

from __future__ import annotations

import asyncio
import json
import secrets
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from xml.etree import ElementTree

import httpx
from twilio.request_validator import RequestValidator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from channels.twilio import mulaw
from channels.twilio.settings import PHONE_RATE_HZ
from compliance.errors import BadMessage, CallRefused, ChannelError

CHUNK_BYTES = PHONE_RATE_HZ // 50
CHUNK_S = 0.02
SILENCE = b"\xff"
"""mu-law for zero."""
REQUEST_LIMIT_S = 10.0
CLOSE_LIMIT_S = 3.0
MAX_HEARD_S = 900
"""What is kept of the twin's sound; a probe is never longer."""
MAX_ANSWER_CHARS = 65_536


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece of what was played in the caller's ear."""

    position: int
    """Samples at 8 kHz since the first that was played."""
    pcm: bytes
    """int16 mono at 8 kHz."""
    at: float
    """The loop's time when its last sample was played."""


class Earpiece:
    """Twilio's playout buffer, pure: from its first byte on it plays 8,000 a second, as long as it has some."""

    def __init__(self) -> None:
        self.received_bytes = 0
        """mu-law that arrived."""
        self.cleared_bytes = 0
        """mu-law that `clear` threw away."""
        self._buffer = bytearray()
        self._marks: deque[tuple[int, str]] = deque()
        """Name of each mark, with how many bytes must have left the buffer before it is returned."""
        self._left = 0
        self._since: float | None = None
        self._ticks = 0

    def media(self, codes: bytes, now: float) -> None:
        """Queue mu-law. `play` until `now` before."""
        if self._since is None:
            self._since = now
        self.received_bytes += len(codes)
        self._buffer += codes

    def mark(self, name: str) -> None:
        self._marks.append((self._left + len(self._buffer), name))

    def clear(self) -> None:
        """Throw the buffer away; every mark that waits is due."""
        self.cleared_bytes += len(self._buffer)
        self._left += len(self._buffer)
        self._buffer.clear()

    def play(self, now: float) -> bytes:
        """The mu-law that sounds between the last time and `now`."""
        if self._since is None:
            return b""
        ticks = int((now - self._since) * PHONE_RATE_HZ + 1e-6)
        step, self._ticks = max(0, ticks - self._ticks), max(ticks, self._ticks)
        played = bytes(self._buffer[:step])
        del self._buffer[:step]
        self._left += len(played)
        return played

    def due(self) -> list[str]:
        """Marks to be returned now."""
        names = []
        while self._marks and self._marks[0][0] <= self._left:
            names.append(self._marks.popleft()[1])
        return names


class PhoneCaller:
    """One call. Use as `async with PhoneCaller("http://127.0.0.1:7860", auth_token) as caller:`."""

    def __init__(self, base_url: str, auth_token: str, *, public_url: str = "", caller: str = "+15550100") -> None:
        """`auth_token` signs as Twilio would; `public_url` is the address it would sign for."""
        self.heard: list[Heard] = []
        self.ended = asyncio.Event()
        """The socket is closed, by either side."""
        self.on_heard: Callable[[Heard], None] | None = None
        self.earpiece = Earpiece()
        self.sent_bytes = 0
        """mu-law that the microphone sent."""
        self.call_sid = "CA" + secrets.token_hex(16)
        self._base_url = base_url.rstrip("/")
        self._public_url = public_url.rstrip("/") or self._base_url
        self._auth_token = auth_token
        self._fields = {
            "CallSid": self.call_sid,
            "AccountSid": "AC" + "0" * 32,
            "From": caller,
            "To": "+15550199",
            "CallStatus": "ringing",
        }
        self._stream_sid = "MZ" + secrets.token_hex(16)
        self._sequence = 0
        self._chunk = 0
        self._played = 0
        self._waiting = bytearray()
        self._socket: ClientConnection | None = None
        self._changed = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self.dial()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def dial(self) -> None:
        """Ring, and be connected.

        Raises `CallRefused` with what the caller is told instead, `BadMessage` when the answer is no TwiML or the
        request was not believed, `ChannelError` when there is no server.
        """
        token = await self._ring()
        url = "ws" + self._base_url.removeprefix("http") + "/twilio/media"
        try:
            async with asyncio.timeout(REQUEST_LIMIT_S):
                self._socket = await connect(url, compression=None, proxy=None, close_timeout=CLOSE_LIMIT_S)
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            raise ChannelError(f"The media socket does not open: {type(error).__name__}.") from None
        await self._send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        await self._send({"event": "start", "start": self._start(token)})
        jobs = (self._listen(), "ear"), (self._play(), "earpiece"), (self._speak(), "microphone")
        self._tasks = [asyncio.create_task(job, name=f"phone-caller-{name}") for job, name in jobs]

    def say(self, pcm: bytes) -> None:
        """Queue int16 mono at 8 kHz as the next thing the microphone hears; silence follows it."""
        self._waiting += mulaw.encode(pcm)

    async def press(self, digit: str) -> None:
        await self._send({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": digit}})

    async def hang_up(self) -> None:
        """Put the receiver down; the server closes the call."""
        await self._send({"event": "stop", "stop": {"callSid": self.call_sid}})
        if self._socket is not None:
            await self._socket.close()

    async def until(self, met: Callable[[], bool], limit_s: float = 10.0) -> None:
        """Wait until a condition on `heard` is met. Raises `TimeoutError` after `limit_s`."""
        async with asyncio.timeout(limit_s):
            async with self._changed:
                await self._changed.wait_for(met)

    def pcm(self) -> bytes:
        """All that was heard: int16 mono at 8 kHz, pauses of an empty buffer left out."""
        return b"".join(heard.pcm for heard in self.heard)

    async def close(self) -> None:
        """Free everything, within 5 s. Safe to call twice."""
        if self._socket is not None:
            await self._socket.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.ended.set()

    async def _ring(self) -> str:
        """The stream token of the TwiML."""
        signature = RequestValidator(self._auth_token).compute_signature(
            f"{self._public_url}/twilio/voice", self._fields
        )
        try:
            async with httpx.AsyncClient(timeout=REQUEST_LIMIT_S, trust_env=False) as client:
                response = await client.post(
                    f"{self._base_url}/twilio/voice",
                    data=self._fields,
                    headers={"X-Twilio-Signature": signature},
                )
        except httpx.HTTPError as error:
            raise ChannelError(f"No answer from {self._base_url}: {type(error).__name__}.") from None
        if response.status_code != 200:
            raise BadMessage(f"/twilio/voice answered {response.status_code}: {response.text[:200]}")
        return stream_token(response.text)

    def _start(self, token: str) -> dict[str, Any]:
        return {
            "streamSid": self._stream_sid,
            "callSid": self.call_sid,
            "accountSid": self._fields["AccountSid"],
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": PHONE_RATE_HZ, "channels": 1},
            "customParameters": {"token": token},
        }

    async def _send(self, message: Mapping[str, Any]) -> None:
        """Number the message and send it; a socket that is closed takes nothing more."""
        if self._socket is None:
            return
        self._sequence += 1
        whole = {**message, "sequenceNumber": str(self._sequence), "streamSid": self._stream_sid}
        try:
            await self._socket.send(json.dumps(whole))
        except ConnectionClosed:
            self.ended.set()

    async def _speak(self) -> None:
        clock = asyncio.get_running_loop().time
        next_at = clock()
        while not self.ended.is_set():
            codes = bytes(self._waiting[:CHUNK_BYTES]).ljust(CHUNK_BYTES, SILENCE)
            del self._waiting[:CHUNK_BYTES]
            self._chunk += 1
            media = {
                "track": "inbound",
                "chunk": str(self._chunk),
                "timestamp": str(self._chunk * 20),
                "payload": b64encode(codes).decode(),
            }
            await self._send({"event": "media", "media": media})
            self.sent_bytes += len(codes)
            next_at += CHUNK_S
            await asyncio.sleep(max(0.0, next_at - clock()))

    async def _play(self) -> None:
        while True:
            await self._advance()
            await asyncio.sleep(CHUNK_S / 2)

    async def _advance(self) -> None:
        now = asyncio.get_running_loop().time()
        codes = self.earpiece.play(now)
        if codes:
            heard = Heard(self._played, mulaw.decode(codes), now)
            self._played += len(codes)
            if self._played < MAX_HEARD_S * PHONE_RATE_HZ:
                self.heard.append(heard)
            if self.on_heard is not None:
                self.on_heard(heard)
        for name in self.earpiece.due():
            await self._send({"event": "mark", "mark": {"name": name}})
        async with self._changed:
            self._changed.notify_all()

    async def _listen(self) -> None:
        if self._socket is None:
            return
        clock = asyncio.get_running_loop().time
        try:
            async for text in self._socket:
                message = json.loads(text)
                await self._advance()
                match message["event"]:
                    case "media":
                        self.earpiece.media(b64decode(message["media"]["payload"]), clock())
                    case "mark":
                        self.earpiece.mark(str(message["mark"]["name"]))
                    case "clear":
                        self.earpiece.clear()
        except (ConnectionClosed, KeyError, ValueError):
            # A line that breaks, or a server that breaks the protocol: the call is over either way.
            pass
        finally:
            self.ended.set()


def stream_token(twiml: str) -> str:
    """The stream's token. Raises `CallRefused` with the words for the caller when there is no stream."""
    if len(twiml) > MAX_ANSWER_CHARS or "<!DOCTYPE" in twiml:
        raise BadMessage("/twilio/voice did not answer with TwiML.")
    try:
        root = ElementTree.fromstring(twiml)  # short, and without a document type there are no entities
    except ElementTree.ParseError:
        raise BadMessage("/twilio/voice did not answer with TwiML.") from None
    for parameter in root.iterfind("Connect/Stream/Parameter"):
        if parameter.get("name") == "token":
            return parameter.get("value", "")
    raise CallRefused(root.findtext("Say") or "The call was refused without a word.")
