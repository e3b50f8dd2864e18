"""Running Pipecat services, lent to one answer at a time and kept for the next."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from compliance.errors import EngineError, EngineFailed, EngineTimeout

if TYPE_CHECKING:
    from agent.engines.hosted import Hosted

logger = logging.getLogger(__name__)

CLOSE_LIMIT_S = 5.0
SETTLE_S = 1.0
"""For a service to confirm that what it was doing is gone; one that does not is closed."""


class Line:
    """One running service. One reader at a time."""

    def __init__(self, name: str, hosted: Hosted, *, key: str = "") -> None:
        """`key` is what it was opened for; it is lent for nothing else."""
        self.key = key
        self._name = name
        self._hosted = hosted
        self._frames: AsyncIterator[Any] | None = None
        self._failed = False

    @property
    def alive(self) -> bool:
        """Whether it can be used again."""
        return not self._failed

    async def start(self) -> None:
        """Connect. Raises `EngineFailed` or `EngineTimeout`."""
        await self._hosted.start()

    async def close(self) -> None:
        """End it within 2 s."""
        await self._hosted.close()

    async def put(self, frame: Any) -> None:
        """Give it a frame. Raises `EngineError` when it is gone."""
        try:
            await self._hosted.put(frame)
        except EngineError:
            self._failed = True
            raise

    async def frame(self, limit_s: float) -> Any:
        """What it says next. Raises `EngineTimeout` after `limit_s`, `EngineFailed` when it is gone."""
        try:
            async with asyncio.timeout(max(limit_s, 0.0)):
                self._frames = self._frames or self._hosted.frames()
                return await anext(self._frames)
        except TimeoutError:
            self._frames = None  # an iterator that was cancelled is at its end; the frames are not lost
            raise EngineTimeout(f"{self._name}: the service took too long") from None
        except StopAsyncIteration:
            self._failed = True
            raise EngineFailed(f"{self._name}: the service ended") from None
        except asyncio.CancelledError:
            self._frames = None
            raise
        except EngineError:
            self._failed = True
            raise

    async def abandon(self) -> None:
        """Stop what it is doing. Returns when nothing of it can come any more. Raises `EngineError`."""
        from pipecat.frames.frames import InterruptionFrame

        await self.put(InterruptionFrame())
        while not isinstance(await self.frame(SETTLE_S), InterruptionFrame):
            pass


LineT = TypeVar("LineT", bound=Line)


class Lines(Generic[LineT]):
    """A bounded pool of them."""

    def __init__(self, name: str, make: Callable[[str], LineT], *, most: int) -> None:
        """`make` makes one for a key, and connects to nothing yet; `most` is of all keys together."""
        self._name = name
        self._make = make
        self._most = most
        self._idle: dict[str, deque[LineT]] = {}
        self._lines: set[LineT] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = True

    def open(self) -> None:
        """Lines may be lent from now on."""
        self._closed = False

    @property
    def any(self) -> bool:
        """Whether there is one already."""
        return bool(self._lines)

    async def lend(self, key: str = "") -> LineT:
        """One that is free, or a new one. Raises `EngineError`, also when so many are in use."""
        idle = self._idle.get(key)
        while idle:
            line = idle.pop()
            if line.alive:
                return line
            self._drop(line)
        if self._closed:
            raise EngineFailed(f"{self._name}: not started")
        if len(self._lines) >= self._most:
            raise EngineFailed(f"{self._name}: {self._most} are in use already")
        line = self._make(key)
        self._lines.add(line)
        try:
            await line.start()
        except BaseException:
            # Also when the wait was cancelled: half started it would go on connecting.
            self._drop(line)
            raise
        return line

    def back(self, line: LineT, *, whole: bool) -> None:
        """Take it back. `whole`: it finished, and nothing more can come; otherwise it is stopped first."""
        if whole and line.alive and not self._closed:
            self._idle.setdefault(line.key, deque()).append(line)
        elif whole or not line.alive:
            self._drop(line)
        else:
            self._begin(self._settle(line), "settle")

    async def close(self) -> None:
        """Close all, within 5 s."""
        self._closed = True
        self._idle.clear()
        for line in tuple(self._lines):
            self._drop(line)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_LIMIT_S)

    async def _settle(self, line: LineT) -> None:
        try:
            await line.abandon()
        except EngineError:
            logger.info("a service is closed", extra={"service": self._name})
            self._lines.discard(line)
            await line.close()
        else:
            self.back(line, whole=True)

    def _drop(self, line: LineT) -> None:
        self._lines.discard(line)
        self._begin(line.close(), "close")

    def _begin(self, work: Any, what: str) -> None:
        task = asyncio.create_task(work, name=f"{self._name} {what}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
