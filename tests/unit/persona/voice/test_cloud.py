"""Cloning by a provider, over its protocol on a real socket: made, found, deleted; every failure in one line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
import pytest

from compliance.errors import ConsentMissing, EngineFailed, EngineMissing, EngineTimeout, SettingsError, TwinError
from persona.voice import rest
from persona.voice.cloud import PROVIDERS, Cloud, Sample, cloud
from persona.voice.sound import Sound
from tests.doubles.voice_clouds import VoiceClouds

PREFIX = "ai-twin 0123456789abcdef"
NAMES = tuple(PROVIDERS)


def wav(seconds: float) -> bytes:
    return Sound(np.full(int(seconds * 24_000), 0.1, np.float32), 24_000).wav()


SAMPLE = Sample([wav(3), wav(4)], reference=wav(7), statement=wav(5), language="en")


@dataclass
class Permit:
    valid: bool = True


@pytest.fixture
async def clouds() -> AsyncIterator[VoiceClouds]:
    async with VoiceClouds() as clouds:
        yield clouds


@pytest.fixture(params=NAMES)
async def there(request: pytest.FixtureRequest, clouds: VoiceClouds) -> AsyncIterator[Cloud]:
    there = cloud(request.param, clouds.environment(request.param))
    yield there
    await there.close()


async def test_a_voice_is_made_found_and_deleted(there: Cloud, clouds: VoiceClouds) -> None:
    voice_id = await there.clone(f"{PREFIX} one", SAMPLE, Permit())
    assert clouds.voices[voice_id].name == f"{PREFIX} one"
    assert await there.voices(PREFIX) == (voice_id,)
    assert await there.delete(voice_id) is True
    assert clouds.voices == {}
    assert await there.delete(voice_id) is False
    assert await there.voices(PREFIX) == ()


async def test_each_provider_gets_what_it_documents(clouds: VoiceClouds) -> None:
    made = {}
    for name in NAMES:
        there = cloud(name, clouds.environment(name))
        made[name] = clouds.voices[await there.clone(PREFIX, SAMPLE, Permit())]
        await there.close()
    assert made["elevenlabs"].sounds == [3.0, 4.0]
    assert made["elevenlabs"].fields["remove_background_noise"] == "false"
    assert (made["cartesia"].sounds, made["cartesia"].fields["language"]) == ([7.0], "en")
    assert (made["resemble"].sounds, made["resemble"].consent_s, made["resemble"].built) == ([7.0], 5.0, True)


async def test_only_voices_of_that_name_are_found_over_all_pages(there: Cloud, clouds: VoiceClouds) -> None:
    clouds.script.page = 2
    await there.clone("the owner's other voice", SAMPLE, Permit())
    ours = [await there.clone(f"{PREFIX} {n}", SAMPLE, Permit()) for n in range(5)]
    assert sorted(await there.voices(PREFIX)) == sorted(ours)


async def test_nothing_is_sent_without_a_consent(there: Cloud, clouds: VoiceClouds) -> None:
    with pytest.raises(ConsentMissing, match="nothing was sent"):
        await there.clone(PREFIX, SAMPLE, Permit(valid=False))
    assert clouds.requests == []


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (401, "", "_API_KEY"),
        (403, "missing_permissions", "missing_permissions"),
        (400, "voice_limit_reached", "voice_limit_reached"),
        (422, "", "HTTP 422"),
        (429, "", "too often"),
        (500, "", "HTTP 500"),
        (400, "What was sent: +49 30 12345", "HTTP 400"),
    ],
)
async def test_refusals_are_one_line_without_the_providers_sentences(
    there: Cloud, clouds: VoiceClouds, status: int, code: str, says: str
) -> None:
    clouds.script.status, clouds.script.code = status, code
    for ask in (there.clone(PREFIX, SAMPLE, Permit()), there.voices(PREFIX), there.delete("voice1")):
        with pytest.raises(EngineFailed) as caught:
            await ask
        assert says in caught.value.message
        assert "quoted" not in caught.value.message
        assert "12345" not in caught.value.message
        assert "\n" not in caught.value.message


async def test_a_wrong_key(clouds: VoiceClouds) -> None:
    for name in NAMES:
        there = cloud(name, clouds.environment(name, key="another"))
        with pytest.raises(EngineFailed, match=PROVIDERS[name].key):
            await there.clone(PREFIX, SAMPLE, Permit())
        await there.close()
    assert clouds.voices == {}


@pytest.mark.parametrize("fails_at", ["recordings", "build"])
async def test_half_a_voice_is_not_left_at_resemble(clouds: VoiceClouds, fails_at: str) -> None:
    clouds.script.status, clouds.script.fails_at = 500, fails_at
    there = cloud("resemble", clouds.environment("resemble"))
    with pytest.raises(EngineFailed):
        await there.clone(PREFIX, SAMPLE, Permit())
    await there.close()
    assert clouds.voices == {}


async def test_one_that_does_not_answer_or_is_not_there(
    clouds: VoiceClouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "TIMEOUT_S", 0.2)
    clouds.script.hangs = True
    there = cloud("cartesia", clouds.environment("cartesia"))
    with pytest.raises(EngineTimeout, match="did not answer"):
        await there.voices(PREFIX)
    await there.close()
    nowhere = cloud("cartesia", {"CARTESIA_API_KEY": "k", "CARTESIA_API_URL": "http://127.0.0.1:1"})
    with pytest.raises(EngineFailed, match="cannot be reached"):
        await nowhere.voices(PREFIX)
    await nowhere.close()


async def test_an_id_that_is_none_never_becomes_part_of_an_address(there: Cloud, clouds: VoiceClouds) -> None:
    for wrong in ("../v1/voices", "", "a b", "a/b?c"):
        with pytest.raises(EngineFailed):
            await there.delete(wrong)
    assert clouds.requests == []


@pytest.mark.parametrize(
    ("name", "environment", "error"),
    [
        ("azure", {}, SettingsError),
        ("elevenlabs", {}, EngineMissing),
        ("elevenlabs", {"ELEVENLABS_API_KEY": "k", "ELEVENLABS_API_URL": "file:///etc"}, SettingsError),
    ],
)
def test_what_is_missing_is_said(name: str, environment: dict[str, str], error: type[TwinError]) -> None:
    with pytest.raises(error):
        cloud(name, environment)
