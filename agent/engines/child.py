"""A child process of ours, for work that must not happen in the process of the calls.

Three reasons put work here: it holds the interpreter lock (audio is 20 ms, a decode is a second), its licence
is the GPL (espeak-ng), or it may crash natively. The parent uses `Child`; the module it names calls `serve`:

    # agent/engines/voice/echo_child.py          # in the engine
    def handle(job: Job) -> Iterator[Message]:   child = Child("agent.engines.voice.echo_child", name="echo")
        yield Message(payload=job.payload)       await child.start()
                                                 reply = await child.request("echo", pcm, timeout_s=1.0)
    if __name__ == "__main__":
        serve(handle)

On the wire (the child's stdin and stdout): two big-endian uint32, the lengths of a JSON header and of a
binary payload, then both. A job is answered by any number of messages and one end or error. The child works
on one job at a time, in order; a cancelled job is skipped, or stopped at its next message. It ends by itself
when its stdin closes, so `kill -9` of the parent leaves no orphan.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import queue
import struct
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from agent.engines.reaping import reap
from compliance.errors import EngineError, EngineFailed, EngineMissing, EngineTimeout

logger = logging.getLogger(__name__)

_LENGTHS = struct.Struct(">II")
MAX_HEADER_BYTES = 256 * 1024
MAX_PAYLOAD_BYTES = 16 * 1024 * 1024
MAX_WAITING_JOBS = 256
"""In the child; one more is answered with an error, so that the parent learns of the overload at once."""
MAX_UNREAD_MESSAGES = 1024
"""Per job in the parent; a reader that far behind loses its job rather than the others their replies."""
LAST_WORDS_S = 1.0
"""For what a child that no longer listens has said before; then it is ended."""
STEADY_S = 60.0
"""A child that lived this long is healthy: its earlier deaths are forgotten."""
_ERRORS: dict[str, type[EngineError]] = {e.code: e for e in (EngineMissing, EngineFailed, EngineTimeout)}


@dataclass(frozen=True, slots=True)
class Message:
    """What travels: JSON values and bytes."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    payload: bytes = b""


def _encode(header: Mapping[str, Any], payload: bytes) -> bytes:
    head = json.dumps(header).encode()
    if len(head) > MAX_HEADER_BYTES or len(payload) > MAX_PAYLOAD_BYTES:
        raise EngineFailed("a message to or from a child process is too long")
    return _LENGTHS.pack(len(head), len(payload)) + head + payload


