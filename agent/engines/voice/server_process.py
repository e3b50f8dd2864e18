"""The voice server's process: how it is started and ended, and the files that tell others of it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import persona

logger = logging.getLogger(__name__)

TOKEN = "TWIN_VOICE_TOKEN"
LINE_S = 60.0
"""For the interpreter to start and the first line to come."""
_ROOT = str(Path(persona.__file__).parents[1])
# Appended, not put in front: an interpreter of its own has its own libraries, and they must win over ours.
_BOOT = (
    "import runpy, sys; sys.path.append({root!r}); "
    "sys.argv[0] = 'voice server'; runpy.run_module('persona.voice.server', run_name='__main__', alter_sys=True)"
)


@dataclass(frozen=True, slots=True)
class Launch:
    """How the server is started."""

    name: str
    python: str
    arguments: tuple[str, ...]
    """After `--engine`'s name: of `python -m persona.voice.server`."""


@dataclass(frozen=True, slots=True)
class Address:
    """A running server."""

    url: str
    token: str
    pid: int

    @property
    def headers(self) -> dict[str, str]:
        """What every request needs."""
        return {"Authorization": f"Bearer {self.token}", "X-Twin-Client": str(os.getpid())}


async def announced(process: asyncio.subprocess.Process, token: str) -> Address | None:
    """Its first line says where it listens; None when it ended instead."""
    assert process.stdout is not None
    with suppress(TimeoutError):
        async with asyncio.timeout(LINE_S):
            line = await process.stdout.readline()
            if line:
                port = int(json.loads(line)["port"])
                return Address(f"http://127.0.0.1:{port}", token, process.pid)
            await process.wait()
    return None


class LastWords:
    """The server's stderr: read, or it blocks; of what it says only a line of ours is kept."""

    def __init__(self) -> None:
        self.error = ""

    async def read(self, process: asyncio.subprocess.Process) -> None:
        """Until it ends."""
        assert process.stderr is not None
        with suppress(ValueError):  # a line longer than any of ours
            async for line in process.stderr:
                if line.startswith(b"error: "):
                    self.error = line.decode(errors="replace").removeprefix("error: ").strip()
        while await process.stderr.read(65536):
            pass


async def spawn(launch: Launch, token: str) -> asyncio.subprocess.Process:
    """Start it. Raises `OSError`."""
    boot: Sequence[str] = ("-m", "persona.voice.server")
    paths = {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    if launch.python != sys.executable:
        boot, paths = ("-c", _BOOT.format(root=_ROOT)), {"PYTHONPATH": ""}
    return await asyncio.create_subprocess_exec(
        launch.python, "-P", *boot, *launch.arguments, "--until-stdin-closes",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **paths, TOKEN: token}, start_new_session=True,
    )  # fmt: skip


async def reap(process: asyncio.subprocess.Process) -> None:
    """Ask, then kill; 3 s in all."""
    assert process.stdin is not None
    process.stdin.close()
    for kill, limit_s in ((False, 1.0), (True, 2.0)):
        if kill:
            with suppress(ProcessLookupError):
                process.kill()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await process.wait()
            return
    logger.error("the voice server does not end", extra={"pid": process.pid})


def try_lock(path: Path) -> int | None:
    """An open file that is locked for us until it is closed, or this process ends; None: another has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def write(path: Path, address: Address) -> None:
    """Tell the home's other processes where it listens; nobody else may read it."""
    part = path.with_suffix(f".{os.getpid()}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(address), file)
    part.replace(path)


def read(path: Path) -> Address | None:
    """What `write` told, if there is something."""
    try:
        return Address(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
