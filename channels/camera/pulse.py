"""A connection to PulseAudio, or to PipeWire's PulseAudio server: its native protocol, spoken by asyncio itself.

Its programs `pacat` and `parec` cannot throw away what they were given, and its C library calls back from a thread
of its own; both would cost what the clock needs to know: what was played, now, and what will not be.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from channels.camera.tagstruct import NOBODY, Reader, Writer
from compliance.errors import BadMessage, SoundMissing

VERSION = 13
"""Of the protocol: the oldest that knows properties. Both servers speak it, and every later one is longer."""
ANSWER_LIMIT_S = 3.0
CLOSE_LIMIT_S = 1.0
MAX_MESSAGE_BYTES = 1 << 20
MAX_UNSENT_BYTES = 1 << 18
MAX_UNANSWERED = 64
"""A server that takes no more than these bytes, or answers no more than these commands, has stopped."""
COOKIE_BYTES = 256

ERROR, REPLY = 0, 2
CREATE_PLAYBACK, DELETE_PLAYBACK, CREATE_RECORD, DELETE_RECORD = 3, 4, 5, 6
AUTH, SET_CLIENT = 8, 9
GET_LATENCY = 14
LIST_MODULES, LIST_CLIENTS = 26, 28
FLUSH = 42
LOAD_MODULE, UNLOAD_MODULE = 51, 52
REQUEST, UNDERFLOW = 61, 63
PLAYBACK_KILLED, RECORD_KILLED = 64, 65

_HEAD = struct.Struct(">IIIII")
_REASONS = {1: "it does not allow that", 4: "the name is taken", 5: "there is no such device", 17: "it has none"}


class Connection:
    """Made by `connect`; `close` ends it. All that comes is handled in one task of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.on_request: Callable[[int, int], None] = lambda channel, count: None
        """The server wants so many bytes more of a playback."""
        self.on_dry: Callable[[], None] = lambda: None
        """A playback has nothing to play."""
        self.on_sound: Callable[[bytes], None] = lambda pcm: None
        """The next piece of a recording."""
        self.on_lost: Callable[[], None] = lambda: None
        """The server is gone, or has ended one of the streams. Told once."""
        self._reader = reader
        self._writer = writer
        self._tags = itertools.count(1)
        self._waiting: dict[int, Callable[[Reader | None], None]] = {}
        self._lost = False
        self._task = asyncio.create_task(self._read(), name="sound server")

    @property
    def lost(self) -> bool:
        """Whether the server is gone."""
        return self._lost

    async def ask(self, command: int, values: Writer | None = None) -> Reader:
        """Send a command and wait for what it answers. Raises `SoundMissing`."""
        answer: asyncio.Future[Reader] = asyncio.get_running_loop().create_future()

        def answered(reader: Reader | None) -> None:
            if answer.done():
                return
            if reader is None:
                answer.set_exception(SoundMissing("The sound server is gone."))
            else:
                answer.set_result(reader)

        self.tell(command, values, answered)
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                reader = await answer
        except TimeoutError:
            raise SoundMissing(f"The sound server does not answer within {ANSWER_LIMIT_S:g} s.") from None
        return reader

    def tell(
        self,
        command: int,
        values: Writer | None = None,
        answered: Callable[[Reader | None], None] = lambda reader: None,
    ) -> None:
        """Send a command and go on; `answered` is told what comes of it, None when nothing does any more."""
        if self._lost:
            answered(None)
            return
        tag = next(self._tags)
        self._waiting[tag] = answered
        body = Writer().number(command).number(tag).packed() + (values.packed() if values else b"")
        self._send(NOBODY, body)
        if len(self._waiting) > MAX_UNANSWERED:
            self._writer.transport.abort()

    def play(self, channel: int, pcm: bytes) -> None:
        """Sound for a playback. The server takes what it asked for; what is more it would throw away."""
        self._send(channel, pcm)

    async def close(self) -> None:
        """Leave; streams end with it, modules do not. Safe to call twice."""
        self.on_lost = lambda: None
        self._task.cancel()
        await asyncio.wait({self._task})
        self._give_up()
        self._writer.close()
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            self._writer.transport.abort()

    def _send(self, channel: int, body: bytes) -> None:
        if self._lost or self._writer.is_closing():
            return
        self._writer.write(_HEAD.pack(len(body), channel, 0, 0, 0) + body)
        transport = self._writer.transport
        if transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            transport.abort()

    async def _read(self) -> None:
        try:
            while True:
                length, channel, *_ = _HEAD.unpack(await self._reader.readexactly(_HEAD.size))
                if length > MAX_MESSAGE_BYTES:
                    raise BadMessage("The sound server's message is too long.")
                body = await self._reader.readexactly(length)
                if channel == NOBODY:
                    self._control(Reader(body))
                else:
                    self.on_sound(body)
        except (asyncio.IncompleteReadError, OSError, BadMessage):
            # Whichever it is, there is no sound any more, and who listens is told below.
            pass
        finally:
            self._give_up()
            self.on_lost()

    def _control(self, message: Reader) -> None:
        command, tag = message.number(), message.number()
        if command in (REPLY, ERROR):
            answered = self._waiting.pop(tag, None)
            if answered is not None:
                answered(_Refused(message.number()) if command == ERROR else message)
        elif command == REQUEST:
            self.on_request(message.number(), message.number())
        elif command == UNDERFLOW:
            self.on_dry()
        elif command in (PLAYBACK_KILLED, RECORD_KILLED):
            raise BadMessage("A stream was ended from outside.")

    def _give_up(self) -> None:
        self._lost = True
        waiting, self._waiting = self._waiting, {}
        for answered in waiting.values():
            answered(None)


