"""Real Pipecat services outside of a call: small ones of ours, and ElevenLabs' own against its protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from agent.engines.base import EngineConfig
from agent.engines.voice import pipecat
from agent.engines.voice.limits import Limits
from agent.engines.voice.pool import PipecatVoice
from compliance.errors import EngineFailed, EngineTimeout
from tests.doubles.elevenlabs import ElevenLabsServer, Script
from tests.doubles.openai_voice import tones
from tests.unit.agent.engines.voice.gather import keeps_the_contract, spoken
from tests.unit.agent.engines.voice.tones import WORD_MS, Tones

TEXT = "this has exactly six different words"


def made(*, timed: bool = False, reports: bool | None = None, gap_s: float = 5.0) -> PipecatVoice:
    return PipecatVoice(
        "tones",
        lambda language: Tones(timed=timed if reports is None else reports),
        language="en",
        timed=timed,
        limits=Limits(first_audio_s=0.5, total_s=20.0, gap_s=gap_s),
    )


@pytest.fixture
async def voice() -> AsyncIterator[PipecatVoice]:
    voice = made()
    await voice.start()
    yield voice
    await voice.close()


async def test_a_service_without_times_is_estimated(voice: PipecatVoice) -> None:
    sentence = await spoken(voice, TEXT)

    keeps_the_contract(sentence, TEXT)
    assert sentence.samples.tobytes() == tones(6, rate_hz=24000)
    assert not any(chunk.exact for chunk in sentence.chunks)


async def test_a_service_with_times_gives_its_own() -> None:
    voice = made(timed=True)
    await voice.start()
    for _ in range(2):
        sentence = await spoken(voice, TEXT)
        keeps_the_contract(sentence, TEXT)
        assert [word.start_ms for word in sentence.words] == pytest.approx([WORD_MS * i for i in range(6)])
        assert all(chunk.exact for chunk in sentence.chunks)
    await voice.close()


async def test_a_service_that_should_report_and_does_not_is_estimated() -> None:
    voice = made(timed=True, reports=False)
    await voice.start()
    sentence = await spoken(voice, TEXT)
    await voice.close()

    keeps_the_contract(sentence, TEXT)
    assert not sentence.chunks[-1].exact


async def test_sentences_at_once_do_not_mix(voice: PipecatVoice) -> None:
    texts = ["one", "two slow words", "slow and four words", TEXT]
    for text, sentence in zip(texts, await asyncio.gather(*(spoken(voice, t) for t in texts)), strict=True):
        keeps_the_contract(sentence, text)
        assert sentence.ms == pytest.approx(WORD_MS * len(text.split()))


async def test_leaving_a_sentence_stops_the_service_and_leaves_nothing_behind(voice: PipecatVoice) -> None:
    async with aclosing(voice.speak("one two slow slow slow hang", language="en")) as chunks:
        await anext(chunks)

    keeps_the_contract(await spoken(voice, TEXT), TEXT)
    sentence = await spoken(voice, "two words")
    await voice.close()
    assert Tones.running == 0
    assert sentence.ms == pytest.approx(WORD_MS * 2)


@pytest.mark.parametrize("text", ["boom", "one boom", "mute"])
async def test_an_error_of_the_service_ends_the_sentence_and_not_the_voice(voice: PipecatVoice, text: str) -> None:
    with pytest.raises((EngineFailed, EngineTimeout)) as caught:
        await spoken(voice, text)

    assert "person" not in caught.value.message
    keeps_the_contract(await spoken(voice, TEXT), TEXT)


async def test_a_service_that_hangs_is_given_up() -> None:
    voice = made(gap_s=0.1)
    await voice.start()
    with pytest.raises(EngineTimeout):
        await spoken(voice, "one hang")
    await voice.close()


async def test_a_cancelled_sentence_leaves_no_service_at_work(voice: PipecatVoice) -> None:
    for limit_s in (0.0, 0.001, 0.1):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(spoken(voice, "one hang") for _ in range(3))), limit_s)

    keeps_the_contract(await spoken(voice, TEXT), TEXT)
    await voice.close()
    assert Tones.running == 0
    assert not [task for task in asyncio.all_tasks() if "hosted" in task.get_name()]


async def test_nothing_to_say_asks_no_service(voice: PipecatVoice) -> None:
    assert (await spoken(voice, "  ")).chunks == []
    keeps_the_contract(await spoken(voice, "... —"), "... —")


async def test_speaking_before_the_start_or_after_the_end_is_an_error() -> None:
    voice = made()
    with pytest.raises(EngineFailed):
        await spoken(voice, TEXT)
    await voice.start()
    await voice.close()
    await voice.close()
    with pytest.raises(EngineFailed):
        await spoken(voice, TEXT)


def elevenlabs(server: ElevenLabsServer) -> Any:
    return pipecat.create(
        EngineConfig(
            name="elevenlabs",
            base_url=server.url,
            voice="anna",
            language="de-DE",
            secrets={"ELEVENLABS_API_KEY": "secret"},
            options={"stability": "0.5"},
            total_timeout_s=1.0,
            cache=Path(),
        )
    )


async def test_elevenlabs_with_its_own_word_times() -> None:
    async with ElevenLabsServer() as server:
        voice = elevenlabs(server)
        await voice.start()
        for _ in range(2):
            sentence = await spoken(voice, TEXT, "de-DE")
            keeps_the_contract(sentence, TEXT)
            assert [w.start_ms for w in sentence.words] == pytest.approx(
                [100 + WORD_MS * i for i in range(6)], abs=2
            )
            assert all(chunk.exact for chunk in sentence.chunks)
            assert sentence.rms(*(sentence.words[3].start_ms, sentence.words[3].end_ms)) > 1000
        await voice.close()

    [client] = server.connections
    assert client.path == "/v1/text-to-speech/anna/multi-stream-input"
    assert client.query["output_format"] == "pcm_24000"
    assert client.key == "secret"
    assert client.messages[0]["voice_settings"]["stability"] == 0.5


async def test_elevenlabs_without_alignment_is_estimated() -> None:
    async with ElevenLabsServer(Script(aligned=False)) as server:
        voice = elevenlabs(server)
        await voice.start()
        sentence = await spoken(voice, TEXT, "de-DE")
        await voice.close()

    keeps_the_contract(sentence, TEXT)
    assert not sentence.chunks[-1].exact


async def test_elevenlabs_left_in_the_middle_says_the_next_sentence_clean() -> None:
    async with ElevenLabsServer(Script(pause_s=0.02)) as server:
        voice = elevenlabs(server)
        await voice.start()
        async with aclosing(voice.speak("word " * 40, language="de-DE")) as chunks:
            await anext(chunks)
        sentence = await spoken(voice, TEXT, "de-DE")
        await voice.close()

    keeps_the_contract(sentence, TEXT)
    assert sentence.ms == pytest.approx(100 + WORD_MS * 6)


async def start_and_speak(voice: Any) -> None:
    await voice.start()
    await spoken(voice, TEXT, "de-DE")


async def test_elevenlabs_that_refuses_the_key_fails() -> None:
    async with ElevenLabsServer(Script(refuses=True)) as server:
        voice = elevenlabs(server)
        with pytest.raises(EngineFailed, match="elevenlabs"):
            await start_and_speak(voice)
        await voice.close()


async def test_elevenlabs_that_dies_in_mid_sentence_fails_in_time() -> None:
    async with ElevenLabsServer(Script(dies_after_words=3)) as server:
        voice = elevenlabs(server)
        await voice.start()
        with pytest.raises((EngineFailed, EngineTimeout), match="elevenlabs"):
            await spoken(voice, TEXT, "de-DE")
        await voice.close()
