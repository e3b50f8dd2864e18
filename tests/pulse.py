"""A real PulseAudio server of the tests' own: without sound cards, in a folder of its own, stopped at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.need import need

START_LIMIT_S = 20.0
STOP_LIMIT_S = 5.0
CHUNK_BYTES = 1_920
"""20 ms: what leaves the door at once, at 48 kHz."""


def arrived(door: bytes, heard: bytes) -> int:
    """How many bytes of the door's are in what was heard: from its beginning, in order, with nothing but silence
    between. A machine that is too busy makes gaps, and nothing makes other sound."""
    at = -1
    for begin in range(0, len(door), CHUNK_BYTES):
        chunk = door[begin : begin + CHUNK_BYTES]
        if not any(chunk):
            continue
        found = heard.find(chunk, max(at, 0))
        if found >= 0 and (at < 0 or not any(heard[at:found])):
            at = found + len(chunk)
        else:
            rest = heard[at:].lstrip(b"\0") if at >= 0 else b""
            pairs = enumerate(zip(chunk, rest, strict=False))
            return begin + next((n for n, (ours, theirs) in pairs if ours != theirs), 0)
    return len(door)


@dataclass(frozen=True)
class Server:
    """A running server."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find it, and nothing else of this user's."""
        return {
            "PATH": os.environ["PATH"],
            "PULSE_SERVER": f"unix:{self.folder / 'native'}",
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder),
        }

    def ask(self, *words: str) -> str:
        """What `pactl` answers."""
        return subprocess.run(
            [need("pactl"), *words], env=self.environment, capture_output=True, text=True, timeout=10, check=True
        ).stdout

    def ours(self) -> int:
        """How many modules of the twin are loaded."""
        return self.ask("list", "modules", "short").count("ai.twin.token")

    @contextlib.asynccontextmanager
    async def recorded(self, source: str, rate_hz: int = 48_000) -> AsyncIterator[bytearray]:
        """What a program with this microphone hears, as it comes: int16 mono."""
        program = await asyncio.create_subprocess_exec(
            *(need("parec"), "--raw", "-d", source, "--format=s16le", f"--rate={rate_hz}", "--channels=1"),
            "--latency-msec=20",
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        heard = bytearray()

        async def read() -> None:
            assert program.stdout is not None
            while data := await program.stdout.read(65_536):
                heard.extend(data)

        reading = asyncio.create_task(read(), name="parec")
        try:
            async with asyncio.timeout(START_LIMIT_S):
                while not heard:  # noqa: ASYNC110  it announces nothing
                    await asyncio.sleep(0.01)
            yield heard
        finally:
            with contextlib.suppress(ProcessLookupError):
                program.terminate()
            await program.wait()
            await reading

    async def play(self, sink: str, pcm: bytes, rate_hz: int) -> None:
        """A program plays this, to its end: int16 mono."""
        program = await asyncio.create_subprocess_exec(
            *(need("pacat"), "--raw", "-d", sink, "--format=s16le", f"--rate={rate_hz}", "--channels=1"),
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await program.communicate(pcm)

    def kill(self) -> None:
        """As a crash would end it."""
        self.process.kill()
        self.process.wait(STOP_LIMIT_S)


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """Start a server and stop it. Skips the test without PulseAudio; fails it under `CI=true`."""
    program = need("pulseaudio")
    with tempfile.TemporaryDirectory(prefix="twin-pulse-") as name:
        folder = Path(name)
        socket = folder / "native"
        environment = {"PATH": os.environ["PATH"], "HOME": name, "XDG_CONFIG_HOME": name, "XDG_RUNTIME_DIR": name}
        process = subprocess.Popen(
            [
                *(
                    program,
                    "-n",
                    "--daemonize=no",
                    "--exit-idle-time=-1",
                    "--use-pid-file=no",
                    "--disable-shm=yes",
                ),
                *(
                    "-L",
                    f"module-native-protocol-unix socket={socket}",
                    "--log-level=error",
                    "--log-target=stderr",
                ),
            ],
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + START_LIMIT_S
            while not socket.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"pulseaudio did not start (status {process.returncode})")
                time.sleep(0.02)
            yield Server(folder, process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_LIMIT_S)
