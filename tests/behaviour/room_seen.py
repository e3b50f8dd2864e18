"""A twin that beeps and shows a code, in a room of a real server, watched by a real browser.

The conversation is a double; doors, clock, view and room session are the real ones. Every second a pip sounds, and
every picture says which frame it is, so that the browser's times can be compared to the millisecond.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import numpy as np

from channels.call import Call
from channels.livekit.session import RoomSession
from channels.livekit.settings import LiveKitSettings
from channels.livekit.signs import Signs
from channels.outlet import State
from channels.pending import Span
from channels.spoken import Spoken, Word
from channels.view import Film, View
from tests.behaviour.room_times import backwards, offsets_ms, stale
from tests.doubles.barcode import BarcodeFace
from tests.doubles.host import TestHost
from tests.doubles.room_page import RoomPage, Witnessed, room_page
from tests.livekit_server import LiveKitServer, livekit_server

ROOM = "meeting"
SIGNS = Signs(name="Martin (AI twin)", chat="An AI twin is here.", owner="Martin Alder")
SYNC = "room: {sync_streams: true}\n"
"""The server's setting by which receivers are told that picture and sound belong together."""
PIECE_S = 2
PIP_MS = 40
PIP_HZ = 1_000.0


def pips(rate_hz: int, seconds: int = PIECE_S) -> bytes:
    """Quiet, and at half of every second a pip that begins at once."""
    pip = 12_000 * np.sin(2 * np.pi * PIP_HZ * (np.arange(rate_hz * PIP_MS // 1000) + 1) / rate_hz)
    # Never digital silence: what follows has to leave as speech does.
    sound = np.tile(np.array([1, -1], np.int16), rate_hz * seconds // 2)
    for second in range(seconds):
        begin = rate_hz * second + rate_hz // 2
        sound[begin : begin + len(pip)] = pip
    return sound.tobytes()


@dataclass
class Beeper:
    """Speaks without end, and notes at which position each pip left. An `Onlooker` of the outlet."""

    call: Call
    said: list[int] = field(default_factory=list)
    """Positions of pips."""
    drops: list[tuple[int, int]] = field(default_factory=list)
    """(position that was heard last, the epoch that began)."""
    utterance: int = 100

    def expected(self, spoken: Spoken) -> None: ...

    def sounded(self, position: int, spans: Sequence[Span]) -> None:
        rate_hz = self.call.clock.rate_hz
        for span in spans:
            for second in range(PIECE_S):
                begin = rate_hz * second + rate_hz // 2
                if span.utterance >= 100 and span.offset <= begin < span.offset + span.samples:
                    self.said.append(position + span.at + begin - span.offset)

    def stopped(self, position: int) -> None:
        self.said = [pip for pip in self.said if pip < position]

    def dropped(self, position: int, epoch: int) -> None:
        self.drops.append((position, epoch))

    async def speak(self) -> None:
        outlet, rate_hz = self.call.outlet, self.call.clock.rate_hz
        while outlet.state is not State.OPEN:  # noqa: ASYNC110  the outlet announces nothing here
            await asyncio.sleep(0.02)
        pcm = pips(rate_hz)
        while True:
            self.utterance += 1
            words = (Word("pip", 500, 540), Word("pip", 1_500, 1_540))
            said = Spoken(self.utterance, self.call.clock.epoch, pcm, words=words, last=True)
            while not outlet.say(said):  # noqa: ASYNC110  the outlet announces nothing here
                await asyncio.sleep(0.1)
            while outlet.clock.epoch == said.epoch and not self._low():  # noqa: ASYNC110  the outlet announces nothing here
                await asyncio.sleep(0.05)

    def _low(self) -> bool:
        # A second and a half ahead, as a voice is.
        return self.call.outlet._pending.samples < self.call.clock.samples(1_500)


@dataclass(frozen=True)
class Seen:
    """One session as the browser had it."""

    witnessed: Witnessed
    offsets_ms: list[float]
    """Of each pip: the picture of its sample less the sound; positive is a late picture."""
    playout_ms: list[float]
    """Chromium's own estimate, picture less sound, each second."""
    stale: int
    backwards: int
    epochs: int
    stats: dict[str, dict[str, object]]
    captured: int
    """Bytes that left through the door, and those that the wire counted."""
    sent: int
    late_beats: int


@asynccontextmanager
async def beeping_twin(
    server: LiveKitServer, *, fps: int = 25, width: int = 512, height: int = 512
) -> AsyncIterator[tuple[RoomSession, asyncio.Task[str]]]:
    """The session of a twin in the room, begun and not yet met by anybody."""
    host = TestHost()
    pool = ThreadPoolExecutor(1, thread_name_prefix="barcode")

    def show(call: Call) -> View:
        view = View(
            call.clock,
            lambda: BarcodeFace(view.cadence, width=width, height=height),
            pool,
            Film(fps=fps),
        )
        call.outlet.watch(view)
        return view

    host.show = show
    entry = Ticket(server.url, server.token("twin", ROOM, kind="agent"), ROOM)
    session = RoomSession(host, LiveKitSettings(), entry, SIGNS)
    running = asyncio.create_task(session.run(), name="session")
    try:
        yield session, running
        session.leave("test_over")
        await asyncio.wait_for(running, 15)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        pool.shutdown()


async def seen(
    *,
    seconds: float,
    interruptions: int = 0,
    fps: int = 25,
    size: tuple[int, int] = (512, 512),
    settings: str = SYNC,
) -> Seen:
    """Watch for so long, and interrupt the twin so often meanwhile."""
    async with (
        livekit_server(settings) as server,
        room_page() as page,
        beeping_twin(server, fps=fps, width=size[0], height=size[1]) as (session, running),
    ):
        await page.join(server.url, server.token("anna", ROOM, name="Anna"))
        async with asyncio.timeout(15):
            while session.call is None:
                if running.done():
                    await running
                await asyncio.sleep(0.05)
        call = session.call
        beeper = Beeper(call)
        call.outlet.watch(beeper)
        speaking = asyncio.create_task(beeper.speak(), name="beeper")
        try:
            await page.until(lambda got: len(got.shown) > 25 and len(got.pips) > 2, timeout_s=30)
            playout = await _watch(page, beeper, seconds, interruptions)
        finally:
            speaking.cancel()
            with suppress(asyncio.CancelledError):
                await speaking
        witnessed, stats = await page.witnessed(), await page.stats()
        counts = call.outlet.bytes_out, session.wire.bytes_sent
    rate_hz = call.clock.rate_hz
    drops = [(-(-position * fps // rate_hz), epoch) for position, epoch in beeper.drops]
    return Seen(
        witnessed,
        offsets_ms(witnessed.shown, witnessed.pips, [pip / rate_hz for pip in beeper.said], fps),
        playout,
        stale(witnessed.shown, drops),
        backwards(witnessed.shown),
        len(drops),
        stats,
        *counts,
        late_beats=session._sound.late_beats if session._sound else 0,
    )


async def _watch(page: RoomPage, beeper: Beeper, seconds: float, interruptions: int) -> list[float]:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    playout: list[float] = []
    at = [seconds * (n + 0.5) / interruptions for n in range(interruptions)]
    while (passed := loop.time() - begun) < seconds:
        if at and passed >= at[0]:
            at.pop(0)
            beeper.call.outlet.drop()
        stats = await page.stats()
        times = [stats.get(kind, {}).get("estimatedPlayoutTimestamp") for kind in ("video", "audio")]
        if times[0] and times[1]:
            playout.append(times[0] - times[1])
        await asyncio.sleep(min(1.0, seconds / 20))
    return playout


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a session needs to enter."""

    url: str
    token: str
    room: str
    e2ee_key: str = ""
