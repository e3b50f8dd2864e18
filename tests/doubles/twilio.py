"""Twilio, played from its documentation: the webhook, the media socket, the buffer that plays, the REST API.

It stands for the telephone network and shares no code with the channel but the mu-law tables, which are tested
against the standard. A call reads like a call:

    async with serving(app) as base_url, TwilioRestDouble() as rest:
        async with PhoneCall(base_url, auth_token=TOKEN, caller="+15550100", rest=rest) as phone:
            await phone.until_sound()
            await phone.say(wav_bytes)
            await phone.press("1")
            await phone.until_silent()
        phone.played_pcm()      # what the caller's ear got, int16 mono at 8 kHz
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import io
import json
import secrets
import socket
import time
import wave
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, quote
from xml.etree import ElementTree

import httpx
import numpy as np
import soxr
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from channels.twilio import mulaw

RATE_HZ = 8_000
CHUNK_BYTES = 160
CHUNK_S = 0.02
MULAW_SILENCE = b"\xff"
WEBHOOK_LIMIT_S = 15.0
"""How long Twilio waits for the answer to a webhook."""


@asynccontextmanager
async def serving(app: Any, **options: Any) -> AsyncIterator[str]:
    """`app` on a real server on a free port of loopback; gives the base URL."""
    config = uvicorn.Config(
        app,
        **{
            "log_config": None,
            "proxy_headers": False,
            "ws_max_size": 65_536,
            "timeout_graceful_shutdown": 3,
            **options,
        },
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve(sockets=[listener]), name="test-server")
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def sign(url: str, fields: Mapping[str, str], auth_token: str) -> str:
    """`X-Twilio-Signature` as Twilio documents it."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def pcm_8k(wav_or_pcm: bytes) -> bytes:
    """int16 mono at 8 kHz out of a WAV file of any rate; bytes without a header are taken to be that already."""
    if not wav_or_pcm.startswith(b"RIFF"):
        return wav_or_pcm
    with wave.open(io.BytesIO(wav_or_pcm)) as file:
        assert file.getnchannels() == 1
        assert file.getsampwidth() == 2
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        resampled: np.ndarray[Any, np.dtype[np.int16]] = soxr.resample(samples, file.getframerate(), RATE_HZ)
        return resampled.astype(np.int16).tobytes()


class FarEnd:
    """Twilio's playout buffer, pure: plays what it has at 8 kHz from the moment it has something."""

    def __init__(self) -> None:
        self.played = bytearray()
        """mu-law that sounded, silence of an empty buffer left out."""
        self.played_at: list[tuple[float, int]] = []
        """(time, length of `played` by then)."""
        self.gaps: list[tuple[int, int]] = []
        """(length of `played` when the buffer ran empty, samples of silence), the time before the first not."""
        self.received = 0
        self.cleared = 0
        """mu-law bytes thrown away by `clear`."""
        self.position = 0
        """mu-law bytes that left the buffer, played or cleared: the place on the sender's clock."""
        self.max_buffered = 0
        self._buffer = bytearray()
        self._marks: deque[tuple[int, str]] = deque()
        """(bytes that must have left the buffer, name)."""
        self._zero: float | None = None
        self._ticked = 0

    @property
    def buffered(self) -> int:
        return len(self._buffer)

    def media(self, codes: bytes, now: float) -> list[str]:
        """Take audio; names of the marks that were reached meanwhile."""
        due = self.advance(now)
        if self._zero is None:
            self._zero = now
        self.received += len(codes)
        self._buffer += codes
        self.max_buffered = max(self.max_buffered, len(self._buffer))
        return due

    def mark(self, name: str, now: float) -> list[str]:
        """Names of marks to be returned now."""
        self._marks.append((self.position + len(self._buffer), name))
        return self.advance(now)

    def clear(self, now: float) -> list[str]:
        """Empty the buffer; every mark that waits is returned at once."""
        due = self.advance(now)
        self.cleared += len(self._buffer)
        self.position += len(self._buffer)
        self._buffer.clear()
        due += [name for _, name in self._marks]
        self._marks.clear()
        return due

    def advance(self, now: float) -> list[str]:
        """Play until `now`; names of the marks that were reached."""
        if self._zero is not None:
            ticked = int((now - self._zero + 1e-6) * RATE_HZ)
            step, self._ticked = ticked - self._ticked, ticked
            sounding = min(step, len(self._buffer))
            if sounding:
                self.played += self._buffer[:sounding]
                del self._buffer[:sounding]
                self.position += sounding
                self.played_at.append((now, len(self.played)))
            if step > sounding:
                self._gap(step - sounding)
        due: list[str] = []
        while self._marks and self._marks[0][0] <= self.position:
            due.append(self._marks.popleft()[1])
        return due

    def _gap(self, samples: int) -> None:
        if self.gaps and self.gaps[-1][0] == len(self.played):
            samples += self.gaps.pop()[1]
        self.gaps.append((len(self.played), samples))


