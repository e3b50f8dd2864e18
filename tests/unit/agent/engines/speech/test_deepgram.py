"""The Deepgram engine against a server that speaks Deepgram's protocol on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from agent.engines.base import EngineConfig, Hypothesis
from agent.engines.speech import deepgram as engine_module
from agent.engines.speech.deepgram import DeepgramHearing, DeepgramSpeech, Transcript, address, create
from compliance.errors import EngineFailed, EngineMissing
from tests.doubles.deepgram import Deepgram, Script

RATE_HZ = 8000
SPEECH = (np.sin(np.arange(160) / 3) * 8000).astype(np.int16).tobytes()
SILENCE = bytes(320)


@pytest.fixture
async def server() -> AsyncIterator[Deepgram]:
    async with Deepgram(Script(says=("what is the capital of mongolia", "thank you"))) as server:
        yield server


def engine(server: Deepgram) -> DeepgramSpeech:
    config = EngineConfig("deepgram", base_url=server.url, secrets={"DEEPGRAM_API_KEY": "k"})
    speech = create(config)
    assert isinstance(speech, DeepgramSpeech)
    return speech


@pytest.fixture
async def hearing(server: Deepgram) -> AsyncIterator[DeepgramHearing]:
    speech = engine(server)
    await speech.start()
    hearing = await speech.open(rate_hz=RATE_HZ, language="en")
    yield hearing
    await speech.close()


def say(hearing: DeepgramHearing, seconds: float) -> None:
    hearing.onset()
    for _ in range(int(seconds * 50)):
        hearing.feed(SPEECH)


def result(text: str, *, start: float = 0.0, end: float = 1.0, final: bool = True) -> dict[str, object]:
    alternatives = [{"transcript": text}]
    return {
        "start": start, "duration": end - start, "is_final": final, "channel": {"alternatives": alternatives}
    }  # fmt: skip


async def test_it_connects_as_documented_at_the_callers_own_rate(
    server: Deepgram, hearing: DeepgramHearing
) -> None:
    listener = server.listeners[0]

    assert listener.authorization == "Token k"
    assert listener.query["encoding"] == "linear16"
    assert listener.query["sample_rate"] == "8000"
    assert listener.query["model"] == "nova-3"
    assert listener.query["interim_results"] == "true"


async def test_words_come_while_the_person_speaks(hearing: DeepgramHearing) -> None:
    say(hearing, 1.2)

    async with asyncio.timeout(5):
        async for hypothesis in hearing.hypotheses():
            if hypothesis.text == "what is the capital":
                break
    assert hypothesis.stable_words == 0


async def test_the_text_asked_for_at_the_offset_is_the_text_of_the_turn(
    server: Deepgram, hearing: DeepgramHearing
) -> None:
    say(hearing, 1.0)
    hearing.offset()
    for _ in range(20):
        hearing.feed(SILENCE)

    assert await hearing.finish() == "what is the capital of mongolia"
    assert server.listeners[0].controls == ["Finalize"]


async def test_speech_after_the_offset_is_finalized_again(server: Deepgram, hearing: DeepgramHearing) -> None:
    say(hearing, 1.0)
    hearing.offset()
    say(hearing, 0.5)

    assert await hearing.finish() == "what is the capital of mongolia thank you"
    assert server.listeners[0].controls == ["Finalize", "Finalize"]


async def test_the_late_answer_to_an_earlier_pause_does_not_end_the_turn(
    server: Deepgram, hearing: DeepgramHearing
) -> None:
    server.script.delay_ms = 100
    say(hearing, 1.0)
    hearing.offset()
    say(hearing, 0.5)
    hearing.offset()

    assert await hearing.finish() == "what is the capital of mongolia thank you"


async def test_each_turn_starts_anew(hearing: DeepgramHearing) -> None:
    say(hearing, 1.0)
    first = await hearing.finish()
    say(hearing, 1.0)

    second = await hearing.finish()

    assert (first, second) == ("what is the capital of mongolia", "thank you")


async def test_an_unanswered_finalize_gives_what_was_heard_so_far(
    server: Deepgram, hearing: DeepgramHearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "FINALIZE_TIMEOUT_S", 0.3)
    server.script.answers_finalize = False
    say(hearing, 0.6)

    assert await hearing.finish() == "what is"


async def test_a_muted_person_keeps_the_connection(server: Deepgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "KEEP_ALIVE_S", 0.02)
    speech = engine(server)
    hearing = await speech.open(rate_hz=RATE_HZ, language="en")
    async with asyncio.timeout(5):
        while "KeepAlive" not in server.listeners[-1].controls:  # noqa: ASYNC110 - the double has no event for it
            await asyncio.sleep(0.01)
    await hearing.close()


async def test_a_connection_that_dies_is_told_to_reader_and_finisher(
    server: Deepgram, hearing: DeepgramHearing
) -> None:
    server.script.dies_after_ms = 100
    say(hearing, 0.5)

    with pytest.raises(EngineFailed, match="broke"):
        async for _ in hearing.hypotheses():
            pass
    with pytest.raises(EngineFailed, match="broke"):
        await hearing.finish()
    hearing.feed(SPEECH)


async def test_close_says_goodbye_and_may_be_called_twice(server: Deepgram, hearing: DeepgramHearing) -> None:
    await hearing.close()
    await hearing.close()

    async with asyncio.timeout(5):
        await server.listeners[0].closed.wait()
    assert "CloseStream" in server.listeners[0].controls


async def test_closing_a_server_that_hangs_is_bounded(server: Deepgram, hearing: DeepgramHearing) -> None:
    server.script.hangs_after_ms = 0
    say(hearing, 0.2)
    async with asyncio.timeout(5):
        await hearing.close()


async def test_a_refused_key_says_which_key(server: Deepgram) -> None:
    server.script.refuses = True

    with pytest.raises(EngineFailed, match="DEEPGRAM_API_KEY"):
        await engine(server).open(rate_hz=RATE_HZ, language="en")


async def test_no_server_is_a_clear_failure() -> None:
    config = EngineConfig("deepgram", base_url="ws://127.0.0.1:9", secrets={"DEEPGRAM_API_KEY": "k"})

    with pytest.raises(EngineFailed, match="cannot be reached"):
        await create(config).open(rate_hz=RATE_HZ, language="en")


async def test_no_key_is_told_before_any_call() -> None:
    with pytest.raises(EngineMissing, match="DEEPGRAM_API_KEY"):
        await create(EngineConfig("deepgram")).start()


async def test_two_people_never_share_a_text(server: Deepgram) -> None:
    server.script.says = lambda listener, _utterance: ("alpha", "tango")[listener.number]
    speech = engine(server)
    one = await speech.open(rate_hz=RATE_HZ, language="en")
    two = await speech.open(rate_hz=RATE_HZ, language="en")
    say(one, 0.5)
    say(two, 0.5)

    assert list(await asyncio.gather(one.finish(), two.finish())) == ["alpha", "tango"]
    await speech.close()


def test_finals_are_stable_and_an_interim_is_replaced() -> None:
    transcript = Transcript()
    transcript.add(result("good morning"))
    transcript.add(result("I wood", start=1, end=1.5, final=False))
    transcript.add(result("I would like", start=1, end=2, final=False))

    assert transcript.hypothesis == Hypothesis("good morning I would like", 2)


def test_a_late_result_of_the_last_turn_does_not_enter_the_next() -> None:
    transcript = Transcript()
    transcript.add(result("good", final=False))
    assert transcript.take(ends_s=1.0) == "good"

    assert not transcript.add(result("good morning"))
    assert transcript.add(result("hello", start=0.9, end=1.9))
    assert transcript.hypothesis.text == "hello"


async def test_audio_that_cannot_be_sent_is_dropped(server: Deepgram, hearing: DeepgramHearing) -> None:
    say(hearing, 12.0)  # before the sender gets its turn
    await hearing.finish()

    assert server.listeners[0].audio_bytes == 5 * 2 * RATE_HZ


def test_options_reach_the_query_and_paths_are_kept() -> None:
    config = EngineConfig("deepgram", base_url="https://here.example/v1/listen", options={"keyterm": "Ulan Bator"})

    url = address(config, rate_hz=8000, language="de")

    assert url.startswith("wss://here.example/v1/listen?")
    assert "keyterm=Ulan+Bator" in url
    assert "language=de" in url
