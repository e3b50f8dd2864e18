"""A face from an avatar worker over a real LiveKit server, where one is installed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.face.elsewhere import TROUBLE, Elsewhere
from agent.face.elsewhere_options import Options
from avatar.ahead import Ahead, Lead
from avatar.stage import Stage
from tests.livekit_server import livekit_server
from tests.unit.avatar.elsewhere import COVER, Grey
from tests.unit.avatar.test_ahead_echo import speech

if TYPE_CHECKING:
    from tests.doubles.avatar_worker import AvatarWorker

pytestmark = pytest.mark.alone
RATE = 16_000
CHUNK = RATE // 50
SENT_S = 2.0
"""So far ahead of the clock, which stands still here, speech is sent."""
LIMIT_S = 20.0


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not true():  # noqa: ASYNC110  counters have no event to wait on
            await asyncio.sleep(0.01)


@asynccontextmanager
async def worked() -> AsyncIterator[tuple[Elsewhere, Ahead, AvatarWorker]]:
    """A call whose face is drawn by a worker in a room of a real server."""
    async with livekit_server() as server:
        from tests.doubles.avatar_worker import AvatarWorker

        worker = AvatarWorker()
        await worker.join(server.url, server.token("avatar", "faces"))
        options = Options("livekit_avatar", url=server.url, room="faces", ready_s=15.0)
        elsewhere = Elsewhere(options, server.environment)
        await elsewhere.start()
        face = elsewhere.cover("call", Stage(Grey(), rate_hz=RATE, seed=1), RATE, lead=Lead(fade_ms=0))
        assert isinstance(face, Ahead)
        try:
            await until(lambda: face.alive)
            yield elsewhere, face, worker
        finally:
            await elsewhere.close()
            await worker.leave()


async def test_speech_goes_to_the_worker_and_its_pictures_come_back_for_their_samples() -> None:
    async with worked() as (_, face, worker):
        await until(lambda: face._idle is not None)
        said = speech(5, 3.0)
        said[RATE : RATE + RATE // 2] = 0
        face.expect(1, said.tobytes(), (), (), exact=False, last=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(5.0):
                await until(lambda: len(face._store) >= 40)
        stored = list(zip(face._store._indices, face._store._pictures, strict=True))
        assert worker.streams == [{"sample_rate": "24000", "num_channels": "1"}]
        assert worker.received == pytest.approx(2 * SENT_S * 24_000, rel=0.05)
        assert len(stored) >= 15
        # Bright where the speech is loud: at the pause that was cut into it the pictures are dark.
        loud = np.convolve(np.abs(said.astype(np.float64)), np.ones(640) / 640, "same")
        agree = [
            (int(picture.y[16, 16]) > 130) == (loud[min(index, len(loud) - 1)] > 300)
            for index, picture in stored
            if index < SENT_S * RATE and not 200 < loud[min(index, len(loud) - 1)] < 900
        ]
        assert np.mean(agree) > 0.85


async def test_an_interruption_clears_the_worker() -> None:
    async with worked() as (_, face, worker):
        face.expect(1, speech(5, 3.0).tobytes(), (), (), exact=False, last=True)
        await until(lambda: worker.received > 0)
        face.dropped(0, 1)
        await until(lambda: worker.cleared == 1)
        face.expect(2, speech(6, 1.0).tobytes(), (), (), exact=False, last=True)
        await until(lambda: len(worker.streams) == 2)
        assert {"interrupted": True}.items() <= worker.played[-1].items() or worker.played


async def test_a_worker_that_leaves_is_covered_and_said_once() -> None:
    async with worked() as (elsewhere, face, worker):
        told: list[str] = []
        elsewhere.leave("call")
        again = elsewhere.cover("next", Stage(Grey(), rate_hz=RATE, seed=1), RATE, tell=told.append)
        assert isinstance(again, Ahead)
        await until(lambda: again.alive)
        assert not face.alive
        await worker.leave()
        await until(lambda: bool(told))
        assert told == [TROUBLE]
        assert int(again.frame_at(RATE, 0).y[0, 0]) == COVER