@dataclass(frozen=True, slots=True)
class TwiML:
    """What the webhook answered."""

    stream_url: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    """Texts of `<Say>`: spoken at once when there is no stream, after it otherwise."""
    hangs_up: bool = False

    @classmethod
    def parse(cls, text: str) -> TwiML:
        root = ElementTree.fromstring(text)
        assert root.tag == "Response", root.tag
        stream = root.find("Connect/Stream")
        return cls(
            stream_url="" if stream is None else stream.attrib["url"],
            parameters={}
            if stream is None
            else {parameter.attrib["name"]: parameter.attrib["value"] for parameter in stream.iter("Parameter")},
            said=tuple(say.text or "" for say in root.iter("Say")),
            hangs_up=root[-1].tag == "Hangup",
        )


class TwilioRestDouble:
    """The REST API: the call that ends calls, and what Twilio keeps of calls until it is told to delete it.

    `async with` serves it; `url` goes into `api_base_url`.
    """

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        """(path, Authorization header, form)."""
        self.answer: tuple[int, dict[str, Any]] | None = None
        """HTTP status and body to answer with instead of ending the call."""
        self.hangs = False
        """Take requests and never answer."""
        self.calls: dict[str, PhoneCall] = {}
        self.kept: dict[str, dict[str, str]] = {}
        """What Twilio keeps: `Calls/CA1`, `Recordings/RE1`, `Transcriptions/TR1`, `Messages/SM1`, with the
        fields by which lists of them can be filtered, and which of them a transcription belongs to."""
        self.refuses: dict[str, int] = {}
        """HTTP status by beginning of a path below the account, e.g. `Recordings` for a broken part."""
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for task, writer in self._connections.items():
            task.cancel()
            writer.close()
        if self._connections:
            await asyncio.wait(self._connections)
        await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections[asyncio.create_task(self._serve(reader, writer), name="rest-double")] = writer

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                form = parse_qsl((await reader.readexactly(int(headers.get("content-length", "0")))).decode())
                method, path, _ = request.split()
                self.requests.append((path, headers.get("authorization", ""), dict(form)))
                if self.hangs:
                    continue
                status, answer = self._answer(method, path, dict(form))
                body = b"" if status == 204 else json.dumps(answer).encode()
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )

    def _answer(self, method: str, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if self.answer is not None:
            return self.answer
        below, _, query = path.partition("/Accounts/")[2].partition("/")[2].partition("?")
        for part, status in self.refuses.items():
            if below.startswith(part):
                return status, {"code": status + 20_000}
        if method in ("GET", "DELETE"):
            return self._of_kept(method, below.removesuffix(".json"), dict(parse_qsl(query)))
        if below == "Messages.json":
            sid = "SM" + secrets.token_hex(16)
            self.kept[f"Messages/{sid}"] = form
            return 201, {"sid": sid, "status": "queued"}
        call = self.calls.get(path.rpartition("/")[2].removesuffix(".json"))
        if call is None or method != "POST" or not path.startswith("/2010-04-01/Accounts/"):
            return 404, {"code": 20404}
        call.ended_by_rest()
        return 200, {"sid": call.call_sid, "status": "completed"}

    def _of_kept(self, method: str, name: str, filters: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """One of the things kept, or a page of a list: two at a time, so that clients have to turn pages."""
        if name in self.kept:
            if method == "DELETE":
                del self.kept[name]
                return 204, {}
            return 200, {"sid": name.partition("/")[2], **self.kept[name]}
        *owner, kind = name.split("/")
        if method == "DELETE" or kind not in ("Calls", "Recordings", "Transcriptions", "Messages"):
            return 404, {"code": 20404}
        page, size = int(filters.pop("Page", "0")), 2
        filters.pop("PageSize", None)
        if owner:
            filters["RecordingSid"] = owner[1]
        found = [
            {"sid": key.partition("/")[2], **fields}
            for key, fields in self.kept.items()
            if key.startswith(f"{kind}/") and all(fields.get(key) == value for key, value in filters.items())
        ]
        here = found[page * size : (page + 1) * size]
        query = "&".join(f"{key}={quote(value)}" for key, value in {**filters, "Page": str(page + 1)}.items())
        more = (page + 1) * size < len(found)
        return 200, {
            kind.lower(): here,
            "next_page_uri": f"/2010-04-01/Accounts/AC1/{name}.json?{query}" if more else None,
        }


class PhoneCall:
    """One caller. `async with` rings, connects and hangs up; `ring`, `connect` and `hang_up` do it by hand.

    From `connect` on the microphone sends 20 ms of mu-law every 20 ms (silence when nothing is to be said), what
    comes in is played at 8 kHz, and marks go back when the audio before them was played.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth_token: str,
        caller: str = "+15550100",
        called: str = "+15550199",
        call_sid: str = "",
        account_sid: str = "AC" + "0" * 32,
        signed_url: str = "",
        headers: Mapping[str, str] | None = None,
        rest: TwilioRestDouble | None = None,
        posts_status: bool = True,
    ) -> None:
        """`signed_url` is the origin Twilio was configured with, when a proxy stands between; `headers` is what
        the proxy adds. `rest` lets the server hang up. `posts_status`: post `completed` when the call is over."""
        self.base_url = base_url
        self.call_sid = call_sid or "CA" + secrets.token_hex(16)
        self.stream_sid = "MZ" + secrets.token_hex(16)
        self.account_sid = account_sid
        self.far_end = FarEnd()
        self.messages: list[dict[str, Any]] = []
        """Everything the server sent, except media."""
        self.media_times: list[float] = []
        """When each media message came."""
        self.twiml = TwiML()
        self.said_by_twilio: list[str] = []
        """What Twilio's own voice said because of the TwiML."""
        self.close_code: int | None = None
        self.close_reason = ""
        self.over = asyncio.Event()
        """The call has ended, by whomever."""
        self.fields = {
            "CallSid": self.call_sid,
            "AccountSid": account_sid,
            "From": caller,
            "To": called,
            "CallStatus": "ringing",
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
        }
        self._auth_token = auth_token
        self._signed_url = signed_url or base_url
        self._headers = dict(headers or {})
        self._rest = rest
        self._posts_status = posts_status
        self._voice = bytearray()
        self._silent = asyncio.Event()
        self._silent.set()
        self._sequence = 0
        self._chunk = 0
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._reading: asyncio.Task[None] | None = None
        self._ended_by_rest = False
        self._left = False

    async def __aenter__(self) -> Self:
        await self.ring()
        if self.twiml.stream_url:
            await self.connect()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.hang_up()

    # ---- the webhook

    async def post(self, path: str, fields: Mapping[str, str], signature: str | None = None) -> httpx.Response:
        """A signed request as Twilio sends it; `signature` replaces the right one."""
        right = sign(self._signed_url + path, fields, self._auth_token)
        headers = {"X-Twilio-Signature": right if signature is None else signature, **self._headers}
        async with httpx.AsyncClient(base_url=self.base_url, trust_env=False, timeout=WEBHOOK_LIMIT_S) as client:
            return await client.post(path, data=dict(fields), headers=headers)

    async def ring(self) -> TwiML:
        """Ask `/twilio/voice` what to do; an answer that is no TwiML is an assertion error."""
        response = await self.post("/twilio/voice", self.fields)
        assert response.status_code == 200, (response.status_code, response.text)
        self.twiml = TwiML.parse(response.text)
        if not self.twiml.stream_url:
            self._follow_twiml()
        return self.twiml

    # ---- the stream

    async def open(self) -> None:
        """Only the socket: nothing is sent or played yet."""
        path = self.twiml.stream_url.split("/", 3)[3]
        url = self.base_url.replace("http", "ws", 1) + "/" + path
        self._socket = await connect(url, compression=None, proxy=None, max_size=2**20, close_timeout=2)

    async def connect(self, *, parameters: Mapping[str, str] | None = None) -> None:
        """Open the socket, send `connected` and `start`, and begin to speak and to play."""
        await self.open()
        self.start_reading()
        await self.send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        await self.send(self.start_message(parameters))
        if self._rest is not None:
            self._rest.calls[self.call_sid] = self
        self._tasks += [
            asyncio.create_task(self._speak(), name="phone-microphone"),
            asyncio.create_task(self._play(), name="phone-earpiece"),
        ]

    def start_message(self, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        return {
            "event": "start",
            "sequenceNumber": self._next_sequence(),
            "start": {
                "accountSid": self.account_sid,
                "streamSid": self.stream_sid,
                "callSid": self.call_sid,
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": RATE_HZ, "channels": 1},
                "customParameters": dict(self.twiml.parameters if parameters is None else parameters),
            },
            "streamSid": self.stream_sid,
        }

    def media_message(self, codes: bytes) -> dict[str, Any]:
        self._chunk += 1
        return {
            "event": "media",
            "sequenceNumber": self._next_sequence(),
            "media": {
                "track": "inbound",
                "chunk": str(self._chunk),
                "timestamp": str(self._chunk * 20),
                "payload": base64.b64encode(codes).decode(),
            },
            "streamSid": self.stream_sid,
        }

    async def send(self, message: dict[str, Any] | str | bytes) -> None:
        """Any message, also one that Twilio would never send. A closed socket swallows it, as a network does."""
        assert self._socket is not None
        with suppress(ConnectionClosed):
            await self._socket.send(json.dumps(message) if isinstance(message, dict) else message)

    # ---- what a caller does

    async def say(self, wav_or_pcm: bytes) -> None:
        """Speak; returns when the last sample was sent, in real time."""
        self._voice += mulaw.encode(pcm_8k(wav_or_pcm))
        self._silent.clear()
        await self._silent.wait()

    async def press(self, digits: str) -> None:
        for digit in digits:
            await self.send(
                {
                    "event": "dtmf",
                    "streamSid": self.stream_sid,
                    "sequenceNumber": self._next_sequence(),
                    "dtmf": {"track": "inbound_track", "digit": digit},
                }
            )

    async def hang_up(self) -> None:
        """The caller puts the receiver down (unless the call is over already); everything is cleaned up."""
        if self._socket is not None and not self.over.is_set():
            self._left = True
            await self._stop()
        await self.stop_sending()
        if self._socket is not None:
            await self._socket.close()
        if self._reading is not None:
            await asyncio.wait([self._reading], timeout=5)
            self._reading.cancel()
        if self._socket is not None and self._posts_status and not self._ended_by_rest:
            await self.post("/twilio/status", {**self.fields, "CallStatus": "completed"})
        self.over.set()

    # ---- what a bad line does

    def start_reading(self) -> None:
        self._reading = asyncio.create_task(self._read(), name="phone-reader")

    async def stop_reading(self) -> None:
        """From now on the socket is not read, until `start_reading`: a slow peer."""
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.wait([self._reading])

    async def stop_sending(self) -> None:
        """The microphone and the returned marks stop, the socket stays: a half-open connection."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks.clear()

    async def drop(self) -> None:
        """The connection breaks without a word."""
        assert self._socket is not None
        self._socket.transport.abort()

    # ---- what was heard

    def played_pcm(self) -> bytes:
        """What sounded in the caller's ear, int16 mono at 8 kHz; pauses of an empty buffer are left out."""
        return mulaw.decode(bytes(self.far_end.played))

    async def until(self, condition: Callable[[], bool], *, timeout_s: float = 20.0) -> None:
        """Wait for something to be true; looks every 5 ms."""
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110  a condition can be anything, nothing announces it
                await asyncio.sleep(0.005)

    async def until_sound(self, *, timeout_s: float = 20.0) -> None:
        """Wait until something else than silence has been played since now."""
        begin = len(self.far_end.played)
        await self._until_heard(
            lambda: bool(bytes(self.far_end.played[begin:]).strip(MULAW_SILENCE)), timeout_s=timeout_s
        )

    async def until_silent(self, *, quiet_ms: int = 600, timeout_s: float = 60.0) -> None:
        """Wait until the last `quiet_ms` that were played were silence, and began after this was called."""
        need = quiet_ms * RATE_HZ // 1000
        begin = len(self.far_end.played)

        def quiet() -> bool:
            played = self.far_end.played
            return len(played) - begin >= need and not bytes(played[-need:]).strip(MULAW_SILENCE)

        await self._until_heard(quiet, timeout_s=timeout_s)

    async def _until_heard(self, condition: Callable[[], bool], *, timeout_s: float) -> None:
        """As `until`, but a call that is over will not sound any more."""
        await self.until(lambda: condition() or self.over.is_set(), timeout_s=timeout_s)
        assert condition(), f"the call is over: {self.close_code} {self.close_reason!r}"

    # ---- inside

    def ended_by_rest(self) -> None:
        """Twilio was told to end the call: the stream stops, and no further verb is reached."""
        self._ended_by_rest = True
        self._tasks.append(asyncio.create_task(self._stop(), name="phone-stop"))

    async def _stop(self) -> None:
        """Twilio's side of an orderly end."""
        await self.send(
            {
                "event": "stop",
                "sequenceNumber": self._next_sequence(),
                "streamSid": self.stream_sid,
                "stop": {"accountSid": self.account_sid, "callSid": self.call_sid},
            }
        )

    def _next_sequence(self) -> str:
        self._sequence += 1
        return str(self._sequence)

    def _follow_twiml(self) -> None:
        self.said_by_twilio += self.twiml.said
        self.over.set()

    async def _speak(self) -> None:
        due = time.monotonic()
        while True:
            codes = bytes(self._voice[:CHUNK_BYTES])
            del self._voice[:CHUNK_BYTES]
            await self.send(self.media_message(codes.ljust(CHUNK_BYTES, MULAW_SILENCE)))
            if not self._voice:
                self._silent.set()
            due += CHUNK_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _play(self) -> None:
        while True:
            await self._return(self.far_end.advance(time.monotonic()))
            await asyncio.sleep(0.005)

    async def _return(self, names: list[str]) -> None:
        for name in names:
            await self.send(
                {
                    "event": "mark",
                    "sequenceNumber": self._next_sequence(),
                    "streamSid": self.stream_sid,
                    "mark": {"name": name},
                }
            )

    async def _read(self) -> None:
        assert self._socket is not None
        with suppress(ConnectionClosed):
            async for text in self._socket:
                await self._take(json.loads(text))
        self.close_code, self.close_reason = self._socket.close_code, self._socket.close_reason or ""
        if not self._ended_by_rest and not self._left:
            self._follow_twiml()
        self.over.set()

    async def _take(self, message: dict[str, Any]) -> None:
        assert message["streamSid"] == self.stream_sid
        now = time.monotonic()
        if message["event"] == "media":
            self.media_times.append(now)
            codes = base64.b64decode(message["media"]["payload"], validate=True)
            await self._return(self.far_end.media(codes, now))
            return
        self.messages.append(message)
        if message["event"] == "mark":
            await self._return(self.far_end.mark(message["mark"]["name"], now))
        elif message["event"] == "clear":
            await self._return(self.far_end.clear(now))
        else:
            raise AssertionError(f"Twilio knows no event {message['event']!r}")
