import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager

import numpy as np
import pytest

from channels.camera import pictures as module
from channels.camera.pictures import MAX_FAILURES, Pictures
from channels.clock import Clock
from channels.view import Film, Frame, View
from compliance.errors import EngineFailed
from tests.doubles.face import Lamp

RATE_HZ = 48_000
FRAME = RATE_HZ // 25


class Screen:
    """Keeps what it was shown."""

    def __init__(self) -> None:
        self.shown: list[bytes] = []
        self.fails = 0
        self.changed = asyncio.Event()

    async def show(self, width: int, height: int, i420: bytes) -> None:
        self.changed.set()
        if self.fails:
            self.fails -= 1
            raise EngineFailed("the camera is gone")
        assert len(i420) == width * height * 3 // 2
        self.shown.append(i420)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.shown) < count:
                await self.changed.wait()
                self.changed.clear()


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1, thread_name_prefix="asyncio_test") as executor:
        yield executor


class Overtaken(View):
    """Its clock begins an epoch when the first frame has been drawn, and nobody has shown it yet."""

    def draw(self, number: int) -> Frame | None:
        frame = super().draw(number)
        if self.frames == 1:
            self.clock.next_epoch()
        return frame


class Stand:
    """A clock whose samples have left, a lamp and a screen."""

    def __init__(self, pool: Executor, view: type[View] = View) -> None:
        self.clock = Clock(RATE_HZ)
        self.clock.left(10 * RATE_HZ)
        self.lamp = Lamp()
        self.view = view(self.clock, lambda: self.lamp, pool, Film())
        self.screen = Screen()
        self.troubles: list[str] = []
        self.pictures = Pictures(self.view, self.screen, self.troubles.append)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.pictures.run(), name="pictures")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


async def test_a_frame_is_shown_once_for_its_sample(pool: Executor) -> None:
    stand = Stand(pool)
    async with stand.running():
        stand.pictures.heard(0)
        await stand.screen.until(1)
        stand.pictures.heard(FRAME)
        await stand.screen.until(2)
    assert [position for position, _ in stand.lamp.asked] == [0, FRAME]
    assert stand.pictures.shown == 2
    assert stand.pictures.skipped == 0


async def test_no_frame_is_begun_for_samples_that_have_not_left(pool: Executor) -> None:
    stand = Stand(pool)
    stand.view.clock = stand.clock = Clock(RATE_HZ)
    stand.clock.left(1)
    stand.pictures.heard(0)
    assert stand.view.due(0, 1) == range(1)
    async with stand.running():
        await stand.screen.until(1)
        stand.pictures.heard(FRAME)
        await asyncio.sleep(0)
    assert [position for position, _ in stand.lamp.asked] == [0]


async def test_what_was_due_meanwhile_is_left_out_and_the_newest_is_shown(pool: Executor) -> None:
    stand = Stand(pool)
    stand.pictures.heard(0)
    stand.pictures.heard(10 * FRAME)
    async with stand.running():
        await stand.screen.until(1)
    assert [position for position, _ in stand.lamp.asked] == [10 * FRAME]
    assert stand.pictures.skipped == 10


async def test_it_waits_for_its_sample(pool: Executor) -> None:
    stand = Stand(pool)
    async with stand.running():
        loop = asyncio.get_running_loop()
        # Frame 1 is due, and its sample is heard in 30 ms.
        stand.pictures.heard(FRAME - RATE_HZ * 30 // 1000)
        began = loop.time()
        await stand.screen.until(1)
        assert loop.time() - began >= 0.029


async def test_a_frame_of_an_epoch_that_is_over_is_not_shown(pool: Executor) -> None:
    stand = Stand(pool, Overtaken)
    async with stand.running():
        stand.pictures.heard(0)
        await stand.screen.until(1)
    assert [epoch for _, epoch in stand.lamp.asked] == [0, 1]
    assert stand.view.redrawn == 0, "it had been drawn when its epoch was over"
    assert stand.pictures.stale == 1
    assert stand.pictures.shown == 1


async def test_where_nothing_new_is_due_the_last_picture_stays(
    pool: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    stand = Stand(pool)
    async with stand.running():
        stand.pictures.heard(0)
        await stand.screen.until(4)
    assert stand.pictures.shown == 1
    assert len(set(stand.screen.shown)) == 1


async def test_a_camera_that_fails_now_and_then_goes_on(pool: Executor) -> None:
    stand = Stand(pool)
    stand.screen.fails = MAX_FAILURES - 1
    async with stand.running():
        for number in range(MAX_FAILURES):
            stand.pictures.heard(number * FRAME)
            await stand.screen.changed.wait()
            stand.screen.changed.clear()
        assert len(stand.screen.shown) == 1
    assert stand.troubles == []


async def test_a_camera_that_is_gone_is_said_once_and_no_more_is_drawn(pool: Executor) -> None:
    stand = Stand(pool)
    stand.screen.fails = 100
    task = asyncio.create_task(stand.pictures.run(), name="pictures")
    for number in range(MAX_FAILURES):
        stand.pictures.heard(number * FRAME)
        await stand.screen.changed.wait()
        stand.screen.changed.clear()
    await asyncio.wait_for(task, 5)
    assert stand.troubles == ["the camera is gone"]


async def test_without_a_face_nothing_is_shown(pool: Executor) -> None:
    stand = Stand(pool)
    pictures = Pictures(View(stand.clock, lambda: None, pool, Film()), stand.screen, stand.troubles.append)
    task = asyncio.create_task(pictures.run(), name="pictures")
    pictures.heard(0)
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait({task})
    assert stand.screen.shown == []


async def test_every_picture_carries_the_mark(pool: Executor) -> None:
    stand = Stand(pool)
    async with stand.running():
        stand.pictures.heard(0)
        await stand.screen.until(1)
    picture = np.frombuffer(stand.screen.shown[0], np.uint8)[: 64 * 64]
    assert len(set(picture.tolist())) > 1, "the lamp alone is of one grey"
