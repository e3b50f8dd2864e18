"""OpenAI-compatible voices, and Piper's server, against a server on a real socket."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from agent.engines.base import EngineConfig
from agent.engines.voice import openai, piper_http
from agent.engines.voice.http import HttpVoice, PcmReader
from compliance.errors import EngineError, EngineFailed, EngineMissing, EngineTimeout, SettingsError
from tests.doubles.openai_voice import OpenAIVoiceServer, Script, tones, wav
from tests.unit.agent.engines.voice.gather import keeps_the_contract, spoken

TEXT = "this has exactly six different words"


async def started(server: OpenAIVoiceServer, **settings: Any) -> HttpVoice:
    voice = openai.create(EngineConfig(name="openai", base_url=server.url, **settings))
    await voice.start()
    return voice


async def test_a_sentence_streams_with_estimated_times() -> None:
    async with OpenAIVoiceServer() as server:
        voice = await started(server, secrets={"OPENAI_API_KEY": "secret"}, model="kokoro", voice="af")
        sentence = await spoken(voice, TEXT)
        await voice.close()

    keeps_the_contract(sentence, TEXT)
    assert sentence.samples.tobytes() == tones(6, rate_hz=24000)
    assert len(sentence.chunks) > 5
    assert not any(chunk.exact for chunk in sentence.chunks)
    [asked] = server.asked
    assert asked.authorization == "Bearer secret"
    assert asked.body == {"model": "kokoro", "voice": "af", "input": TEXT, "response_format": "pcm"}


async def test_a_server_on_this_machine_needs_no_key() -> None:
    async with OpenAIVoiceServer() as server:
        voice = await started(server, options={"speed": "1.5", "instructions": "calm"})
        await spoken(voice, "hello")
        await voice.close()

    assert server.asked[0].authorization == ""
    assert server.asked[0].body["speed"] == 1.5
    assert server.asked[0].body["instructions"] == "calm"


def test_another_server_needs_one() -> None:
    with pytest.raises(EngineMissing, match="OPENAI_API_KEY"):
        openai.create(EngineConfig(name="openai"))


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("http://[::1]/v1", True),
        ("http://localhost/v1", True),
        ("http://127.0.0.1.example.org/v1", False),
        ("https://localhost.example.org", False),
        ("http://10.0.0.1", False),
    ],
)
def test_what_this_machine_is(url: str, is_ours: bool) -> None:
    assert openai.is_loopback(url) is is_ours


async def test_a_wav_names_its_own_rate() -> None:
    async with OpenAIVoiceServer(Script(wav=True, rate_hz=16000)) as server:
        voice = await started(server)
        sentence = await spoken(voice, TEXT)
        await voice.close()

    keeps_the_contract(sentence, TEXT)
    assert sentence.rate_hz == 16000
    assert sentence.samples.tobytes() == tones(6, rate_hz=16000)


async def test_pipers_server_is_asked_its_way() -> None:
    async with OpenAIVoiceServer(Script(wav=True, rate_hz=22050)) as server:
        voice = piper_http.create(EngineConfig(name="piper_http", base_url=server.root, voice="en_US-x"))
        await voice.start()
        sentence = await spoken(voice, TEXT)
        await voice.close()

    keeps_the_contract(sentence, TEXT)
    assert server.asked[0].path == "/"
    assert server.asked[0].body == {"text": TEXT, "voice": "en_US-x"}


@pytest.mark.parametrize(
    ("script", "error", "says"),
    [
        (Script(status=401), EngineMissing, "key"),
        (Script(status=404), EngineFailed, "model"),
        (Script(status=500), EngineFailed, "500"),
        (Script(body=b'{"error": 1}', content_type="application/json"), EngineFailed, "json"),
        (Script(body=b""), EngineFailed, "no audio"),
        (Script(body=b"ID3" + bytes(9000), content_type="audio/mpeg"), EngineFailed, "compressed"),
        (Script(body=wav(bytes(9000), 100)), EngineFailed, "16-bit mono"),
        (Script(dies_after_bytes=20000), EngineFailed, "gone"),
        (Script(delay_ms=5000), EngineTimeout, "too long"),
        (Script(hangs_after_bytes=20000), EngineTimeout, "too long"),
    ],
)
async def test_what_a_broken_server_raises(script: Script, error: type[EngineError], says: str) -> None:
    async with OpenAIVoiceServer(script) as server:
        voice = await started(server, first_token_timeout_s=0.3, total_timeout_s=0.6)
        with pytest.raises(error, match=says):
            await spoken(voice, TEXT)
        await voice.close()


async def test_a_server_that_is_not_there() -> None:
    async with OpenAIVoiceServer() as server:
        voice = await started(server)
    with pytest.raises(EngineFailed, match="gone"):
        await spoken(voice, TEXT)
    await voice.close()


async def test_leaving_a_sentence_stops_the_server() -> None:
    async with OpenAIVoiceServer(Script(hangs_after_bytes=48000)) as server:
        voice = await started(server)
        async with aclosing(voice.speak(TEXT, language="en")) as chunks:
            await anext(chunks)

        async with asyncio.timeout(5):
            await server.left.wait()
        await voice.close()


async def test_a_text_without_sound_is_not_asked_for() -> None:
    async with OpenAIVoiceServer() as server:
        voice = await started(server)
        assert (await spoken(voice, " ")).chunks == []
        keeps_the_contract(await spoken(voice, "... —"), "... —")
        await voice.close()

    assert server.asked == []


async def test_half_a_character_does_not_break_the_request() -> None:
    async with OpenAIVoiceServer() as server:
        voice = await started(server)
        keeps_the_contract(await spoken(voice, "a\ud800 b"), "a\ud800 b")
        await voice.close()


@pytest.mark.parametrize("options", [{"speed": "9"}, {"speed": "x"}, {"rate_hz": "1"}, {"voise": "a"}])
def test_settings_out_of_range_or_unknown_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        openai.create(EngineConfig(name="openai", base_url="http://127.0.0.1:1", options=options, cache=Path()))


@pytest.mark.parametrize("piece_bytes", [1, 3, 44, 45, 1000])
@pytest.mark.parametrize("is_wav", [True, False])
def test_audio_cut_anywhere_is_whole_again(piece_bytes: int, is_wav: bool) -> None:
    audio = tones(1, rate_hz=8000)
    data = wav(audio, 8000) if is_wav else audio
    reader = PcmReader(24000)

    pieces = [reader.feed(data[i : i + piece_bytes]) for i in range(0, len(data), piece_bytes)]

    assert b"".join(pieces) == audio
    assert all(len(piece) % 2 == 0 for piece in pieces)
    assert reader.rate_hz == (8000 if is_wav else 24000)
