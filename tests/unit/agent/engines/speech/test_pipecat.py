"""Pipecat's services behind our protocol: Pipecat's own Deepgram service on a server that speaks Deepgram."""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import os
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from agent.engines.base import EngineConfig, Hypothesis
from agent.engines.speech.pipecat import CARDS, SERVICES, Ending, PipecatHearing, PipecatSpeech, Service, create
from compliance.errors import EngineFailed, EngineMissing
from tests.doubles.deepgram import Deepgram, Script

# Deepgram's SDK imports names that websockets calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")

SPEECH = (np.sin(np.arange(160) / 3) * 8000).astype(np.int16).tobytes()
DEEPGRAM = Service(
    "deepgram.stt", "DeepgramSTTService", {"DEEPGRAM_API_KEY": "api_key"}, "Deepgram", "deepgram", "base_url"
)


@pytest.fixture
async def server() -> AsyncIterator[Deepgram]:
    async with Deepgram(Script(says=("what is the capital of mongolia", "thank you"))) as server:
        yield server


@pytest.fixture
async def speech(server: Deepgram) -> AsyncIterator[PipecatSpeech]:
    if importlib.util.find_spec("deepgram") is None and os.environ.get("CI") != "true":
        pytest.skip("deepgram-sdk is not installed")
    config = EngineConfig("theirs", base_url=server.url, secrets={"DEEPGRAM_API_KEY": "k"})
    speech = PipecatSpeech(config, DEEPGRAM)
    await speech.start()
    yield speech
    await speech.close()
    await speech.close()


def say(hearing: PipecatHearing, seconds: float) -> None:
    hearing.onset()
    for _ in range(int(seconds * 50)):
        hearing.feed(SPEECH)


async def test_words_come_while_the_person_speaks_and_the_turn_ends_with_its_text(
    server: Deepgram, speech: PipecatSpeech
) -> None:
    hearing = await speech.open(rate_hz=8000, language="en")
    say(hearing, 1.2)
    async with asyncio.timeout(10):
        async for hypothesis in hearing.hypotheses():
            if hypothesis.text == "what is the capital":
                break
        hearing.offset()
        first = await hearing.finish()
        say(hearing, 0.5)
        second = await hearing.finish()

    assert (first, second) == ("what is the capital of mongolia", "thank you")
    assert server.listeners[0].query["sample_rate"] == "8000"
    await hearing.close()


async def test_a_turn_without_speech_waits_for_nothing(speech: PipecatSpeech) -> None:
    hearing = await speech.open(rate_hz=8000, language="en")

    assert await hearing.finish() == ""


async def test_closing_ends_reader_and_connection(server: Deepgram, speech: PipecatSpeech) -> None:
    hearing = await speech.open(rate_hz=8000, language="en")
    await hearing.close()
    await hearing.close()

    async with asyncio.timeout(5):
        await server.listeners[0].closed.wait()
        assert [each async for each in hearing.hypotheses()] == []


async def test_a_language_nobody_knows_is_told(speech: PipecatSpeech) -> None:
    with pytest.raises(EngineMissing, match="language"):
        await speech.open(rate_hz=8000, language="klingon")


async def test_an_option_nobody_knows_is_told(server: Deepgram) -> None:
    config = EngineConfig(
        "theirs", base_url=server.url, secrets={"DEEPGRAM_API_KEY": "k"}, options={"nonsense": "1"}
    )
    speech = PipecatSpeech(config, DEEPGRAM)
    await speech.start()

    with pytest.raises(EngineFailed, match="options"):
        await speech.open(rate_hz=8000, language="en")


async def test_a_missing_key_or_package_names_what_to_do() -> None:
    with pytest.raises(EngineMissing, match="CARTESIA_API_KEY"):
        await create(EngineConfig("cartesia")).start()
    gone = Service("no_such.stt", "X", {}, "X", "soniox")
    with pytest.raises(EngineMissing, match=r"\[soniox\]"):
        await PipecatSpeech(EngineConfig("x"), gone).start()
    with pytest.raises(EngineMissing, match="cartesia"):
        create(EngineConfig("no_such"))


@pytest.mark.parametrize("name", SERVICES)
def test_the_table_names_classes_and_arguments_that_exist(name: str) -> None:
    service = SERVICES[name]
    pipecat = importlib.util.find_spec("pipecat")
    assert pipecat is not None
    assert pipecat.origin is not None
    source = Path(pipecat.origin).parent / "services" / (service.module.replace(".", "/") + ".py")
    classes = {n.name: n for n in ast.parse(source.read_text()).body if isinstance(n, ast.ClassDef)}
    init = next(
        each
        for each in classes[service.class_name].body
        if isinstance(each, ast.FunctionDef) and each.name == "__init__"
    )
    arguments = {argument.arg for argument in init.args.kwonlyargs}

    assert {*service.keys.values(), *filter(None, [service.url]), "sample_rate", "settings"} <= arguments


def test_each_service_has_a_card() -> None:
    assert {card.name for card in CARDS} == set(SERVICES)


def test_a_marked_final_ends_the_wait_at_once() -> None:
    ending = Ending()
    ending.interim("good mor", 1.0)
    ending.offset(1.2)
    assert ending.wait_s(1.2) == pytest.approx(1.5)
    ending.final("good morning", 1.4, marked=True)

    assert ending.wait_s(1.4) == 0.0
    assert ending.take() == "good morning"


def test_an_unmarked_final_is_complete_after_a_short_quiet() -> None:
    ending = Ending()
    ending.offset(1.0)
    ending.final("good morning", 1.4, marked=False)

    assert ending.wait_s(1.4) == pytest.approx(0.25)
    assert ending.wait_s(1.7) == 0.0


def test_a_service_that_stays_silent_gives_its_last_interim_after_the_limit() -> None:
    ending = Ending()
    ending.final("well", 0.5, marked=False)
    ending.interim("good mor", 1.0)
    ending.offset(1.2)

    assert ending.hypothesis == Hypothesis("well good mor", 1)
    assert ending.wait_s(2.0) == pytest.approx(0.7)
    assert ending.wait_s(2.8) == 0.0
    assert ending.take() == "well good mor"


def test_speech_that_goes_on_takes_the_mark_back() -> None:
    ending = Ending()
    ending.offset(1.0)
    ending.final("good", 1.1, marked=True)
    ending.onset()
    ending.offset(2.0)

    assert ending.wait_s(2.0) > 0
