"""The video track: which frames leave, and that none waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from aiortc.mediastreams import MediaStreamError
from av.packet import Packet

from avatar.picture import Picture
from channels.clock import Clock
from channels.view import Film, View
from channels.web.face_track import PACE_S, FaceTrack
from channels.web.vp8 import Vp8
from tests.doubles.face import Lamp
from tests.unit.channels.web.test_vp8 import is_key

RATE_HZ = 48_000
CHUNK = 960


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1, thread_name_prefix="face") as executor:
        yield executor


class Scene:
    """A track with a face, and a clock that ticks by hand."""

    def __init__(self, pool: ThreadPoolExecutor, face: Lamp | None = None, fps: int = 25) -> None:
        self.clock = Clock(RATE_HZ)
        self.lamp = face or Lamp()
        self.view = View(self.clock, lambda: self.lamp, pool, Film(fps=fps))
        self.track = FaceTrack()
        self.track.attach(self.view)

    def tick(self) -> None:
        begin = self.clock.position
        self.clock.left(CHUNK)
        self.track.left(begin, self.clock.position)


async def test_a_frame_leaves_with_its_sample(pool: ThreadPoolExecutor) -> None:
    scene = Scene(pool)
    ticks = []
    for _ in range(6):
        scene.tick()
        if scene.track._due is not None:
            ticks.append((await scene.track.recv()).pts)

    assert ticks == [0, 3_600, 7_200]
    assert scene.lamp.asked == [(0, 0), (1_920, 0), (3_840, 0)]
    assert (scene.track.sent, scene.track.skipped) == (3, 0)


async def test_frames_that_cannot_be_drawn_in_time_are_left_out(pool: ThreadPoolExecutor) -> None:
    scene = Scene(pool, fps=30)
    for _ in range(10):
        scene.tick()
    packet = await scene.track.recv()

    assert packet.pts == 5 * 3_000, "the newest"
    assert scene.track.skipped == 5
    assert scene.lamp.asked == [(5 * 1_600, 0)]


@pytest.mark.parametrize("fps", [25, 30])
async def test_frames_leave_as_far_apart_as_they_are_in_time(pool: ThreadPoolExecutor, fps: int) -> None:
    """Though the sound that carries them leaves 20 ms at a time, and the loop comes to it late."""
    track = Scene(pool, fps=fps).track
    leaves_s = []
    for tick in range(50):
        track.left(tick * CHUNK, (tick + 1) * CHUNK, at_s=100 + tick * 0.02)
        if track._due is not None:
            leaves_s.append(track._due[1])
            track._due = None

    assert len(leaves_s) == fps
    assert [b - a for a, b in pairwise(leaves_s)] == pytest.approx([1 / fps] * (fps - 1), abs=1e-4)
    assert leaves_s[0] == pytest.approx(100 + PACE_S)


async def test_a_frame_drawn_early_waits_for_its_time_but_not_beyond_an_interruption(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(pool)
    waits_s: list[float] = []
    sleep = asyncio.sleep

    async def waits(seconds: float) -> None:
        waits_s.append(seconds)
        if len(waits_s) == 1:
            scene.clock.next_epoch()
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", waits)
    scene.clock.left(CHUNK)
    scene.track.left(0, CHUNK, at_s=asyncio.get_running_loop().time() + 1_000)
    await scene.track.recv()

    assert waits_s[0] == pytest.approx(1_000, abs=60)
    assert scene.lamp.asked == [(0, 0), (0, 1)]


async def test_a_frame_that_cannot_be_encoded_is_left_out_and_after_three_no_more_are_tried(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(pool)
    encode = Vp8.encode
    broken = True

    def failing(self: Vp8, picture: Picture, ticks: int, *, key: bool = False) -> Packet[Any]:
        if broken:
            raise RuntimeError("the encoder is made of glass")
        return encode(self, picture, ticks, key=key)

    monkeypatch.setattr(Vp8, "encode", failing)
    receiving = asyncio.create_task(scene.track.recv())
    await _tried(scene, 2)
    broken = False
    scene.tick()
    scene.tick()
    assert is_key(await receiving), "by a new encoder"
    assert scene.track.failures == 0

    broken = True
    receiving = asyncio.create_task(scene.track.recv())
    await _tried(scene, 3)
    drawn = len(scene.lamp.asked)
    for _ in range(4):
        scene.tick()
        await asyncio.wrap_future(pool.submit(lambda: None))
    assert len(scene.lamp.asked) == drawn
    assert not receiving.done()
    receiving.cancel()


async def _tried(scene: Scene, failures: int) -> None:
    """Frames are due until so many in a row have failed."""
    while scene.track.failures < failures:
        scene.tick()
        await asyncio.sleep(0)
        await asyncio.wrap_future(scene.view.pool.submit(lambda: None))


async def test_nothing_leaves_before_there_is_a_face(pool: ThreadPoolExecutor) -> None:
    track = FaceTrack()
    track.left(0, 48_000)
    waiting = asyncio.create_task(track.recv())
    await asyncio.sleep(0)
    assert not waiting.done()
    track.stop()
    with pytest.raises(MediaStreamError):
        await waiting


async def test_a_stopped_track_gives_no_more(pool: ThreadPoolExecutor) -> None:
    scene = Scene(pool)
    scene.track.stop()
    with pytest.raises(MediaStreamError):
        await scene.track.recv()


async def test_a_pool_that_has_closed_ends_the_track(pool: ThreadPoolExecutor) -> None:
    scene = Scene(pool)
    pool.shutdown()
    scene.tick()
    with pytest.raises(MediaStreamError):
        await scene.track.recv()


class Slow(Lamp):
    """Says when it begins to draw, and draws on when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def frame_at(self, position: int, epoch: int) -> Picture:
        picture = super().frame_at(position, epoch)
        self.begun.set()
        assert self.go_on.wait(10)
        return picture


