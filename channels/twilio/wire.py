"""The outlet's last step on a phone call: chunks to Media Streams messages, marks between them, one sender."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.websockets import WebSocketDisconnect

from channels.twilio import mulaw
from channels.twilio.playout import Playout
from channels.twilio.protocol import Writer, close_reason
from channels.twilio.rest import HangUpFailed
from channels.twilio.settings import PHONE_RATE_HZ

logger = logging.getLogger(__name__)

BYTES_PER_SAMPLE = 2
MARK_SPEAKING_SAMPLES = PHONE_RATE_HZ // 5
MARK_IDLE_SAMPLES = PHONE_RATE_HZ
DRAIN_LIMIT_S = 0.3
CLOSE_LIMIT_S = 1.0
SILENCE = bytes(PHONE_RATE_HZ // 50 * BYTES_PER_SAMPLE)


class Socket(Protocol):
    """What the wire needs of the websocket."""

    async def send_text(self, data: str) -> None: ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class TwilioWire:
    """`channels.wire.Wire` for one media stream. `run` sends what `send` and `clear` queue.

    The queue is bounded: a socket that takes nothing for `max_queued` messages is too slow for a conversation, so
    from then on everything is dropped, `overflowed` is True, and whoever paces the call ends it.
    """

    rate_hz = PHONE_RATE_HZ

    def __init__(
        self,
        stream_sid: str,
        socket: Socket,
        *,
        now: Callable[[], float],
        hang_up: Callable[[], Awaitable[None]] | None,
        put_through: Callable[[str], Awaitable[None]] | None = None,
        max_queued: int = 100,
    ) -> None:
        """`hang_up` ends the call by REST, `put_through` connects it with a number; both raise `HangUpFailed`, and
        are None when there are no credentials."""
        self.playout = Playout(PHONE_RATE_HZ)
        self.bytes_sent = 0
        self.bytes_forgotten = 0
        """Of `bytes_sent`: what `clear` took back out of the queue before it reached the socket."""
        self.bytes_dropped = 0
        """What came when the queue was full or the call was closing; not part of `bytes_sent`."""
        self.overflowed = False
        self._writer = Writer(stream_sid)
        self._silence_message = self._writer.media(mulaw.encode(SILENCE))
        self._socket = socket
        self._now = now
        self._hang_up = hang_up
        self._put_through = put_through
        self._goes_to = ""
        self._max_queued = max_queued
        self._queue: deque[tuple[str, int]] = deque()
        """Messages with the samples they hold."""
        self._queued = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._sounding = False
        self._since_mark = 0
        self._far_end_left = False
        self._closing: asyncio.Future[None] | None = None

    @property
    def closing(self) -> bool:
        return self._closing is not None

    def send(self, pcm: bytes) -> None:
        if self.closing or len(self._queue) >= self._max_queued:
            self.overflowed = self.overflowed or not self.closing
            self.bytes_dropped += len(pcm)
            return
        now = self._now()
        silent = pcm == SILENCE
        if silent and self._sounding:
            self._mark(now)
        samples = len(pcm) // BYTES_PER_SAMPLE
        fresh = self.playout.send(samples, now)
        self.bytes_sent += len(pcm)
        self._since_mark += samples
        self._put(self._silence_message if silent else self._writer.media(mulaw.encode(pcm)), samples)
        due = MARK_IDLE_SAMPLES if silent else MARK_SPEAKING_SAMPLES
        if fresh or self._since_mark >= due or (not silent and not self._sounding):
            self._mark(now)
        self._sounding = not silent

    def clear(self) -> int:
        unsent = sum(samples for _, samples in self._queue)
        self._queue.clear()
        self.bytes_forgotten += unsent * BYTES_PER_SAMPLE
        cut = self.playout.clear(self._now(), unsent=unsent)
        self._sounding = False
        if not self.closing:
            self._put(self._writer.clear, 0)
        return cut

    def transfer(self, number: str) -> bool:
        """When the wire is closed, connect the caller with that number instead of hanging up; False: it cannot."""
        if self._put_through is None or self._far_end_left:
            return False
        self._goes_to = number
        return True

    def mark_returned(self, name: str) -> None:
        """Twilio sent a mark back."""
        self.playout.returned(name, self._now())

    def far_end_left(self) -> None:
        """The stream is over or the socket is gone: there is no call left to hang up."""
        self._far_end_left = True

    async def run(self) -> None:
        """Send what is queued until cancelled or the socket fails; whoever reads the socket learns of that too."""
        while True:
            await self._queued.wait()
            while self._queue:
                await self._socket.send_text(self._queue.popleft()[0])
            self._queued.clear()
            self._drained.set()

    async def close(self, reason: str) -> None:
        if self._closing is not None:
            await asyncio.wait([self._closing])
            return
        self._closing = asyncio.get_running_loop().create_future()
        try:
            if not self._far_end_left:
                await self._end_call()
                await _within(DRAIN_LIMIT_S, self._drained.wait())
                await _within(CLOSE_LIMIT_S, self._socket.close(1000, close_reason(reason)))
        finally:
            self._closing.set_result(None)

    async def _end_call(self) -> None:
        if self._hang_up is None:
            return
        try:
            if self._goes_to and self._put_through is not None:
                try:
                    await self._put_through(self._goes_to)
                except HangUpFailed as error:
                    logger.error("the call was not put through", extra={"code": error.code, "why": error.message})
                else:
                    return
            await self._hang_up()
        except HangUpFailed as error:
            # The socket closes next, and Twilio then follows the TwiML to its <Hangup/>.
            logger.error("hang-up by REST failed", extra={"code": error.code, "why": error.message})

    def _mark(self, now: float) -> None:
        self._since_mark = 0
        self._put(self._writer.mark(self.playout.mark(now)), 0)

    def _put(self, message: str, samples: int) -> None:
        self._queue.append((message, samples))
        self._drained.clear()
        self._queued.set()


async def _within(limit_s: float, wait: Awaitable[object]) -> None:
    """Wait, but not longer; a socket that is gone needs no closing."""
    try:
        async with asyncio.timeout(limit_s):
            await wait
    except (TimeoutError, RuntimeError, OSError, WebSocketDisconnect) as error:
        logger.info("the socket did not close in order", extra={"error": type(error).__name__})
