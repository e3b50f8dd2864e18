"""The built-in recogniser on the callers' own speech, as a browser and as a telephone carry it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import numpy as np
import pytest
import soxr

from agent.engines.base import EngineConfig, Hypothesis
from agent.engines.speech.pocketsphinx import CALLS_PER_CHILD, PocketSphinx, SphinxHearing, _decent, create
from compliance.errors import EngineFailed, EngineMissing
from tests.speech.make import RATE_HZ, TABLE, load


@pytest.fixture
async def sphinx() -> AsyncIterator[PocketSphinx]:
    sphinx = create(EngineConfig("pocketsphinx", options={"processes": "1"}))
    assert isinstance(sphinx, PocketSphinx)
    await sphinx.start()
    yield sphinx
    await sphinx.close()


def telephone(pcm: bytes) -> bytes:
    """16 kHz -> 8 kHz through G.711 mu-law and back: 14 bits, a sign, 8 segments of 16 steps."""
    narrow = np.clip(soxr.resample(np.frombuffer(pcm, np.int16), RATE_HZ, 8000).astype(int), -32635, 32635)
    biased = np.abs(narrow) + 132
    segment = np.floor(np.log2(biased)).astype(int) - 7
    step = (biased >> (segment + 3)) & 15
    heard = np.sign(narrow) * ((((step << 3) + 132) << segment) - 132)
    return bytes(heard.astype(np.int16).tobytes())


async def say(hearing: SphinxHearing, pcm: bytes, rate_hz: int) -> None:
    chunk_bytes = rate_hz // 50 * 2
    for _ in range(25):
        hearing.feed(bytes(chunk_bytes))
    hearing.onset()
    for at in range(0, len(pcm), chunk_bytes):
        hearing.feed(pcm[at : at + chunk_bytes])
        await _room(hearing)
    for _ in range(15):
        hearing.feed(bytes(chunk_bytes))
    hearing.offset()


async def _room(hearing: SphinxHearing) -> None:
    """Audio comes faster than in real time, and what waits too long would be dropped."""
    async with asyncio.timeout(30):
        while hearing.backlog_s > 1:  # noqa: ASYNC110  the engine takes what waits and tells nobody
            await asyncio.sleep(0.01)


async def recognise(sphinx: PocketSphinx, pcm: bytes, rate_hz: int) -> set[str]:
    hearing = await sphinx.open(rate_hz=rate_hz, language="en-US")
    await say(hearing, pcm, rate_hz)
    async with asyncio.timeout(30):
        text = await hearing.finish()
    await hearing.close()
    return set(text.split())


async def test_every_line_is_understood_by_its_keywords_and_no_line_by_anothers(sphinx: PocketSphinx) -> None:
    asked = {"saturday", "consultation", "address", "talking", "capital", "alpha", "bravo", "water", "paper"}
    missed, mistaken = {}, {}
    for name, line in TABLE.items():
        browser = await recognise(sphinx, load(name), RATE_HZ)
        phone = await recognise(sphinx, telephone(load(name)), 8000)
        if rest := set(line.keywords) - (browser & phone):
            missed[name] = rest
        if wrong := (browser | phone) & (asked - set(line.text.lower().strip("?.").split())):
            mistaken[name] = wrong

    assert (missed, mistaken) == ({}, {})


async def test_a_browsers_48_khz_is_understood_too(sphinx: PocketSphinx) -> None:
    wide = soxr.resample(np.frombuffer(load("unknown"), np.int16), RATE_HZ, 48000).astype(np.int16)

    assert "capital" in await recognise(sphinx, wide.tobytes(), 48000)


async def test_words_come_while_the_person_speaks_and_a_pause_settles_them(sphinx: PocketSphinx) -> None:
    hearing = await sphinx.open(rate_hz=RATE_HZ, language="en")
    texts, stable = [], 0
    await say(hearing, load("alpha"), RATE_HZ)
    async with asyncio.timeout(20):
        async for hypothesis in hearing.hypotheses():
            texts.append(hypothesis.text)
            stable = hypothesis.stable_words
            if stable:
                break

    assert stable == len(texts[-1].split()) > 0
    assert len(texts) > 1
    await say(hearing, load("tango"), RATE_HZ)
    words = (await hearing.finish()).split()
    assert words[:stable] == texts[-1].split()
    assert "water" in words[stable:]
    await hearing.close()


async def test_two_people_at_once_never_get_each_others_words(sphinx: PocketSphinx) -> None:
    one, two = await asyncio.gather(
        recognise(sphinx, load("alpha"), RATE_HZ), recognise(sphinx, load("tango"), RATE_HZ)
    )

    assert set(TABLE["alpha"].keywords) <= one
    assert set(TABLE["tango"].keywords) <= two
    assert not one & set(TABLE["tango"].keywords)
    assert not two & set(TABLE["alpha"].keywords)


async def test_who_talks_without_a_pause_is_understood_to_the_end_and_waits_no_longer_for_it(
    sphinx: PocketSphinx,
) -> None:
    hearing = await sphinx.open(rate_hz=RATE_HZ, language="en")
    hearing.onset()
    told: list[Hypothesis] = []
    reader = asyncio.create_task(_collect(hearing, told), name="reader")
    spoken = ["alpha", "ask_hours", "long_story", "take_message", "over_disclosure"]
    for name in [*spoken, "unrelated", "goodbye", "tango"]:
        pcm = load(name)
        for at in range(0, len(pcm), 640):
            hearing.feed(pcm[at : at + 640])
            await _room(hearing)
    async with asyncio.timeout(30):
        words = (await hearing.finish()).split()
    await hearing.close()
    await reader

    assert "bravo" in words
    assert "water" in words
    # Nobody noticed a pause, and yet what was said 12 s ago is settled.
    settled = max(hypothesis.stable_words for hypothesis in told)
    assert len(words) / 3 < settled < len(words)


async def _collect(hearing: SphinxHearing, told: list[Hypothesis]) -> None:
    async for hypothesis in hearing.hypotheses():
        told.append(hypothesis)


async def test_silence_is_not_decoded(sphinx: PocketSphinx) -> None:
    hearing = await sphinx.open(rate_hz=8000, language="en")
    for _ in range(500):
        hearing.feed(bytes(320))

    assert await hearing.finish() == ""
    await hearing.close()


async def test_the_death_of_the_process_is_told_and_a_new_hearing_works(sphinx: PocketSphinx) -> None:
    hearing = await sphinx.open(rate_hz=RATE_HZ, language="en")
    await say(hearing, load("alpha"), RATE_HZ)
    pid = sphinx.pids[0]
    os.kill(pid, signal.SIGKILL)

    async with asyncio.timeout(20):
        with pytest.raises(EngineFailed):
            await hearing.finish()
        with pytest.raises(EngineFailed):
            async for _ in hearing.hypotheses():
                pass
        await hearing.close()
        assert "bravo" in await recognise(sphinx, load("alpha"), RATE_HZ)


async def test_more_calls_than_it_can_carry_are_refused(sphinx: PocketSphinx) -> None:
    hearings = [await sphinx.open(rate_hz=RATE_HZ, language="en") for _ in range(CALLS_PER_CHILD)]

    with pytest.raises(EngineFailed, match="capacity"):
        await sphinx.open(rate_hz=RATE_HZ, language="en")
    await hearings[0].close()
    await sphinx.open(rate_hz=RATE_HZ, language="en")


async def test_other_languages_are_told_to_go_elsewhere(sphinx: PocketSphinx) -> None:
    with pytest.raises(EngineMissing, match="English only"):
        await sphinx.open(rate_hz=8000, language="de")
    with pytest.raises(EngineMissing, match="English only"):
        await create(EngineConfig("pocketsphinx", language="de")).start()


def test_what_it_mishears_as_swearing_is_left_out() -> None:
    assert _decent("granted the fuck up and on") == "granted the up and on"
