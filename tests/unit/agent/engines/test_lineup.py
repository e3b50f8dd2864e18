"""Whose voice the chosen engine speaks in: it takes the owner's on and lets go of it, where it is to imitate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.engines.lineup import Lineup
from agent.engines.speech.pocketsphinx import PocketSphinx
from agent.settings import load
from compliance.errors import EngineFailed
from persona.home import demo
from tests.doubles.voice_server import TOKEN, VoiceServer
from tests.unit.agent.engines.voice.gather import spoken
from tests.unit.agent.engines.voice.test_served import pitch_hz
from tests.unit.persona.voice.server.test_app import tone_wav

TEXT = "Good morning, this is the twin speaking."


@asynccontextmanager
async def lineup(folder: Path, voice: str) -> AsyncIterator[Lineup]:
    """Only its voice is started."""
    (folder / "twin.toml").write_text(f"[voice]\n{voice}\n", "utf-8")
    environment = {"XTTS_API_KEY": TOKEN, "COQUI_API_KEY": TOKEN}
    (folder / "cache").mkdir(exist_ok=True)
    made = Lineup(load(folder), environment, demo(), cache=folder / "cache")
    try:
        await made.start_voice()
        yield made
    finally:
        await made.close()


def at(server: VoiceServer, engine: str, *, cloned: bool = True) -> str:
    return f'engine = "{engine}"\nbase_url = "http://127.0.0.1:{server.port}"\ncloned = {str(cloned).lower()}'


async def learned(server: VoiceServer) -> list[str]:
    voices = (await server.client.get("/v1/voices")).json()["voices"]
    return [voice["id"] for voice in voices if voice["id"].startswith("owner_")]


async def test_it_speaks_as_the_sample_until_it_is_told_to_forget(tmp_path: Path) -> None:
    async with VoiceServer() as server, lineup(tmp_path, at(server, "xtts")) as here:
        assert not here.has_voice
        before = here.sounding
        await here.imitate(tone_wav(330))
        assert here.has_voice
        assert here.sounding != before
        assert pitch_hz(await spoken(here.voice, TEXT)) == pytest.approx(330, abs=3)
        assert len(await learned(server)) == 1
        await here.forget_voice()
        assert not here.has_voice
        assert here.sounding == before
        assert await learned(server) == []
        await here.forget_voice()


async def test_a_server_that_did_not_forget_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with VoiceServer() as server, lineup(tmp_path, at(server, "xtts")) as here:
        await here.imitate(tone_wav(330))
        with monkeypatch.context() as patch:
            patch.setattr(server.worker, "forget", _busy)
            with pytest.raises(EngineFailed, match="did not forget"):
                await here.forget_voice()
            assert not here.has_voice
        assert await learned(server)
        await here.forget_voice()
        assert await learned(server) == []


def _busy(name: str) -> None:
    raise TimeoutError


async def test_a_server_that_is_not_there_learns_nothing_and_says_so(tmp_path: Path) -> None:
    async with VoiceServer() as server:
        voice = at(server, "xtts")
    async with lineup(tmp_path, voice) as here:
        with pytest.raises(EngineFailed, match="did not learn the voice"):
            await here.imitate(tone_wav(330))
        assert not here.has_voice


async def test_a_model_trained_for_its_voice_is_given_no_sample(tmp_path: Path) -> None:
    async with VoiceServer() as server, lineup(tmp_path, at(server, "coqui")) as here:
        assert here.has_voice
        await here.imitate(tone_wav(330))
        assert await learned(server) == []


async def test_a_voice_that_is_no_clone_is_given_no_sample(tmp_path: Path) -> None:
    async with VoiceServer() as server, lineup(tmp_path, at(server, "xtts", cloned=False)) as here:
        assert here.has_voice
        await here.imitate(tone_wav(330))
        assert await learned(server) == []


async def test_what_an_earlier_process_knew_of_a_voice_is_forgotten_without_a_clone(tmp_path: Path) -> None:
    left = tmp_path / "cache" / "espeak-0123456789abcdef01234567.json"
    for voice, stays in (
        ('engine = "espeak"\ncloned = true', True),
        ('engine = "espeak"', False),
    ):
        left.parent.mkdir(exist_ok=True)
        left.write_text("{}", "utf-8")
        async with lineup(tmp_path, voice) as here:
            assert left.exists() == stays
            if stays:
                await here.forget_voice()
                assert not left.exists()


async def test_a_spare_recogniser_may_start_when_it_is_first_needed(tmp_path: Path) -> None:
    (tmp_path / "twin.toml").write_text('[speech]\nengine = "deepgram"\n', "utf-8")
    made = Lineup(load(tmp_path), {"DEEPGRAM_API_KEY": "stub"}, demo(), cache=tmp_path, late_spare=True)
    try:
        await made.start()
        spare = made.speech[1]
        assert isinstance(spare, PocketSphinx)
        assert spare.pids == ()
        hearing = await spare.open(rate_hz=16_000, language="en")
        assert len(spare.pids) == 1
        await hearing.close()
    finally:
        await made.close()
