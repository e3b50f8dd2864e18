"""The picture on the wire: for each frame that is due, drawn, encoded and sent; there is no queue."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.packet import Packet

from channels.view import Frame, View
from channels.web.handover import Handover
from channels.web.vp8 import TICKS_HZ, Vp8

logger = logging.getLogger(__name__)

PACE_S = 0.02
"""How long after its sample a frame leaves, unless drawing and encoding take longer: a receiver sees frames as
evenly as they leave. It costs no time: browsers hold the picture back for longer, to wait for the sound."""
MAX_FAILURES = 3
"""Frames in a row that cannot be encoded, after which no more are tried."""
KEY_GAP_S = 0.5
"""A receiver that asks for key frames again and again gets one in so long."""
LIMIT_GAP_S = 3.0
"""And one that keeps changing its mind about its bandwidth is listened to so often."""


class FaceTrack(MediaStreamTrack):
    """Gives aiortc encoded frames on the clock of the sound. What cannot be drawn in time is left out."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.handover = Handover()
        self.sent = 0
        self.skipped = 0
        """Frames that were due while another was still being drawn."""
        self.stale = 0
        """Frames that were made again because their epoch was over before they could leave."""
        self._view: View | None = None
        self._encoder: Vp8 | None = None
        self.failures = 0
        """Frames in a row that could not be encoded."""
        self._due: tuple[int, float] | None = None
        """The frame to draw next, and the loop's time at which it is to leave."""
        self._wake = asyncio.Event()
        self._key = False
        self._key_at = self._limit_at = float("-inf")
        self._limit_kbps: float | None = None

    def attach(self, view: View) -> None:
        """The call has begun and has a face."""
        self._view = view

    def left(self, begin: int, end: int, at_s: float = 0.0) -> None:
        """These samples have just left the outlet, and the frames among them are due. `at_s` is the loop's time at
        which the first of them was to leave, by a clock that does not tremble."""
        view = self._view
        if view is None:
            return
        for number in view.due(begin, end):
            self.skipped += self._due is not None
            offset_s = (view.cadence.position(number) - begin) / view.clock.rate_hz
            self._due = number, at_s + offset_s + PACE_S
            self._wake.set()

    def want_key(self) -> None:
        """The receiver cannot decode without a whole picture."""
        now = asyncio.get_running_loop().time()
        if now - self._key_at >= KEY_GAP_S:
            self._key, self._key_at = True, now

    def limit(self, kbps: float) -> None:
        """The receiver can take so much."""
        now = asyncio.get_running_loop().time()
        if now - self._limit_at >= LIMIT_GAP_S:
            self._limit_kbps, self._limit_at = kbps, now

    async def recv(self) -> Packet[Any]:
        """The next frame that is due. Raises `MediaStreamError` once the track has stopped."""
        self.handover.asked()
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self.readyState != "live" or self._view is None:
                raise MediaStreamError
            due, self._due = self._due, None
            packet = None if due is None else await self._made(self._view, *due)
            if packet is not None and packet.pts is not None:
                self.sent += 1
                self.handover.gives(packet.pts)
                return packet

    def stop(self) -> None:
        super().stop()
        self._wake.set()

    async def _made(self, view: View, number: int, leaves_s: float) -> Packet[Any] | None:
        loop = asyncio.get_running_loop()
        while True:
            key, self._key = self._key, False
            try:
                making = loop.run_in_executor(view.pool, self._encoded, view, number, key)
            except RuntimeError:
                # The pool has been shut down, which is how a process ends.
                raise MediaStreamError from None
            made = await making
            if made is None:
                return None
            await asyncio.sleep(max(0.0, leaves_s - loop.time()))
            packet, epoch = made
            if epoch == view.clock.epoch:
                return packet
            # The encoder already counts on the frame that does not leave; only a key frame forgets it.
            self.stale += 1
            self._key = True

    def _encoded(self, view: View, number: int, key: bool) -> tuple[Packet[Any], int] | None:
        frame = view.draw(number) if self.failures < MAX_FAILURES else None
        if frame is None:
            return None
        try:
            packet = self._packet(view, frame, key)
        except Exception as error:  # noqa: BLE001  FFmpeg raises anything, and aiortc would end the track with it
            self._encoder = None
            self.failures += 1
            logger.error(
                "a frame could not be encoded", extra={"error": type(error).__name__, "row": self.failures}
            )
            return None
        self.failures = 0
        return packet, frame.epoch

    def _packet(self, view: View, frame: Frame, key: bool) -> Packet[Any]:
        picture, film = frame.picture, view.film
        if self._encoder is None:
            self._encoder = Vp8(picture.width, picture.height, film.fps, film.bitrate_kbps)
        limit, self._limit_kbps = self._limit_kbps, None
        if limit is not None:
            self._encoder.limit(limit)
        return self._encoder.encode(picture, view.cadence.ticks(frame.number, TICKS_HZ), key=key)
