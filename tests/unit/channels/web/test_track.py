import asyncio

import pytest
from aiortc.mediastreams import MediaStreamError

from channels.clock import Clock
from channels.heard import HeardWord
from channels.outlet import Outlet
from channels.spoken import Spoken
from channels.web.track import CHUNK_SAMPLES, RATE_HZ, OutletTrack, TrackWire
from tests.doubles.host import tone
from tests.doubles.mark import NoMark


class Listener:
    def __init__(self) -> None:
        self.disclosed_at: int | None = None

    def disclosed(self, position: int) -> None:
        self.disclosed_at = position

    def heard(self, words: list[HeardWord]) -> None: ...

    def speaking(self, speaking: bool, position: int) -> None: ...

    def failed(self, reason: str) -> None: ...

    def room(self) -> None: ...


class Door:
    """A real outlet on a track, with nobody at the far end."""

    def __init__(self) -> None:
        self.hung_up: list[str] = []
        self.listener = Listener()
        self.wire = TrackWire(self._hang_up)
        self.clock = Clock(RATE_HZ)
        self.outlet = Outlet(self.clock, self.wire, self.listener, mark=NoMark())
        self.track = OutletTrack()

    async def _hang_up(self, reason: str) -> None:
        self.hung_up.append(reason)

    async def frames(self, count: int) -> bytes:
        frames = [await self.track.recv() for _ in range(count)]
        end = self.clock.position
        positions = list(range(end - count * CHUNK_SAMPLES, end, CHUNK_SAMPLES))
        assert [frame.pts for frame in frames] == positions, "the RTP timestamp is the clock's position"
        return b"".join(bytes(frame.planes[0]) for frame in frames)


async def test_exactly_what_leaves_the_door_is_framed() -> None:
    door = Door()
    disclosure = tone(RATE_HZ, milliseconds=50)
    door.outlet.disclose(Spoken(0, 0, disclosure, last=True))
    door.track.attach(door.outlet, door.wire)

    framed = await door.frames(5)

    assert framed == disclosure.ljust(5 * CHUNK_SAMPLES * 2, b"\0")
    assert door.wire.bytes_framed == door.wire.bytes_sent == door.outlet.bytes_out == len(framed)


async def test_what_was_played_follows_one_chunk_behind() -> None:
    door = Door()
    door.outlet.disclose(Spoken(0, 0, tone(RATE_HZ, milliseconds=40), last=True))
    door.track.attach(door.outlet, door.wire)

    await door.frames(2)
    assert door.clock.heard == CHUNK_SAMPLES
    assert door.listener.disclosed_at is None

    await door.frames(1)
    assert door.clock.heard == 2 * CHUNK_SAMPLES
    assert door.listener.disclosed_at == 2 * CHUNK_SAMPLES


async def test_the_wire_keeps_nothing_back() -> None:
    door = Door()
    door.track.attach(door.outlet, door.wire)
    await door.frames(3)

    assert door.wire.clear() == door.clock.position == 3 * CHUNK_SAMPLES


async def test_nothing_is_sent_before_the_call_begins() -> None:
    door = Door()
    receiving = asyncio.create_task(door.track.recv())
    for _ in range(3):
        await asyncio.sleep(0)
    assert not receiving.done()

    door.track.attach(door.outlet, door.wire)

    assert (await receiving).pts == 0


async def test_a_late_loop_catches_up_and_a_stalled_one_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door()
    door.track.attach(door.outlet, door.wire)
    loop = asyncio.get_running_loop()
    real, ahead = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: real() + ahead)
    await door.frames(1)

    ahead += 0.06
    await door.frames(3)
    assert door.track.stalls == 0

    ahead += 5.0
    await door.frames(2)
    assert door.track.stalls == 1
    assert door.clock.position == 6 * CHUNK_SAMPLES, "a stall delays sound and loses none"


async def test_a_stopped_track_gives_no_more() -> None:
    door = Door()
    waiting = asyncio.create_task(door.track.recv())
    await asyncio.sleep(0)
    door.track.stop()

    with pytest.raises(MediaStreamError):
        await waiting
    with pytest.raises(MediaStreamError):
        await door.track.recv()


async def test_closing_the_wire_hangs_up() -> None:
    door = Door()

    await door.wire.close("caller_left")

    assert door.hung_up == ["caller_left"]
