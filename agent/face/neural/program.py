"""A renderer of the user's own in a process of its own; what it speaks is in `renderer.py`. One for all calls."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from agent.engines.reaping import reap
from agent.face.elsewhere_options import Options
from agent.face.feed import Feed
from agent.face.mailbox import Clear, Mailbox
from agent.face.neural.ready import Ready
from agent.face.neural.renderer import LENGTHS, MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES, encode
from avatar.ahead import Ahead, Drawn, Label
from avatar.ahead_fit import fitted
from avatar.errors import UnfitPicture
from avatar.picture import Picture
from compliance.errors import EngineError, EngineFailed, EngineMissing, EngineTimeout

logger = logging.getLogger(__name__)

MAX_UNSENT_BYTES = 4 << 20
"""A program that does not read its speech is stuck."""
STEADY_S = 60.0
"""A program that lived this long is healthy: its earlier deaths are forgotten."""
MAX_DEATHS = 5
WATCH_S = 0.25
_SECRET = ("_KEY", "_SECRET", "_TOKEN", "_PASSWORD")
"""How the names of variables end that no renderer needs."""


class _Call:
    """One call's face in the program."""

    def __init__(self, ahead: Ahead, rate_hz: int) -> None:
        self.ahead = ahead
        self.rate_hz = rate_hz
        self.feed = Feed(rate_hz, rate_hz)


