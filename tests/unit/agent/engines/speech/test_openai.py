"""The OpenAI-compatible engine against a real HTTP server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent.engines.base import EngineConfig, Hypothesis
from agent.engines.speech.openai import OpenAIHearing, create, is_loopback
from compliance.errors import EngineFailed, EngineMissing, EngineTimeout
from tests.doubles.openai_speech import OpenAISpeechServer, Script

CHUNK = b"\x10\x20" * 320  # 20 ms at 16 kHz


@pytest.fixture
async def server() -> AsyncIterator[OpenAISpeechServer]:
    async with OpenAISpeechServer(Script(says=("first", "second", "third"))) as server:
        yield server


@pytest.fixture
async def hearing(server: OpenAISpeechServer) -> AsyncIterator[OpenAIHearing]:
    speech = create(EngineConfig("openai", base_url=server.url, total_timeout_s=2.0))
    await speech.start()
    hearing = await speech.open(rate_hz=16000, language="en-GB")
    assert isinstance(hearing, OpenAIHearing)
    yield hearing
    await speech.close()
    await speech.close()


def say(hearing: OpenAIHearing, chunks: int = 50) -> None:
    hearing.onset()
    for _ in range(chunks):
        hearing.feed(CHUNK)


async def test_the_request_made_at_the_offset_answers_the_turn(
    server: OpenAISpeechServer, hearing: OpenAIHearing
) -> None:
    say(hearing)
    hearing.offset()
    for _ in range(20):
        hearing.feed(bytes(640))

    assert await hearing.finish() == "first"
    asked = server.asked[0]
    assert len(server.asked) == 1
    assert asked.pcm == CHUNK * 50
    assert asked.rate_hz == 16000
    assert asked.fields["language"] == "en"
    assert asked.authorization == ""


async def test_its_text_is_a_hypothesis_before_the_turn_ends(hearing: OpenAIHearing) -> None:
    say(hearing)
    hearing.offset()

    async with asyncio.timeout(5):
        assert await anext(hearing.hypotheses()) == Hypothesis("first", 0)


async def test_speech_after_the_offset_is_asked_for_again_as_a_whole(
    server: OpenAISpeechServer, hearing: OpenAIHearing
) -> None:
    server.script.says = lambda asked: f"{asked.seconds:.1f} s"
    say(hearing)
    hearing.offset()
    say(hearing)

    assert await hearing.finish() == "2.0 s"


async def test_the_silence_before_the_first_word_is_not_sent(
    server: OpenAISpeechServer, hearing: OpenAIHearing
) -> None:
    for _ in range(500):
        hearing.feed(bytes(640))
    say(hearing)
    await hearing.finish()

    assert server.asked[0].seconds == pytest.approx(1.6)


async def test_each_turn_starts_anew(server: OpenAISpeechServer, hearing: OpenAIHearing) -> None:
    say(hearing)
    first = await hearing.finish()
    say(hearing, 25)

    assert (first, await hearing.finish()) == ("first", "second")
    assert server.asked[1].seconds == pytest.approx(0.5)


async def test_a_turn_without_audio_asks_nobody(server: OpenAISpeechServer, hearing: OpenAIHearing) -> None:
    assert await hearing.finish() == ""
    assert server.asked == []


@pytest.mark.parametrize(("status", "hint"), [(500, "status 500"), (401, "OPENAI_API_KEY")])
async def test_a_refusal_says_what_to_check(
    server: OpenAISpeechServer, hearing: OpenAIHearing, status: int, hint: str
) -> None:
    server.script.status = status
    say(hearing)
    hearing.offset()

    with pytest.raises(EngineFailed, match=hint):
        await hearing.finish()


async def test_an_answer_that_is_no_transcription_is_a_failure(
    server: OpenAISpeechServer, hearing: OpenAIHearing
) -> None:
    server.script.body = "<html>"
    say(hearing)

    with pytest.raises(EngineFailed, match="base_url"):
        await hearing.finish()


async def test_a_server_that_hangs_is_given_up(server: OpenAISpeechServer) -> None:
    server.script.hangs = True
    speech = create(EngineConfig("openai", base_url=server.url, total_timeout_s=0.2))
    await speech.start()
    hearing = await speech.open(rate_hz=8000, language="en")
    hearing.onset()
    hearing.feed(CHUNK)

    with pytest.raises(EngineTimeout):
        await hearing.finish()
    await speech.close()


async def test_a_dropped_request_does_not_delay_the_end(
    server: OpenAISpeechServer, hearing: OpenAIHearing
) -> None:
    server.script.hangs = True
    say(hearing)
    hearing.offset()
    await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await hearing.close()


async def test_no_server_is_a_clear_failure() -> None:
    speech = create(EngineConfig("openai", base_url="http://127.0.0.1:9/v1"))
    await speech.start()
    hearing = await speech.open(rate_hz=8000, language="en")
    hearing.feed(CHUNK)

    with pytest.raises(EngineFailed, match="cannot be reached"):
        await hearing.finish()
    await speech.close()


async def test_only_loopback_needs_no_key() -> None:
    with pytest.raises(EngineMissing, match="OPENAI_API_KEY"):
        await create(EngineConfig("openai")).start()
    assert is_loopback("http://localhost:8000/v1")
    assert is_loopback("http://[::1]:8000/v1")
    assert not is_loopback("http://127.0.0.1.example/v1")
