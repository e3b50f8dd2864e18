"""The keys that are pressed in this terminal, one at a time and without Enter."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

MAX_WAITING = 16
LOOK_EVERY_S = 0.1
ENTER = "\n"


class Keys:
    """`async with` it; the terminal is as before afterwards. What comes through a pipe counts as keys, too."""

    def __init__(self, fd: int | None = None) -> None:
        self.there = False
        """Whether keys can come at all."""
        self._fd = fd
        self._pressed: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)
        self._restore: Callable[[], None] = lambda: None
        self._polling: asyncio.Task[None] | None = None

    async def next(self) -> str:
        """The next key, in lower case; `ENTER` for either kind of it."""
        return await self._pressed.get()

    async def __aenter__(self) -> Keys:
        if sys.platform == "win32":
            self._polling = asyncio.create_task(self._poll(importlib.import_module("msvcrt")), name="keys")
            self.there = True
            return self
        loop = asyncio.get_running_loop()
        try:
            fd = self._fd = sys.stdin.fileno() if self._fd is None else self._fd
            loop.add_reader(fd, self._read)
        except (OSError, ValueError):
            # Nothing to read from, such as a file or a closed stdin.
            return self
        self.there = True
        self._restore = _one_at_a_time(fd)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop_reading()
        self._restore()
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait({self._polling})

    def _read(self) -> None:
        assert self._fd is not None
        try:
            data = os.read(self._fd, 64)
        except OSError:
            data = b""
        if not data:
            self._stop_reading()
            return
        for key in data.decode(errors="ignore"):
            self.press(key)

    def press(self, key: str) -> None:
        """As if it had been pressed."""
        # Keys that nobody waits for are leant on, and only the first of them were meant.
        if not self._pressed.full():
            self._pressed.put_nowait(ENTER if key == "\r" else key.lower())

    def _stop_reading(self) -> None:
        if self.there and self._polling is None and self._fd is not None:
            asyncio.get_running_loop().remove_reader(self._fd)

    async def _poll(self, keyboard: Any) -> None:
        while True:
            while keyboard.kbhit():
                self.press(str(keyboard.getwch()))
            await asyncio.sleep(LOOK_EVERY_S)


def _one_at_a_time(fd: int) -> Callable[[], None]:
    """Have a terminal give keys as they are pressed; returns what sets it back."""
    termios = importlib.import_module("termios")
    try:
        before = termios.tcgetattr(fd)
    except termios.error:
        return lambda: None
    now = [*before]
    now[3] &= ~(termios.ICANON | termios.ECHO)
    termios.tcsetattr(fd, termios.TCSADRAIN, now)
    return lambda: termios.tcsetattr(fd, termios.TCSADRAIN, before)
