"""The twin's picture in a room: each frame leaves LiveKit's source when its sample does. There is no queue."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from channels.livekit.wire import RoomWire
from channels.view import View

logger = logging.getLogger(__name__)

MAX_DUE = 8
"""Numbers of frames whose time is near; no picture waits."""
DRAW_S = 0.03
"""How long before its time a frame is begun."""
MAX_DRAWINGS = 3
"""Of one frame whose sound was taken back while it was drawn."""
VOICE_LATE_S = 0.01
"""By so much longer a voice takes through LiveKit and its receivers than a picture: the picture waits for it."""
LATE_S = 0.12
"""A frame that is so late is left out; the next one is almost due."""


class Pictures:
    """One call's video. `left` is told what left the outlet; `run` draws and captures."""

    def __init__(
        self,
        rtc: Any,
        view: View,
        wire: RoomWire,
        now: Callable[[], float],
        publish: Callable[[Any, int, int], Awaitable[None]],
    ) -> None:
        """`publish` is given the video source, its width and height, once the first picture is there."""
        self.sent = 0
        self.skipped = 0
        """Frames that were too late, because others took too long to draw."""
        self.stale = 0
        """Frames that were drawn again because what they belonged to was taken back."""
        self._rtc = rtc
        self._view = view
        self._wire = wire
        self._now = now
        self._publish = publish
        self._source: Any = None
        self._due: deque[int] = deque(maxlen=MAX_DUE)
        self._wake = asyncio.Event()
        self._last_us = 0

    def left(self, begin: int, end: int) -> None:
        """These samples have just left the outlet, and the frames among them are due."""
        for number in self._view.due(begin, end):
            self.skipped += len(self._due) == MAX_DUE
            self._due.append(number)
            self._wake.set()

    async def run(self) -> None:
        """Until the face is broken for good, or cancelled."""
        while not self._view.broken:
            await self._wake.wait()
            self._wake.clear()
            while self._due:
                number = self._due.popleft()
                left_s = self._leaves_at(number) - self._now()
                if left_s < -LATE_S:
                    self.skipped += 1
                    continue
                # Not at once: what is drawn early is drawn in vain when somebody interrupts.
                await asyncio.sleep(max(0.0, left_s - DRAW_S))
                await self._show(number)

    async def close(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            await source.aclose()

    async def _show(self, number: int) -> None:
        for _ in range(MAX_DRAWINGS):
            clears = self._wire.clears
            drawn = await self._drawn(number)
            if drawn is None:
                return
            frame, epoch = drawn
            if self._source is None:
                source = self._rtc.VideoSource(frame.width, frame.height)
                await self._publish(source, frame.width, frame.height)
                self._source = source
            leaves_at = self._leaves_at(number)
            if self._now() - leaves_at > LATE_S:
                self.skipped += 1
                return
            await asyncio.sleep(max(0.0, leaves_at - self._now()))
            if self._wire.clears == clears and self._view.clock.epoch == epoch:
                self._capture(frame, leaves_at)
                return
            self.stale += 1

    def _leaves_at(self, number: int) -> float:
        position = self._view.cadence.position(number)
        return self._wire.playout.leaves_at(position, self._now()) + VOICE_LATE_S

    def _capture(self, frame: Any, leaves_at: float) -> None:
        # By the time at which it should leave and not at which it does: a receiver shows pictures as evenly as
        # their times are.
        self._last_us = max(self._last_us + 1_000, round(leaves_at * 1e6))
        self._source.capture_frame(frame, timestamp_us=self._last_us)
        self.sent += 1

    async def _drawn(self, number: int) -> tuple[Any, int] | None:
        try:
            drawing = asyncio.get_running_loop().run_in_executor(self._view.pool, self._draw, number)
        except RuntimeError:
            # The pool has been shut down, which is how a process ends.
            return None
        return await drawing

    def _draw(self, number: int) -> tuple[Any, int] | None:
        frame = self._view.draw(number)
        if frame is None:
            return None
        picture = frame.picture
        # A copy: the picture is drawn over, and the SDK never checks how long a buffer is.
        data = picture.i420.tobytes()
        return self._rtc.VideoFrame(
            picture.width, picture.height, self._rtc.VideoBufferType.I420, data
        ), frame.epoch
