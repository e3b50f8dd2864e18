import asyncio
import os
import socket
import struct
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from channels.camera import pulse
from channels.camera.pulse import address, connect, cookie
from channels.camera.tagstruct import NOBODY, Writer
from compliance.errors import SoundMissing

Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def control(*numbers: int) -> bytes:
    body = Writer()
    for number in numbers:
        body.number(number)
    packed = body.packed()
    return struct.pack(">IIIII", len(packed), NOBODY, 0, 0, 0) + packed


async def command(reader: asyncio.StreamReader) -> tuple[int, int]:
    """The next command and its tag."""
    length, *_ = struct.unpack(">IIIII", await reader.readexactly(20))
    body = await reader.readexactly(length)
    return struct.unpack(">xIxI", body[:10])


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What a server does until a client is in."""
    for answer in (35, 0):
        _, tag = await command(reader)
        writer.write(control(pulse.REPLY, tag, answer))


@asynccontextmanager
async def served(folder: Path, serve: Serving) -> AsyncIterator[dict[str, str]]:
    over = asyncio.Event()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
            await over.wait()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_unix_server(client, str(folder / "native"))
    try:
        yield {"PULSE_SERVER": f"unix:{folder / 'native'}", "HOME": str(folder)}
    finally:
        over.set()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("environment", "where"),
    [
        ({"PULSE_SERVER": "unix:/run/p/native"}, Path("/run/p/native")),
        ({"PULSE_SERVER": "/run/p/native"}, Path("/run/p/native")),
        ({"PULSE_SERVER": "{1f2e}unix:/run/p/native tcp:studio"}, Path("/run/p/native")),
        ({"PULSE_SERVER": "tcp:studio:5000"}, ("studio", 5000)),
        ({"PULSE_SERVER": "studio"}, ("studio", 4713)),
        ({"PULSE_RUNTIME_PATH": "/run/p"}, Path("/run/p/native")),
        ({"XDG_RUNTIME_DIR": "/run/user/5"}, Path("/run/user/5/pulse/native")),
    ],
)
def test_the_server_is_where_the_environment_says(
    environment: dict[str, str], where: Path | tuple[str, int]
) -> None:
    assert address(environment) == where


def test_the_users_cookie_is_shown_and_none_where_there_is_none(tmp_path: Path) -> None:
    assert cookie({"HOME": str(tmp_path)}) == bytes(256)
    (tmp_path / ".config" / "pulse").mkdir(parents=True)
    (tmp_path / ".config" / "pulse" / "cookie").write_bytes(b"c" * 300)
    assert cookie({"HOME": str(tmp_path)}) == b"c" * 256
    (tmp_path / "other").write_bytes(b"short")
    assert cookie({"HOME": str(tmp_path), "PULSE_COOKIE": str(tmp_path / "other")}) == b"short".ljust(256, b"\0")


async def test_without_a_server_one_line_says_what_to_start(tmp_path: Path) -> None:
    with pytest.raises(SoundMissing, match="start PulseAudio or PipeWire"):
        await connect({"PULSE_SERVER": f"unix:{tmp_path / 'nobody'}"}, {})


async def test_a_server_that_refuses_says_why(tmp_path: Path) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, tag = await command(reader)
        writer.write(control(pulse.ERROR, tag, 1))

    async with served(tmp_path, refuse) as environment:
        with pytest.raises(SoundMissing, match="it does not allow that"):
            await connect(environment, {})


async def test_a_server_that_is_too_old_is_refused(tmp_path: Path) -> None:
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, tag = await command(reader)
        writer.write(control(pulse.REPLY, tag, 8))

    async with served(tmp_path, old) as environment:
        with pytest.raises(SoundMissing, match="too old"):
            await connect(environment, {})


async def test_a_server_that_goes_is_told_once_and_whoever_waits_hears_of_it(tmp_path: Path) -> None:
    async def go(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        await command(reader)
        writer.close()

    lost: list[bool] = []
    async with served(tmp_path, go) as environment:
        connection = await connect(environment, {})
        connection.on_lost = lambda: lost.append(connection.lost)
        with pytest.raises(SoundMissing, match="gone"):
            await connection.ask(pulse.LIST_MODULES)
        with pytest.raises(SoundMissing, match="gone"):
            await connection.ask(pulse.LIST_MODULES)
        await connection.close()
        await connection.close()
    assert lost == [True]


@pytest.mark.parametrize(
    "noise",
    [
        struct.pack(">IIIII", 1 << 30, NOBODY, 0, 0, 0),
        struct.pack(">IIIII", 3, NOBODY, 0, 0, 0) + b"abc",
        control(pulse.PLAYBACK_KILLED, NOBODY, 0),
    ],
    ids=["too_long", "not_ours", "killed"],
)
async def test_a_server_that_breaks_the_protocol_or_a_stream_is_left(tmp_path: Path, noise: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        await command(reader)
        writer.write(noise)

    async with served(tmp_path, speak) as environment:
        connection = await connect(environment, {})
        with pytest.raises(SoundMissing):
            await connection.ask(pulse.LIST_MODULES)
        assert connection.lost
        await connection.close()


async def test_what_the_server_sends_reaches_who_listens(tmp_path: Path) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        _, tag = await command(reader)
        writer.write(control(pulse.REQUEST, NOBODY, 3, 1_920))
        writer.write(struct.pack(">IIIII", 4, 9, 0, 0, 0) + b"abcd")
        writer.write(control(pulse.REPLY, 999, 0))
        writer.write(control(pulse.REPLY, tag, 42))

    requests: list[tuple[int, int]] = []
    heard: list[bytes] = []
    async with served(tmp_path, speak) as environment:
        connection = await connect(environment, {})
        connection.on_request = lambda channel, count: requests.append((channel, count))
        connection.on_sound = heard.append
        answer = await connection.ask(pulse.LIST_MODULES)
        await connection.close()
    assert answer.number() == 42
    assert requests == [(3, 1_920)]
    assert heard == [b"abcd"]


async def test_a_server_that_answers_nothing_any_more_is_left(tmp_path: Path) -> None:
    lost = asyncio.Event()
    answers: list[object] = []
    async with served(tmp_path, greet) as environment:
        connection = await connect(environment, {})
        connection.on_lost = lost.set
        for _ in range(pulse.MAX_UNANSWERED + 1):
            connection.tell(pulse.GET_LATENCY, None, answers.append)
        await asyncio.wait_for(lost.wait(), 5)
        await connection.close()
    assert answers == [None] * (pulse.MAX_UNANSWERED + 1)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells a server whose a message is in this way")
async def test_a_server_that_asks_late_whose_the_first_message_is_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "native"))
        listening.listen()
        listening.setblocking(False)
        environment = {"PULSE_SERVER": f"unix:{tmp_path / 'native'}", "HOME": str(tmp_path)}
        connecting = asyncio.create_task(connect(environment, {}), name="connecting")
        loop = asyncio.get_running_loop()
        taken, _ = await loop.sock_accept(listening)
        with taken:
            # The message is here before the server asks.
            read = asyncio.Event()
            loop.add_reader(taken, read.set)
            async with asyncio.timeout(5):
                await read.wait()
            loop.remove_reader(taken)
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            _, ancillary, *_ = taken.recvmsg(1_024, 256)
        with pytest.raises(SoundMissing):
            await connecting
    ((_, kind, whose),) = ancillary
    assert kind == socket.SCM_CREDENTIALS
    assert struct.unpack("3i", whose)[:2] == (os.getpid(), os.getuid())
