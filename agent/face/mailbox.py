"""From the thread that draws to the loop: what a renderer is told, in order and bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

MAX_TOLD = 512
"""A renderer that does not take it loses the oldest; at most two seconds of it will still sound."""


@dataclass(frozen=True, slots=True)
class Speech:
    """See `avatar.ahead.Renderer.speak`."""

    utterance: int
    offset: int
    pcm: bytes
    epoch: int
    last: bool


@dataclass(frozen=True, slots=True)
class Clear:
    """See `avatar.ahead.Renderer.clear`."""

    epoch: int


class Mailbox:
    """An `avatar.ahead.Renderer` that is told on any thread and read on the loop, by one reader."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._told: deque[Speech | Clear] = deque(maxlen=MAX_TOLD)
        self._news = asyncio.Event()

    def speak(self, utterance: int, offset: int, pcm: bytes, epoch: int, *, last: bool) -> None:
        """From the face."""
        self._post(Speech(utterance, offset, pcm, epoch, last))

    def clear(self, epoch: int) -> None:
        """From the face."""
        self._post(Clear(epoch))

    async def next(self) -> Speech | Clear:
        """What was told next; waits for it."""
        while not self._told:
            self._news.clear()
            await self._news.wait()
        return self._told.popleft()

    def empty(self) -> None:
        """Nobody will read what has been told so far."""
        self._told.clear()

    def _post(self, what: Speech | Clear) -> None:
        # Between the call's end and the last frame the loop may be closed.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, what)

    def _put(self, what: Speech | Clear) -> None:
        if isinstance(what, Clear):
            self._told.clear()
        self._told.append(what)
        self._news.set()