class Child:
    """The parent's side. Started once, shared by all calls of the process, restarted when it dies."""

    def __init__(
        self,
        module: str,
        args: Sequence[str] = (),
        *,
        name: str,
        ready_timeout_s: float = 30.0,
        max_restarts: int = 5,
    ) -> None:
        """Run as `python -m module args`; `max_restarts` counts deaths within `STEADY_S` of birth."""
        self._module = module
        self._args = tuple(args)
        self._name = name
        self._ready_timeout_s = ready_timeout_s
        self._max_restarts = max_restarts
        self._ids = itertools.count(1)
        self._unread: dict[int, asyncio.Queue[Message | EngineError | None]] = {}
        self._keeper: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()  # set while the child is up, and when it was given up
        self._process: asyncio.subprocess.Process | None = None
        self._given_up: EngineError | None = None
        self._reading: asyncio.Timeout | None = None
        """What the process's stdout is read in."""
        self._greeted = False
        self._greeting: Mapping[str, Any] = {}

    @property
    def greeting(self) -> Mapping[str, Any]:
        """What the child's `setup` returned."""
        return self._greeting

    @property
    def pid(self) -> int | None:
        """The process id while the child is up."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Spawn it and wait until its `setup` is done. Raises what `setup` raised, or `EngineTimeout`.

        Safe to call again: after a child was given up for its deaths, this tries anew.
        """
        if self._keeper is None or self._keeper.done():
            self._given_up = None
            self._settled.clear()
            self._keeper = asyncio.create_task(self._keep(), name=f"child {self._name}")
        try:
            async with asyncio.timeout(self._ready_timeout_s):
                await self._up()
        except TimeoutError:
            await self.close()
            raise EngineTimeout(f"{self._name}: not ready within {self._ready_timeout_s:g} s") from None
        except EngineError:
            await self.close()
            raise

    async def request(self, op: str, payload: bytes = b"", *, timeout_s: float, **fields: Any) -> Message:
        """Send a job and return its first message (an empty one if it has none), all within `timeout_s`.

        Raises `EngineTimeout`, `EngineFailed` (the child died or the job failed) or `EngineMissing`. A
        request that is cancelled or too late is cancelled in the child too.
        """
        messages = self.stream(op, payload, timeout_s=timeout_s, **fields)
        try:
            async with asyncio.timeout(timeout_s):
                async for message in messages:
                    return message
                return Message()
        except TimeoutError:
            raise EngineTimeout(f"{self._name}: no answer within {timeout_s:g} s") from None
        finally:
            await messages.aclose()

    async def stream(
        self, op: str, payload: bytes = b"", *, timeout_s: float, **fields: Any
    ) -> AsyncGenerator[Message, None]:
        """Send a job and yield its messages as they come; `timeout_s` limits each wait, not the whole.

        Leave it early only inside `contextlib.aclosing`: closing the generator is what cancels the job.
        """
        number = next(self._ids)
        unread: asyncio.Queue[Message | EngineError | None] = asyncio.Queue(MAX_UNREAD_MESSAGES)
        over = False
        try:
            async with asyncio.timeout(timeout_s):
                process = await self._up()
                self._unread[number] = unread
                self._write(process, {"id": number, "op": op, "fields": fields}, payload)
                await self._drain(process)
            while True:
                async with asyncio.timeout(timeout_s):
                    got = await unread.get()
                if isinstance(got, Message):
                    yield got
                    continue
                over = True
                if got is None:
                    return
                raise type(got)(got.message)
        except TimeoutError:
            raise EngineTimeout(f"{self._name}: no answer within {timeout_s:g} s") from None
        finally:
            if self._unread.pop(number, None) is not None and not over and self._process is not None:
                self._write(self._process, {"id": number, "op": "cancel"}, b"")

    async def close(self) -> None:
        """End the child within 5 s: close its stdin, terminate, kill. Safe to call twice."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait({keeper}, timeout=5.0)
        self._give_up(EngineFailed(f"{self._name}: closed"))

    async def _up(self) -> asyncio.subprocess.Process:
        """The running process, once it is ready; the caller bounds the wait."""
        if self._keeper is None:
            raise EngineFailed(f"{self._name}: not started")
        while True:
            await self._settled.wait()
            process = self._process
            if process is None:
                gone = self._given_up or EngineFailed(f"{self._name}: not running")
                raise type(gone)(gone.message)
            assert process.stdin is not None
            if not process.stdin.is_closing():
                return process
            # A process that was killed shows it here first: what it had said before may still be unread on its
            # stdout, and until that ends every job would be given to the dead.
            assert self._reading is not None
            self._reading.reschedule(asyncio.get_running_loop().time() + LAST_WORDS_S)
            self._process = None
            self._settled.clear()

    def _write(self, process: asyncio.subprocess.Process, header: Mapping[str, Any], payload: bytes) -> None:
        assert process.stdin is not None
        if not process.stdin.is_closing():
            process.stdin.write(_encode(header, payload))

    async def _drain(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        try:
            await process.stdin.drain()
        except ConnectionError:
            raise EngineFailed(f"{self._name}: the process ended") from None

    async def _keep(self) -> None:
        """Run the child again and again, until it dies too often or before it ever was ready."""
        loop = asyncio.get_running_loop()
        deaths = 0
        ever_ready = False
        while True:
            born = loop.time()
            ready, why = await self._live()
            deaths = 1 if loop.time() - born > STEADY_S else deaths + 1
            ever_ready = ever_ready or ready
            if not ever_ready or deaths > self._max_restarts:
                self._give_up(why)
                return
            self._fail_jobs(why)
            delay_s = min(0.1 * 2 ** (deaths - 1), 5.0)
            logger.warning("child restarts", extra={"child": self._name, "deaths": deaths, "delay_s": delay_s})
            await asyncio.sleep(delay_s)

    async def _live(self) -> tuple[bool, EngineError]:
        """One life: whether it became ready, and why it ended."""
        # -P and our own import path: a folder named `agent` in the working directory must not shadow ours.
        # A session of its own: Ctrl-C in the terminal is for the parent, which ends its calls first.
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", self._module, *self._args,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)},
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            return False, EngineFailed(f"{self._name}: no process can be started ({type(error).__name__})")
        noise = asyncio.create_task(self._count_stderr(process), name=f"child {self._name} stderr")
        self._greeted = False
        why = None
        try:
            self._reading = asyncio.timeout(None)
            async with self._reading:
                why = await self._read(process)
        except TimeoutError:
            pass  # it no longer listens, and has had the time for its last words
        finally:
            self._process = None
            self._settled.clear()
            await self._reap(process)
            noise.cancel()
            await asyncio.wait({noise}, timeout=1.0)
        if why is None:
            why = EngineFailed(
                f"{self._name}: the process ended with status {process.returncode}; "
                f"`python -m {self._module}` shows why"
            )
        return self._greeted, why

    async def _read(self, process: asyncio.subprocess.Process) -> EngineError | None:
        """Hand out what the child says until it ends; returns the error that ended it, if it named one."""
        assert process.stdout is not None
        while True:
            try:
                head_bytes, payload_bytes = _LENGTHS.unpack(await process.stdout.readexactly(_LENGTHS.size))
                if head_bytes > MAX_HEADER_BYTES or payload_bytes > MAX_PAYLOAD_BYTES:
                    return EngineFailed(f"{self._name}: broke its protocol")
                header = json.loads(await process.stdout.readexactly(head_bytes))
                payload = await process.stdout.readexactly(payload_bytes)
                if (failure := self._take(process, header, payload)) is not None:
                    return failure
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
            except (ValueError, KeyError, AttributeError):
                return EngineFailed(f"{self._name}: broke its protocol")

    def _take(
        self, process: asyncio.subprocess.Process, header: Mapping[str, Any], payload: bytes
    ) -> EngineError | None:
        """Hand out one message; returns an error that ends the child."""
        error = header.get("error")
        failure = _ERRORS.get(error, EngineFailed)(header.get("message", "")) if error else None
        if header["id"] == 0:  # about the child itself: its greeting, or why it cannot work
            if failure is None:
                self._greeting, self._greeted = header["fields"], True
                self._process = process
                self._settled.set()
            return failure
        if failure is not None or header.get("end"):
            self._hand(header["id"], failure)
        else:
            self._hand(header["id"], Message(header["fields"], payload))
        return None

    def _hand(self, number: int, what: Message | EngineError | None) -> None:
        unread = self._unread.get(number)
        if unread is None:
            return  # cancelled meanwhile
        if unread.full():
            while not unread.empty():
                unread.get_nowait()
            what = EngineFailed(f"{self._name}: its messages were not read in time")
            del self._unread[number]
            if self._process is not None:
                self._write(self._process, {"id": number, "op": "cancel"}, b"")
        unread.put_nowait(what)

    def _fail_jobs(self, why: EngineError) -> None:
        for number in list(self._unread):
            self._hand(number, why)

    def _give_up(self, why: EngineError) -> None:
        self._given_up = why
        self._fail_jobs(why)
        self._settled.set()

    async def _reap(self, process: asyncio.subprocess.Process) -> None:
        if not await reap(process):
            logger.error("child does not end", extra={"child": self._name, "pid": process.pid})

    async def _count_stderr(self, process: asyncio.subprocess.Process) -> None:
        """Read it, or the child blocks; log only its size, for it may hold what people said."""
        assert process.stderr is not None
        while chunk := await process.stderr.read(65536):
            logger.debug("child stderr", extra={"child": self._name, "bytes": len(chunk)})


class Job:
    """The child's side: one job to answer."""

    def __init__(self, number: int, op: str, fields: Mapping[str, Any], payload: bytes) -> None:
        self.number = number
        self.op = op
        self.fields = fields
        self.payload = payload
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """True when the parent no longer wants it; long work looks here now and then."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Mark it unwanted."""
        self._cancelled.set()


