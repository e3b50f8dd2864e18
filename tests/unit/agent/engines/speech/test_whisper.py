"""Our streaming decoder over a real (tiny, scripted) Whisper model in its real child process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from agent.engines.base import EngineConfig
from agent.engines.speech.whisper import Whisper, WhisperHearing, create
from compliance.errors import EngineFailed, EngineMissing
from tests.unit.agent.engines.speech.tiny_whisper import build

RATE_HZ = 8000
CHUNK = (np.random.default_rng(0).normal(0, 3000, 160)).astype(np.int16).tobytes()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny"), "alpha bravo")


@pytest.fixture
async def whisper(model: Path) -> AsyncIterator[Whisper]:
    options = {"device": "cpu", "capacity": "2", "threads": "1"}
    whisper = create(EngineConfig("whisper", model=str(model), options=options))
    assert isinstance(whisper, Whisper)
    await whisper.start()
    yield whisper
    await whisper.close()
    await whisper.close()


def truncated(model: Path, folder: Path) -> Path:
    for file in model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes()[:2000])
    return folder


def say(hearing: WhisperHearing, seconds: float) -> None:
    hearing.onset()
    for _ in range(int(seconds * 50)):
        hearing.feed(CHUNK)


async def test_words_come_and_become_stable_while_the_person_speaks(whisper: Whisper) -> None:
    hearing = await whisper.open(rate_hz=RATE_HZ, language="en")
    hypotheses = hearing.hypotheses()
    say(hearing, 1.5)
    async with asyncio.timeout(20):
        first = await anext(hypotheses)
        say(hearing, 0.5)
        second = await anext(hypotheses)

    assert (first.text, first.stable_words) == ("alpha bravo", 0)
    assert (second.text, second.stable_words) == ("alpha bravo", 2)
    await hearing.close()


async def test_the_decode_begun_at_the_offset_answers_the_turn(whisper: Whisper) -> None:
    hearing = await whisper.open(rate_hz=RATE_HZ, language="en")
    say(hearing, 1.5)
    hearing.offset()
    async with asyncio.timeout(20):
        await anext(hearing.hypotheses())
        for _ in range(20):
            hearing.feed(bytes(320))
        whisper.want = None  # type: ignore[assignment, method-assign] # a second decode would break here
        assert await hearing.finish() == "alpha bravo"


async def test_finish_without_an_offset_decodes_what_there_is(whisper: Whisper) -> None:
    hearing = await whisper.open(rate_hz=RATE_HZ, language="en")
    say(hearing, 1.0)

    async with asyncio.timeout(20):
        assert await hearing.finish() == "alpha bravo"


async def test_each_turn_starts_anew_and_silence_says_nothing(whisper: Whisper) -> None:
    hearing = await whisper.open(rate_hz=RATE_HZ, language="en")
    async with asyncio.timeout(20):
        say(hearing, 1.0)
        first = await hearing.finish()
        for _ in range(100):
            hearing.feed(bytes(320))
        silent = await hearing.finish()
        say(hearing, 1.0)
        third = await hearing.finish()

    assert (first, silent, third) == ("alpha bravo", "", "alpha bravo")


async def test_two_people_are_heard_at_once_and_a_third_is_refused(whisper: Whisper) -> None:
    one = await whisper.open(rate_hz=RATE_HZ, language="en")
    two = await whisper.open(rate_hz=16000, language="en-US")
    with pytest.raises(EngineFailed, match="capacity of 2"):
        await whisper.open(rate_hz=RATE_HZ, language="en")
    say(one, 1.0)
    say(two, 1.0)

    async with asyncio.timeout(20):
        assert list(await asyncio.gather(one.finish(), two.finish())) == ["alpha bravo"] * 2
    await one.close()
    await whisper.open(rate_hz=RATE_HZ, language="en")


async def test_the_death_of_the_process_is_told_and_a_new_hearing_works(whisper: Whisper) -> None:
    hearing = await whisper.open(rate_hz=RATE_HZ, language="en")
    assert whisper.pid is not None
    os.kill(whisper.pid, signal.SIGSTOP)  # so that the decode is under way when it dies
    say(hearing, 1.0)
    finishing = asyncio.create_task(hearing.finish(), name="finish")
    await asyncio.sleep(0.05)
    os.kill(whisper.pid, signal.SIGKILL)

    async with asyncio.timeout(30):
        with pytest.raises(EngineFailed, match="process ended"):
            await finishing
        with pytest.raises(EngineFailed, match="process ended"):
            await anext(hearing.hypotheses())
        again = await whisper.open(rate_hz=RATE_HZ, language="en")
        say(again, 1.0)
        assert await again.finish() == "alpha bravo"


async def test_a_hearing_that_closes_lets_its_finish_go(whisper: Whisper) -> None:
    hearing = await whisper.open(rate_hz=RATE_HZ, language="en")
    assert whisper.pid is not None
    os.kill(whisper.pid, signal.SIGSTOP)
    say(hearing, 1.0)
    finishing = asyncio.create_task(hearing.finish(), name="finish")
    await asyncio.sleep(0.05)
    await hearing.close()
    await hearing.close()

    async with asyncio.timeout(5):
        assert [hypothesis async for hypothesis in hearing.hypotheses()] == []
        with pytest.raises(EngineFailed, match="over"):
            await finishing
    os.kill(whisper.pid, signal.SIGCONT)


async def test_an_english_model_says_so(whisper: Whisper) -> None:
    with pytest.raises(EngineMissing, match="English only"):
        await whisper.open(rate_hz=RATE_HZ, language="de")


async def test_a_model_that_is_not_here_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match="whisper_models base"):
        await create(EngineConfig("whisper", cache=tmp_path)).start()


async def test_a_broken_model_is_a_clear_failure(model: Path, tmp_path: Path) -> None:
    whisper = create(EngineConfig("whisper", model=str(truncated(model, tmp_path)), options={"device": "cpu"}))
    with pytest.raises(EngineFailed, match=r"cannot be loaded"):
        await whisper.start()
    await whisper.close()
