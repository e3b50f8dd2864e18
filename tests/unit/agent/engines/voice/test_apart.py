"""A Pipecat voice in a real process of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from agent.engines.base import EngineConfig
from agent.engines.voice.apart import VoiceApart
from compliance.errors import EngineFailed, EngineMissing
from tests.doubles.openai_voice import tones
from tests.unit.agent.engines.voice.gather import keeps_the_contract, spoken

TEXT = "this has exactly six different words"


@pytest.fixture
async def voice() -> AsyncIterator[VoiceApart]:
    config = EngineConfig(name="tones", total_timeout_s=5.0, cache=Path(), secrets={"KEY": "secret"})
    voice = VoiceApart(config, "tests.unit.agent.engines.voice.tones_child")
    await voice.start()
    yield voice
    await voice.close()


async def test_it_speaks_is_left_dies_and_speaks_again(voice: VoiceApart) -> None:
    sentence = await spoken(voice, TEXT)
    keeps_the_contract(sentence, TEXT)
    assert sentence.samples.tobytes() == tones(6, rate_hz=24000)

    async with aclosing(voice.speak("one slow two slow hang", language="en")) as chunks:
        await anext(chunks)
    keeps_the_contract(await spoken(voice, TEXT), TEXT)

    with pytest.raises(EngineFailed):
        await spoken(voice, "one boom")
    keeps_the_contract(await spoken(voice, TEXT), TEXT)

    assert voice.pid is not None
    async with aclosing(voice.speak("one hang", language="en")) as chunks:
        await anext(chunks)
        os.kill(voice.pid, signal.SIGKILL)
        with pytest.raises(EngineFailed):
            [chunk async for chunk in chunks]
    keeps_the_contract(await spoken(voice, TEXT), TEXT)


async def test_its_arguments_hold_no_secret(voice: VoiceApart) -> None:
    assert "secret" not in repr(voice._child._args).replace('"secrets"', "")


async def test_a_missing_library_names_the_extra() -> None:
    voice = VoiceApart(EngineConfig(name="kokoro", cache=Path()))
    with pytest.raises(EngineMissing, match=r"\[kokoro\]"):
        await voice.start()
    await voice.close()
