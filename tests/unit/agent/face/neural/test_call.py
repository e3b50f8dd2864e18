"""A face that a program draws, in a call: the outlet's speech, its clock, and the frames that leave with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from avatar.ahead import Ahead, Lead
from avatar.stage import Stage
from channels.spoken import Spoken
from channels.view import Film, View
from tests.doubles.avatar_program import SIDE_PX
from tests.doubles.wire import Door
from tests.unit.agent.face.neural.test_program import height, running, until
from tests.unit.avatar.elsewhere import Grey

RATE = 48_000


def spoken(utterance: int, epoch: int, level: float, seconds: float) -> Spoken:
    pcm = np.full(round(RATE * seconds), round(level * 32_767), np.int16).tobytes()
    return Spoken(utterance, epoch, pcm, last=True)


async def test_pictures_follow_what_leaves_and_an_interruption_ends_them_with_the_frame() -> None:
    door = Door(RATE)
    clock, outlet = door.clock, door.outlet
    rig = Grey()
    rig.width = rig.height = SIDE_PX
    made: list[Ahead | Stage] = []

    def make() -> Ahead | Stage:
        own = Stage(rig, rate_hz=RATE, seed=1)
        made.append(faces.cover("call", own, RATE, lead=Lead(fade_ms=0, steady_ms=80)))
        return made[0]

    def leave(view: View) -> list[float]:
        """20 ms leave; how high the bars are on the frames that leave with them."""
        begin = clock.position
        door.tick()
        frames = [view.draw(number) for number in view.due(begin, clock.position)]
        return [height(frame.picture) for frame in frames if frame is not None]

    async with running() as (faces, _):
        pool = ThreadPoolExecutor(1)
        view = View(clock, make, pool, Film())
        outlet.watch(view)
        door.open(spoken(1, 0, 0.5, 0.5))
        leave(view)
        leave(view)
        face = made[0]
        assert isinstance(face, Ahead)
        await until(lambda: face.alive)
        for turn in range(1, 6):
            assert outlet.say(spoken(1 + turn, clock.epoch, 0.15 * turn, 1.0))
            # The view tells its face when it draws: one frame, so that the program gets its speech.
            leave(view)
            leave(view)
            await until(lambda: len(face._store) >= 20)
            seen = [level for _ in range(20) for level in leave(view)]
            assert np.allclose(seen[3:], 0.15 * turn, atol=0.04)
            outlet.drop()
            assert [level for _ in range(6) for level in leave(view)] == [0.0] * 3
        pool.shutdown()
