"""`Sound` on PulseAudio, or PipeWire's server for it: devices of our own, and the twin's end of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from channels.camera import devices, pulse
from channels.camera.playout import Playout
from channels.camera.pulse import Connection
from channels.camera.sound import HEARD_RATE_HZ, RATE_HZ
from channels.camera.tagstruct import NOBODY, Reader, Writer
from channels.outlet import CHUNK_MS
from compliance.errors import BadMessage, SoundMissing

BYTES = 2
REPORT_EVERY_S = 0.1
BACKLOG_MS = 500
"""What the server keeps of the meeting's sound while this process is busy; older is gone."""
REMOVE_LIMIT_S = 3.0
SETTLE_LIMIT_S = 5.0
SETTLE_LOOK_S = 0.05
ONLY_THERE = (False, False, False, False, False, True, False)
"""Formats may be converted; nobody moves the twin's voice to another device, or its ear to a real microphone."""


class PulseSound:
    """The server paces it: it asks for more as it plays, so no clock of ours can drift from its."""

    microphone = devices.MICROPHONE_SHOWN
    speaker = devices.SPEAKER_SHOWN

    def __init__(self, environment: Mapping[str, str], *, lead_ms: int) -> None:
        """`lead_ms` is what waits at the server at most."""
        self.max_lead_ms = 0.0
        self.gaps = 0
        self._environment = environment
        self._wanted_lead_ms = lead_ms
        self._token = devices.new_token()
        self._connection: Connection | None = None
        self._made: tuple[int, ...] = ()
        self._channel = self._ear = NOBODY
        self._wanted_bytes = 0
        self._on_wanted: Callable[[], None] = lambda: None
        self._playout = Playout(RATE_HZ)
        self._epoch = 0
        """Counts what was cleared: a report that was asked for before is of no use after it."""
        self._reports: asyncio.Task[None] | None = None

    @property
    def wanted(self) -> int:
        return self._wanted_bytes // BYTES

    @property
    def played(self) -> int:
        return self._playout.heard(_now())

    @property
    def lead_ms(self) -> float:
        return self._playout.lead_ms(_now())

    async def open(self) -> None:
        connection = await pulse.connect(
            self._environment, {"application.name": "AI twin", devices.PROPERTY: self._token}
        )
        self._connection = connection
        try:
            if await devices.tidy(connection):
                raise SoundMissing("Another `twin camera` has the devices of this desktop; stop it first.")
            self._made = await devices.make(connection, self._token, RATE_HZ)
            await self._record(connection)
            await self._playback(connection)
            await self._settle()
        except BaseException:  # also when it is cancelled: what was opened is closed
            await self.close()
            raise

    async def begin(
        self, on_wanted: Callable[[], None], on_heard: Callable[[bytes], None], on_lost: Callable[[], None]
    ) -> None:
        connection = self._connection
        if connection is None:
            raise SoundMissing("The sound was not opened.")
        if connection.lost:
            raise SoundMissing("The sound server is gone.")
        connection.on_lost = on_lost
        connection.on_sound = on_heard
        self._on_wanted = on_wanted
        # What was played while it settled counts for nothing: the call's first sample is the first.
        self._playout = Playout(RATE_HZ)
        self.clear()
        self.max_lead_ms = 0.0
        self.gaps = 0
        self._reports = asyncio.create_task(self._report(connection), name="sound reports")
        on_wanted()

    def play(self, pcm: bytes) -> None:
        if self._connection is not None:
            self._wanted_bytes -= len(pcm)
            self._connection.play(self._channel, pcm)
            self._playout.gave(len(pcm) // BYTES, _now())
            self.max_lead_ms = max(self.max_lead_ms, self.lead_ms)

    def clear(self) -> int:
        if self._connection is not None:
            self._connection.tell(pulse.FLUSH, Writer().number(self._channel))
        cut = self._playout.clear(_now())
        self._epoch += 1
        self._ask()
        return cut

    async def close(self) -> None:
        reports, self._reports = self._reports, None
        if reports is not None:
            reports.cancel()
            await asyncio.wait({reports})
        connection, self._connection = self._connection, None
        made, self._made = self._made, ()
        if connection is None:
            return
        connection.on_lost = lambda: None
        connection.on_sound = lambda pcm: None
        self._on_wanted = lambda: None
        # A device that goes ends the streams on it, and with them the connection: they go first.
        for command, channel in ((pulse.DELETE_PLAYBACK, self._channel), (pulse.DELETE_RECORD, self._ear)):
            if channel != NOBODY:
                connection.tell(command, Writer().number(channel))
        try:
            async with asyncio.timeout(REMOVE_LIMIT_S):
                await devices.remove(connection, made)
        except TimeoutError:
            # The next one takes them away.
            pass
        finally:
            await connection.close()

    async def _playback(self, connection: Connection) -> None:
        wanted = _bytes(self._wanted_lead_ms, RATE_HZ)
        chunk = _bytes(CHUNK_MS, RATE_HZ)
        values = Writer().pcm16(RATE_HZ).number(NOBODY).text(devices.VOICE)
        # The most it keeps, not stopped, what waits together with the device, when it begins, how it asks.
        values.number(2 * wanted).flag(False).number(wanted).number(chunk).number(chunk)
        values.number(0).volume().flag(*ONLY_THERE).flag(False, True).properties(
            {"media.name": "the AI twin speaks"}
        )
        answer = await connection.ask(pulse.CREATE_PLAYBACK, values)
        self._channel = answer.number()
        answer.number()
        self._wanted_bytes = answer.number()
        connection.on_request = self._requested
        connection.on_dry = self._dry

    def _requested(self, channel: int, count: int) -> None:
        if channel == self._channel:
            self._wanted_bytes += count
            self._on_wanted()

    def _dry(self) -> None:
        self.gaps += 1
        self._ask()

    async def _settle(self) -> None:
        """A device that nobody used has made up to 2 s of silence in advance, and what is played now would come
        after it: wait until that is over."""
        self.play(bytes(_bytes(CHUNK_MS, RATE_HZ)))
        try:
            async with asyncio.timeout(SETTLE_LIMIT_S):
                while not self.played:
                    self._ask()
                    await asyncio.sleep(SETTLE_LOOK_S)
        except TimeoutError:
            raise SoundMissing(f"The sound server plays nothing within {SETTLE_LIMIT_S:g} s.") from None

    async def _record(self, connection: Connection) -> None:
        values = Writer().pcm16(HEARD_RATE_HZ).number(NOBODY).text(f"{devices.SPEAKER}.monitor")
        values.number(_bytes(BACKLOG_MS, HEARD_RATE_HZ)).flag(False).number(_bytes(CHUNK_MS, HEARD_RATE_HZ))
        values.flag(*ONLY_THERE).flag(False, True).properties({"media.name": "the AI twin listens"}).number(NOBODY)
        self._ear = (await connection.ask(pulse.CREATE_RECORD, values)).number()

    async def _report(self, connection: Connection) -> None:
        while self._connection is connection:
            self._ask()
            await asyncio.sleep(REPORT_EVERY_S)

    def _ask(self) -> None:
        """Have the server say how far it is."""
        epoch = self._epoch

        def answered(answer: Reader | None) -> None:
            if answer is None or epoch != self._epoch:
                return
            try:
                held_us = answer.microseconds()
                answer.microseconds()
                answer.flag()
                answer.skip_time()
                answer.skip_time()
                written, read = answer.signed(), answer.signed()
            except (SoundMissing, BadMessage):
                # A report that cannot be read is as good as none: the next comes in a moment.
                return
            self._playout.report(written // BYTES, read // BYTES, held_us * RATE_HZ // 1_000_000, _now())

        if self._connection is not None and self._channel != NOBODY:
            self._connection.tell(pulse.GET_LATENCY, Writer().number(self._channel).now(), answered)


def _bytes(milliseconds: int, rate_hz: int) -> int:
    return milliseconds * rate_hz // 1000 * BYTES


def _now() -> float:
    return asyncio.get_running_loop().time()