async def test_no_frame_of_an_old_epoch_leaves(pool: ThreadPoolExecutor) -> None:
    """An interruption that falls between drawing and sending."""
    scene = Scene(pool)
    first = scene.view.draw

    def interrupted(number: int) -> object:
        frame = first(number)
        if scene.clock.epoch == 0 and number == 2:
            scene.clock.next_epoch()
        return frame

    scene.view.draw = interrupted  # type: ignore[method-assign,assignment]
    packets = []
    for _ in range(8):
        scene.tick()
        if scene.track._due is not None:
            packets.append(await scene.track.recv())

    assert [packet.pts for packet in packets] == [0, 3_600, 7_200, 10_800]
    assert [is_key(packet) for packet in packets] == [True, False, True, False], "the receiver can decode it"
    assert scene.lamp.asked[2:4] == [(3_840, 0), (3_840, 1)]
    assert scene.track.stale == 1


async def test_the_loop_goes_on_while_a_frame_is_drawn(pool: ThreadPoolExecutor) -> None:
    slow = Slow()
    scene = Scene(pool, slow)
    scene.tick()
    receiving = asyncio.create_task(scene.track.recv())
    assert await asyncio.to_thread(slow.begun.wait, 10)
    for _ in range(3):
        scene.tick()
    assert not receiving.done()
    slow.go_on.set()

    assert (await receiving).pts == 0
    assert (await scene.track.recv()).pts == 3_600


async def test_a_receiver_that_lost_the_picture_gets_a_whole_one_but_not_at_every_whim(
    pool: ThreadPoolExecutor,
) -> None:
    scene = Scene(pool)
    keys = []
    for number in range(8):
        scene.tick()
        if number >= 4:
            scene.track.want_key()
        if scene.track._due is not None:
            keys.append(is_key(await scene.track.recv()))

    assert keys == [True, False, True, False]


async def test_a_receiver_with_little_bandwidth_gets_less(pool: ThreadPoolExecutor) -> None:
    scene = Scene(pool)
    scene.tick()
    await scene.track.recv()
    scene.track.limit(1)
    scene.track.limit(10_000)
    scene.tick()
    scene.tick()
    await scene.track.recv()

    assert scene.track._encoder is not None
    assert scene.track._encoder.kbps == 150, "and a second wish at once is not heard"
