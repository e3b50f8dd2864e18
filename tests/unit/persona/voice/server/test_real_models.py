"""The libraries' real code for loading, learning, streaming and stopping, on small models with random weights."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from agent.engines.base import EngineConfig
from agent.engines.voice.served import ServedVoice, create
from compliance.errors import EngineFailed, EngineMissing
from tests.unit.agent.engines.voice.gather import keeps_the_contract, spoken
from tests.unit.persona.voice.server.test_app import tone_wav
from tests.voices import in_voices, need_voices

TEXT = "Good morning, this is the twin."


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_voices()
    return tmp_path_factory.mktemp("models")


def made(models: Path, kind: str) -> Path:
    """A small model's folder, made once."""
    folder = models / kind
    if not folder.exists():
        in_voices("tests.doubles.tiny_voices", kind, str(folder))
    return folder


@asynccontextmanager
async def served(name: str, model: Path, cache: Path, *, sample: bytes = b"") -> AsyncIterator[ServedVoice]:
    options = {"python": need_voices(), "device": "cpu", "threads": "1"}
    engine = create(
        EngineConfig(
            name=name, model=str(model), cache=cache, options=options, first_token_timeout_s=30, total_timeout_s=60
        )
    )
    if sample:
        await engine.clone_from(sample)
    try:
        await engine.start()
        yield engine
    finally:
        await engine.close()


async def silence(cache: Path, name: str) -> str:
    """The server's metrics once its model has nothing to do."""
    for _ in range(1000):
        if "twin_voice_speaking 0" in (told := await metrics(cache, name)):
            return told
        await asyncio.sleep(0.02)
    raise AssertionError("the model works on")


async def metrics(cache: Path, name: str) -> str:
    known = json.loads((cache / f"voice-server-{name}.json").read_text())
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {known['token']}"}) as client:
        return (await client.get(f"{known['url']}/metrics")).text


async def test_xtts_learns_streams_and_stops_at_a_token(models: Path, tmp_path: Path) -> None:
    """This XTTS never says its stop token: a sentence of 28 s, which takes it far longer than we listen."""
    sample = tone_wav(140, seconds=3)
    async with served("xtts", made(models, "xtts"), tmp_path, sample=sample) as engine:
        async with aclosing(engine.speak(TEXT, language="en")) as chunks:
            heard = [await anext(chunks) for _ in range(12)]
        assert heard[0].rate_hz == 24000
        assert any(any(chunk.pcm) for chunk in heard)
        told = await silence(tmp_path, "xtts")
        assert 'outcome="left"} 1' in told
        sound_s = float(told.partition("twin_voice_sound_seconds_total ")[2].split()[0])
        assert sound_s < 20
        with pytest.raises(EngineFailed, match="refused"):
            await spoken(engine, TEXT, language="xx")
    assert sorted(os.listdir(tmp_path)) == [
        "voice-server-xtts.lock"
    ]  # the sample and its latents were never files


def test_xtts_sentences_stepped_in_turn_sound_as_they_do_alone(models: Path) -> None:
    told = json.loads(in_voices("tests.doubles.tiny_voices", "in_turn", str(made(models, "xtts"))))
    assert told["difference"] == 0
    assert told["without_care"] > 0  # the library's own streams cannot be stepped in turn


async def test_a_vits_of_ones_own_speaks_from_its_folder(models: Path, tmp_path: Path) -> None:
    async with served("coqui", made(models, "vits"), tmp_path) as engine:
        sentence = await spoken(engine, TEXT)
        keeps_the_contract(sentence, TEXT)
        assert sentence.rate_hz == 22050
        assert sentence.ms > 100
        with pytest.raises(EngineMissing, match="learns no other"):
            await engine.clone_from(tone_wav(140, seconds=3))


async def test_pocket_tts_learns_and_streams(models: Path, tmp_path: Path) -> None:
    async with served("pocket_tts", made(models, "pocket"), tmp_path) as engine:
        with pytest.raises(EngineMissing, match="twin enroll voice"):
            await spoken(engine, TEXT)
        await engine.clone_from(tone_wav(140, seconds=3))
        sentence = await spoken(engine, TEXT)
        keeps_the_contract(sentence, TEXT)
        assert sentence.rate_hz == 24000
        assert len(sentence.chunks) > 2
        async with aclosing(engine.speak(f"{TEXT} {TEXT}", language="en")) as chunks:
            await anext(chunks)
        await silence(tmp_path, "pocket_tts")
        keeps_the_contract(await spoken(engine, TEXT), TEXT)


@pytest.mark.parametrize("name", ["xtts", "coqui", "pocket_tts"])
async def test_a_folder_without_a_model_is_one_clear_line(name: str, models: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match=r"folder"):
        async with served(name, tmp_path, tmp_path):
            pass