class Program:
    """Started once, shared by the calls, started again when it dies."""

    name = "neural"

    def __init__(self, options: Options) -> None:
        self.deaths = 0
        """In all."""
        self.ready: Ready | None = None
        """What the program said about itself; None while it is not up."""
        self._options = options
        self._calls: dict[int, _Call] = {}
        self._ids = itertools.count(1)
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._over = asyncio.Event()
        self._failure: EngineError | None = None
        self._owed = 0
        """Pieces of speech that it has not worked off."""
        self._heard_s = 0.0
        self._decoding = ThreadPoolExecutor(1, thread_name_prefix="face pictures")

    @property
    def pid(self) -> int | None:
        """Of the process, while it is up."""
        return self._process.pid if self._process and self.ready else None

    async def start(self) -> None:
        """Run it and wait until it has loaded. Raises `EngineMissing`, `EngineFailed` or `EngineTimeout`."""
        self._keeper = asyncio.create_task(self._keep(), name="keep the face's program")
        await self._settled.wait()
        if self._failure is not None:
            failure = self._failure
            await self.close()
            raise type(failure)(failure.message)

    async def close(self) -> None:
        """End it within 5 s. Safe to call twice."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait({keeper}, timeout=5.0)
        self._give_up(EngineFailed("the face's program was closed"))
        self._decoding.shutdown(wait=False, cancel_futures=True)

    async def play(self, mailbox: Mailbox, ahead: Ahead, rate_hz: int, call_id: str) -> None:
        """Draw one call's face until it is cancelled. Raises `EngineError` once the program is given up."""
        if self._failure is not None:
            raise type(self._failure)(self._failure.message)
        number = next(self._ids)
        call = self._calls[number] = _Call(ahead, rate_hz)
        self._open(number, call)
        over = asyncio.create_task(self._over.wait(), name="face's program over")
        forwarding = asyncio.create_task(self._forward(mailbox, number, call), name="face's speech")
        try:
            await asyncio.wait({over, forwarding}, return_when=asyncio.FIRST_COMPLETED)
            raise type(self._failure)(self._failure.message) if self._failure else EngineFailed("the face ended")
        finally:
            over.cancel()
            forwarding.cancel()
            del self._calls[number]
            ahead.lost()
            self._send({"op": "close", "call": number})

    async def _forward(self, mailbox: Mailbox, number: int, call: _Call) -> None:
        while True:
            told = await mailbox.next()
            if isinstance(told, Clear):
                call.feed.clear()
                self._send({"op": "clear", "call": number, "epoch": told.epoch})
                continue
            for speech in call.feed.give(told):
                label = {"epoch": speech.epoch, "utterance": speech.utterance, "offset": speech.offset}
                if self._send({"op": "speech", "call": number, **label, "last": speech.last}, speech.pcm):
                    self._owed += 1

    def _open(self, number: int, call: _Call) -> None:
        if self.ready is not None:
            call.feed = Feed(call.rate_hz, self.ready.rate_hz)
            call.ahead.alive = self._send({"op": "open", "call": number})

    def _send(self, header: Mapping[str, Any], payload: bytes = b"") -> bool:
        """Whether it could be: while the program is down, the stage covers."""
        stdin = self._process.stdin if self._process is not None and self.ready is not None else None
        if stdin is None or stdin.is_closing():
            return False
        if stdin.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._kill("it does not read its speech")
            return False
        stdin.write(encode(dict(header), payload))
        return True

    async def _keep(self) -> None:
        """Run it again and again, until it dies too often or before it ever was ready."""
        loop = asyncio.get_running_loop()
        deaths, ever = 0, False
        while True:
            born_s = loop.time()
            ready, why = await self._live()
            self.deaths += 1
            deaths = 1 if loop.time() - born_s > STEADY_S else deaths + 1
            ever = ever or ready
            if not ever or deaths > MAX_DEATHS:
                self._give_up(why)
                return
            delay_s = min(0.2 * 2 ** (deaths - 1), 10.0)
            logger.warning("the face's program restarts", extra={"deaths": deaths, "delay_s": delay_s})
            await asyncio.sleep(delay_s)

    async def _live(self) -> tuple[bool, EngineError]:
        """One life: whether it was ready, and why it ended."""
        command = self._options.command
        # A session of its own: Ctrl-C in the terminal is for us, who end the calls first.
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE, env=_environment(), start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            return False, EngineMissing(f"[face] command: {command[0]} cannot be run ({type(error).__name__})")
        self._process, self._owed = process, 0
        noise = asyncio.create_task(self._count_stderr(process), name="face's program stderr")
        watching = asyncio.create_task(self._watch(), name="watch the face's program")
        try:
            why = await self._read(process)
            was_ready = self.ready is not None
        finally:
            self.ready = None
            for call in self._calls.values():
                call.ahead.lost()
            await self._reap(process)
            self._process = None
            noise.cancel()
            watching.cancel()
            await asyncio.wait({noise, watching}, timeout=1.0)
        return was_ready, why

    async def _read(self, process: asyncio.subprocess.Process) -> EngineError:
        """Take what it says until it ends; returns why it did."""
        assert process.stdout is not None
        try:
            async with asyncio.timeout(self._options.ready_s):
                header, _ = await _message(process.stdout)
        except TimeoutError:
            return EngineTimeout(f"[face] command: it did not begin within {self._options.ready_s:g} s")
        except (asyncio.IncompleteReadError, ConnectionError):
            return EngineFailed("[face] command: it ended before it began; run it in a terminal to see why")
        except ValueError:
            return EngineFailed("[face] command: it does not speak the protocol, perhaps it prints to stdout")
        if header.get("op") == "error":
            return EngineMissing(f"[face] command: {str(header.get('message', ''))[:300]}")
        try:
            self.ready = Ready.of(header)
        except ValueError as error:
            return EngineFailed(f"[face] command: {error}")
        for number, call in self._calls.items():
            self._open(number, call)
        self._settled.set()
        try:
            while True:
                header, payload = await _message(process.stdout)
                self._heard_s = asyncio.get_running_loop().time()
                await self._take(header, payload)
        except (asyncio.IncompleteReadError, ConnectionError):
            return EngineFailed("the face's program ended")
        except (ValueError, KeyError, TypeError, RecursionError, UnfitPicture):
            return EngineFailed("the face's program broke its protocol")

    async def _take(self, header: Mapping[str, Any], payload: bytes) -> None:
        """One message; raises for what is none."""
        if header["op"] == "done":
            self._owed = max(0, self._owed - 1)
        call = self._calls.get(header["call"])
        if header["op"] != "frame" or call is None or self.ready is None:
            return
        utterance, offset = header["utterance"], int(header["offset"])
        label = Label(
            int(header["epoch"]), None if utterance is None else int(utterance), call.feed.offset(offset)
        )
        picture = await asyncio.get_running_loop().run_in_executor(
            self._decoding, _decoded, self.ready, payload, call.ahead.size
        )
        call.ahead.take(Drawn(label, picture))

    async def _watch(self) -> None:
        """End a program that owes pictures and says nothing."""
        loop = asyncio.get_running_loop()
        self._heard_s = loop.time()
        while True:
            await asyncio.sleep(WATCH_S)
            if not self._owed:
                self._heard_s = loop.time()
            elif loop.time() - self._heard_s > self._options.answer_s:
                self._kill("it does not answer")
                return

    def _kill(self, why: str) -> None:
        logger.error("the face's program is ended", extra={"why": why})
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    def _give_up(self, why: EngineError) -> None:
        self._failure = self._failure or why
        self._settled.set()
        self._over.set()

    async def _reap(self, process: asyncio.subprocess.Process) -> None:
        if not await reap(process):
            logger.error("the face's program does not end", extra={"pid": process.pid})

    async def _count_stderr(self, process: asyncio.subprocess.Process) -> None:
        """Read it, or the program blocks; only its size is logged, for it may hold what people said."""
        assert process.stderr is not None
        while chunk := await process.stderr.read(65536):
            logger.debug("face's program stderr", extra={"bytes": len(chunk)})


async def _message(stream: asyncio.StreamReader) -> tuple[dict[str, Any], bytes]:
    head_bytes, payload_bytes = LENGTHS.unpack(await stream.readexactly(LENGTHS.size))
    if head_bytes > MAX_HEADER_BYTES or payload_bytes > MAX_PAYLOAD_BYTES:
        raise ValueError("too long a message")
    header = json.loads(await stream.readexactly(head_bytes))
    if not isinstance(header, dict):
        raise ValueError("a header is an object")
    return header, await stream.readexactly(payload_bytes)


def _decoded(ready: Ready, payload: bytes, size: tuple[int, int]) -> Picture:
    return fitted(ready.kind, payload, (ready.width, ready.height), size)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.endswith(_SECRET)}