class _Refused(Reader):
    """What stands for an answer where there is only a reason; reading anything of it says so."""

    def __init__(self, code: int) -> None:
        super().__init__(b"")
        self._code = code

    def _take(self, count: int) -> bytes:
        reason = _REASONS.get(self._code, f"error {self._code}")
        raise SoundMissing(f"The sound server refused: {reason}.")


async def connect(environment: Mapping[str, str], properties: Mapping[str, str]) -> Connection:
    """To the server that the environment names, else to the user's own. Raises `SoundMissing`."""
    where = address(environment)
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            if isinstance(where, Path):
                reader, writer = await asyncio.open_unix_connection(str(where))
                _show_user(writer)
            else:
                reader, writer = await asyncio.open_connection(*where)
    except (OSError, TimeoutError, AttributeError):
        raise SoundMissing(
            "No sound server: start PulseAudio or PipeWire (pipewire-pulse) as the user of this desktop, "
            "or name one with PULSE_SERVER."
        ) from None
    connection = Connection(reader, writer)
    try:
        version = await connection.ask(AUTH, Writer().number(VERSION).blob(cookie(environment)))
        if version.number() & 0xFFFF < VERSION:
            raise SoundMissing("The sound server is too old; PulseAudio 1.0 or newer is needed.")
        (await connection.ask(SET_CLIENT, Writer().properties(properties))).number()
    except BaseException:  # also when it is cancelled: what was opened is closed
        await connection.close()
        raise
    return connection


def address(environment: Mapping[str, str]) -> Path | tuple[str, int]:
    """Where the server is: a socket of this machine, or host and port."""
    # One of several, and perhaps only for the machine that is named in front.
    named = re.sub(r"^\{.*?\}", "", environment.get("PULSE_SERVER", "").split(" ")[0])
    if named.startswith("unix:"):
        return Path(named.removeprefix("unix:"))
    if named.startswith("/"):
        return Path(named)
    if named:
        host, _, port = named.removeprefix("tcp:").partition(":")
        return host, int(port) if port.isdecimal() else 4_713
    if folder := environment.get("PULSE_RUNTIME_PATH"):
        return Path(folder) / "native"
    runtime = environment.get("XDG_RUNTIME_DIR") or f"/run/user/{_user()}"
    return Path(runtime) / "pulse" / "native"


def _show_user(writer: asyncio.StreamWriter) -> None:
    """Have the kernel say with every message whose it is: a server asks for that only when it has taken the
    connection, and would refuse a user without a cookie whose first message came a moment before."""
    option = getattr(socket, "SO_PASSCRED", None)
    if option is not None:  # Linux
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, option, 1)


def cookie(environment: Mapping[str, str]) -> bytes:
    """What the user's own server wants to see; a server that knows the user by the socket ignores it."""
    home = Path(environment.get("HOME", "/"))
    settings = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    named = environment.get("PULSE_COOKIE")
    for file in (Path(named) if named else settings / "pulse" / "cookie", home / ".pulse-cookie"):
        try:
            return file.read_bytes()[:COOKIE_BYTES].ljust(COOKIE_BYTES, b"\0")
        except OSError:
            continue
    return bytes(COOKIE_BYTES)


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0
