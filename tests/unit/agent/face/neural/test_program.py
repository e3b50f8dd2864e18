from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from agent.face.elsewhere import Elsewhere
from agent.face.elsewhere_options import Options
from agent.face.neural.program import Program
from avatar.ahead import Ahead, Lead
from avatar.picture import Picture
from avatar.stage import Stage
from avatar.timeline import Part
from compliance.errors import EngineError, EngineFailed, EngineMissing, EngineTimeout
from tests.doubles.avatar_program import IDLE_LUMA, SIDE_PX
from tests.unit.avatar.elsewhere import Grey

RATE = 24_000
CHUNK = RATE // 50
FRAME = RATE // 25
LIMIT_S = 20.0


def options(how: str = "", **more: float) -> Options:
    command = (sys.executable, "-m", "tests.doubles.avatar_program", how)
    return Options("neural", command=command, **more)  # type: ignore[arg-type]  # only the times


def stage() -> Stage:
    rig = Grey()
    rig.width = rig.height = SIDE_PX
    return Stage(rig, rate_hz=RATE, seed=1)


@asynccontextmanager
async def running(how: str = "", **more: float) -> AsyncIterator[tuple[Elsewhere, Program]]:
    source = Program(options(how, **more))
    elsewhere = Elsewhere(options(how), {}, source=source)
    await elsewhere.start()
    try:
        yield elsewhere, source
    finally:
        await elsewhere.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not true():  # noqa: ASYNC110  counters have no event to wait on
            await asyncio.sleep(0.005)


def covered(elsewhere: Elsewhere, call_id: str = "call") -> Ahead:
    face = elsewhere.cover(call_id, stage(), RATE, lead=Lead(fade_ms=0))
    assert isinstance(face, Ahead)
    return face


def loud(level: float, seconds: float = 1.0) -> bytes:
    return np.full(round(RATE * seconds), round(level * 32_767), np.int16).tobytes()


def say(face: Ahead, utterance: int, pcm: bytes) -> None:
    face.expect(utterance, pcm, (), (), exact=False, last=True)


def height(picture: Picture) -> float:
    """How high the bar is, as a part of the picture."""
    return float((picture.y[:, 32] > 128).mean())


def leaves(face: Ahead, position: int, utterance: int, offset: int, epoch: int = 0) -> Picture:
    """This much of an utterance leaves, and the picture that leaves with it."""
    face.sounded(position, [Part(0, CHUNK, utterance, offset)])
    return face.frame_at(position, epoch)


async def test_speech_goes_out_and_its_pictures_come_back_for_their_samples() -> None:
    async with running() as (elsewhere, _):
        face = covered(elsewhere)
        await until(lambda: face.alive)
        say(face, 1, loud(0.25) + loud(0.75))
        await until(lambda: face.ready and len(face._store) == 50)
        # The bar follows the sound, to the frame in which it changes.
        seen = [height(leaves(face, at, 1, at)) for at in range(0, 2 * RATE, CHUNK)]
        assert seen[:48] == pytest.approx([0.25] * 48, abs=0.03)
        assert seen[53:] == pytest.approx([0.75] * len(seen[53:]), abs=0.03)
        assert face.shown == {"speech": 100}
        assert not face.refused["unknown"]


async def test_idle_pictures_come_while_nothing_is_said() -> None:
    async with running() as (elsewhere, _):
        face = covered(elsewhere)
        await until(lambda: face._idle is not None)
        assert abs(int(face.frame_at(0, 0).y[20, 20]) - IDLE_LUMA) < 12


async def test_an_interruption_reaches_the_program_and_nothing_old_is_shown() -> None:
    async with running("slow") as (elsewhere, _):
        face = covered(elsewhere)
        await until(lambda: face.alive)
        for turn in range(8):
            say(face, turn, loud(0.9, 1.8))
            await until(lambda: face.ready)
            assert height(leaves(face, turn * RATE, turn, 0, turn)) == pytest.approx(0.9, abs=0.03)
            face.stopped(turn * RATE + CHUNK)
            face.dropped(turn * RATE + CHUNK, turn + 1)
            assert height(face.frame_at(turn * RATE + CHUNK, turn + 1)) == 0
        say(face, 9, loud(0.3, 0.5))
        await until(lambda: face.ready)
        assert height(leaves(face, 9 * RATE, 9, 0, 8)) == pytest.approx(0.3, abs=0.03)


async def test_a_program_that_dies_is_started_again_and_the_stage_covers_meanwhile() -> None:
    async with running("die") as (elsewhere, program):
        face = covered(elsewhere)
        await until(lambda: face.alive)
        first = program.pid
        for utterance in range(3):
            say(face, utterance, loud(0.5, 0.2))
        await until(lambda: not face.alive)
        assert height(face.frame_at(RATE, 0)) == 0
        await until(lambda: face.alive)
        assert program.deaths == 1
        assert program.pid != first
        face.dropped(RATE, 1)
        say(face, 9, loud(0.6, 0.5))
        await until(lambda: face.ready)
        assert height(leaves(face, RATE, 9, 0, 1)) == pytest.approx(0.6, abs=0.03)


async def test_a_program_that_hangs_is_killed() -> None:
    async with running("hang", answer_s=0.3) as (elsewhere, program):
        face = covered(elsewhere)
        await until(lambda: face.alive)
        first = program.pid
        assert first is not None
        say(face, 1, loud(0.5))
        await until(lambda: program.deaths == 1)
        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)


async def test_calls_share_the_program_and_see_nothing_of_each_other() -> None:
    async with running() as (elsewhere, _):
        faces = [covered(elsewhere, f"call {number}") for number in range(3)]
        await until(lambda: all(face.alive for face in faces))
        for number, face in enumerate(faces):
            say(face, 1, loud(0.2 + 0.3 * number, 0.5))
        await until(lambda: all(face.ready for face in faces))
        seen = [height(leaves(face, 0, 1, 0)) for face in faces]
        assert seen == pytest.approx([0.2, 0.5, 0.8], abs=0.03)
        elsewhere.leave("call 1")
        await until(lambda: not faces[1].alive)
        assert faces[0].alive


@pytest.mark.parametrize(
    ("how", "error", "says"),
    [
        ("refuse", EngineMissing, "the weights are missing"),
        ("babble", EngineFailed, "does not speak the protocol"),
        ("wrong kind", EngineFailed, "its kind is one of"),
        ("late", EngineTimeout, "within 0.5 s"),
    ],
)
async def test_a_program_that_cannot_work_says_why(how: str, error: type[EngineError], says: str) -> None:
    program = Program(options(how, ready_s=0.5 if how == "late" else 10.0))
    with pytest.raises(error, match=says):
        await program.start()
    assert program.pid is None


async def test_a_program_that_is_not_there_is_named() -> None:
    program = Program(Options("neural", command=("/nowhere/renderer",)))
    with pytest.raises(EngineMissing, match="/nowhere/renderer cannot be run"):
        await program.start()
    await program.close()


async def test_the_program_gets_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")
    from agent.face.neural.program import _environment

    assert "SOME_API_KEY" not in _environment()
    assert "PATH" in _environment()


async def test_closing_ends_the_process() -> None:
    async with running() as (_, program):
        pid = program.pid
        assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
