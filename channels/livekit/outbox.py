"""Everything the twin writes into a room, one after the other, so that words arrive in their order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

MAX_WAITING = 64
SEND_LIMIT_S = 4.0


class Outbox:
    """Bounded: what comes when `MAX_WAITING` are waiting is dropped and counted. `run` sends."""

    def __init__(self) -> None:
        self.sent = 0
        self.dropped = 0
        """What found no room."""
        self.failed = 0
        """What the room did not take in time, or at all."""
        self._waiting: deque[Callable[[], Awaitable[object]]] = deque()
        self._wake = asyncio.Event()
        self._way = asyncio.Event()
        self._way.set()
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, send: Callable[[], Awaitable[object]]) -> None:
        """Returns at once."""
        if len(self._waiting) >= MAX_WAITING:
            self.dropped += 1
            return
        self._waiting.append(send)
        self._idle.clear()
        self._wake.set()

    def way(self, there: bool) -> None:
        """Whether the room can be written to now; until it can, everything waits."""
        if there:
            self._way.set()
        else:
            self._way.clear()

    async def flush(self, limit_s: float) -> None:
        """Wait until all of it is sent, at most so long."""
        try:
            async with asyncio.timeout(limit_s):
                await self._idle.wait()
        except TimeoutError:
            return

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._way.wait()
                await self._send(self._waiting.popleft())
            self._idle.set()

    async def _send(self, send: Callable[[], Awaitable[object]]) -> None:
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                await send()
        except Exception as error:  # noqa: BLE001  the SDK raises anything, and a line of chat must not end a call
            self.failed += 1
            logger.warning("a message to the room was not sent", extra={"error": type(error).__name__})
            return
        self.sent += 1