Handler = Callable[[Job], Iterator[Message]]


class _Pipe:
    """The child's two ends; a thread reads, so that a cancel or the parent's death is seen during work."""

    def __init__(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._lock = threading.Lock()
        self._open: dict[int, Job] = {}
        self.jobs: queue.Queue[Job] = queue.Queue(MAX_WAITING_JOBS)

    def send(self, number: int, payload: bytes = b"", **header: Any) -> None:
        with self._lock:
            self._stdout.write(_encode({"id": number, **header}, payload))
            self._stdout.flush()

    def done(self, job: Job) -> None:
        self._open.pop(job.number, None)

    def read(self) -> None:
        """Read until the parent is gone, then end this process whatever it is doing."""
        while True:
            lengths = self._stdin.read(_LENGTHS.size)
            if len(lengths) < _LENGTHS.size:
                os._exit(0)
            head_bytes, payload_bytes = _LENGTHS.unpack(lengths)
            header = json.loads(self._stdin.read(head_bytes) or "{}")
            payload = self._stdin.read(payload_bytes)
            if not header or len(payload) < payload_bytes:
                os._exit(0)
            self._take(header, payload)

    def _take(self, header: Mapping[str, Any], payload: bytes) -> None:
        number = header["id"]
        if header["op"] == "cancel":
            if job := self._open.get(number):
                job.cancel()
            return
        job = Job(number, header["op"], header["fields"], payload)
        self._open[number] = job
        try:
            self.jobs.put_nowait(job)
        except queue.Full:
            self.done(job)
            self.send(number, error=EngineFailed.code, message="too many jobs wait for the child process")


def serve(handle: Handler, *, setup: Callable[[], Mapping[str, Any]] | None = None) -> None:
    """The child's main loop: run `setup`, greet with what it returns, then answer jobs in order, for ever.

    `handle` is a generator that yields the messages of one job. An `EngineError` it raises reaches the parent
    as it is; of any other only the class name does, for its text may hold what people said. `print` goes to
    stderr: the real stdout belongs to the protocol, also against libraries that print.
    """
    pipe = _Pipe(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    threading.Thread(target=pipe.read, name="parent", daemon=True).start()
    try:
        greeting = dict(setup()) if setup else {}
    except EngineError as error:
        pipe.send(0, error=error.code, message=error.message)
        os._exit(1)
    pipe.send(0, fields=greeting)
    while True:
        job = pipe.jobs.get()
        try:
            messages = iter(() if job.cancelled else handle(job))
            for message in messages:
                if job.cancelled:
                    break
                pipe.send(job.number, message.payload, fields=dict(message.fields))
            pipe.send(job.number, end=True)
        except EngineError as error:
            pipe.send(job.number, error=error.code, message=error.message)
        except Exception as error:  # noqa: BLE001 - a bad job must end that job, not every call's engine
            pipe.send(job.number, error=EngineFailed.code, message=f"the job failed: {type(error).__name__}")
        finally:
            pipe.done(job)
