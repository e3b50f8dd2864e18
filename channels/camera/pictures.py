"""The twin's face on the virtual camera: each frame is shown when its sample is heard, and none waits anywhere."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from channels.view import View
from compliance.errors import EngineError

logger = logging.getLogger(__name__)

AHEAD_MS = 35
"""How long before its sample is heard a frame is begun: what drawing it and handing it over may take."""
AGAIN_S = 0.5
"""Where nothing new is due, the last picture is shown again so often: a camera that falls silent looks broken."""
MAX_FAILURES = 5
"""In a row, after which no further picture is tried."""


class Screen(Protocol):
    """A virtual camera."""

    async def show(self, width: int, height: int, i420: bytes) -> None:
        """Show this picture from now on. Within 2 s; raises `EngineError`."""
        ...


class Pictures:
    """Draws for one call, in a task of its own. What is due while another is drawn replaces what waited."""

    def __init__(self, view: View, screen: Screen, on_trouble: Callable[[str], None]) -> None:
        """`on_trouble` is told once, in words for a person, when there will be no further picture."""
        self.shown = 0
        self.skipped = 0
        """Frames that were due while another was drawn."""
        self.stale = 0
        """Frames that were drawn again because their epoch was over before they could be shown."""
        self.late_ms = 0.0
        """How much later than its sample the last frame was shown; negative is earlier."""
        self._view = view
        self._screen = screen
        self._on_trouble = on_trouble
        self._told = 0
        self._due: tuple[int, float] | None = None
        """The frame to draw next, and the loop's time at which its sample is heard."""
        self._wake = asyncio.Event()
        self._last: tuple[int, int, bytes] | None = None
        self._failures = 0

    def heard(self, position: int) -> None:
        """The sound has been played up to here; frames that follow soon are begun."""
        clock = self._view.clock
        begin, end = self._told, min(position + clock.samples(AHEAD_MS), clock.position)
        if end <= begin:
            return
        self._told = end
        now = asyncio.get_running_loop().time()
        for number in self._view.due(begin, end):
            self.skipped += self._due is not None
            wait_s = (self._view.cadence.position(number) - position) / clock.rate_hz
            self._due = number, now + wait_s
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled, or until no picture can be shown any more."""
        while True:
            try:
                async with asyncio.timeout(AGAIN_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            due, self._due = self._due, None
            try:
                if due is not None:
                    await self._show(*due)
                elif self._last is not None:
                    await self._screen.show(*self._last)
            except EngineError as error:
                self._failures += 1
                logger.warning("a picture was not shown", extra={"code": error.code, "row": self._failures})
                if self._failures >= MAX_FAILURES:
                    self._on_trouble(error.message)
                    return
            else:
                self._failures = 0

    async def _show(self, number: int, at_s: float) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                made = await loop.run_in_executor(self._view.pool, self._drawn, number)
            except RuntimeError:
                # The pool has been shut down, which is how a process ends.
                return
            if made is None:
                return
            await asyncio.sleep(max(0.0, at_s - loop.time()))
            width, height, i420, epoch = made
            if epoch == self._view.clock.epoch:
                break
            self.stale += 1
        self.late_ms = (loop.time() - at_s) * 1000
        self._last = width, height, i420
        await self._screen.show(width, height, i420)
        self.shown += 1

    def _drawn(self, number: int) -> tuple[int, int, bytes, int] | None:
        frame = self._view.draw(number)
        if frame is None:
            return None
        picture = frame.picture
        return picture.width, picture.height, picture.i420.tobytes(), frame.epoch
