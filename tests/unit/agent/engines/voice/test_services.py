"""The table of Pipecat's voices: what is installed is really made, and what is missing is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.engines.base import EngineConfig, importable
from agent.engines.voice import espeak, openai, pipecat, piper_http
from agent.engines.voice.services import SERVICES, Service, build
from compliance.errors import EngineMissing, SettingsError


def config(service: Service, **changes: object) -> EngineConfig:
    values = {"name": service.name, "voice": "v", "secrets": dict.fromkeys(service.keys, "x"), "cache": Path()}
    return EngineConfig(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())
def test_each_is_made_or_says_what_is_missing(service: Service) -> None:
    if all(map(importable, service.modules)):
        assert type(build(service, config(service), "de-DE")).__name__ == service.cls
    else:
        with pytest.raises(EngineMissing, match=rf"\[{service.extra}\]"):
            build(service, config(service), "de-DE")


def test_a_key_a_voice_and_a_wrong_setting_are_named() -> None:
    service = SERVICES["elevenlabs"]
    with pytest.raises(EngineMissing, match="ELEVENLABS_API_KEY"):
        build(service, config(service, secrets={}), "en")
    with pytest.raises(EngineMissing, match=r"\[voice\] voice"):
        build(service, config(service, voice=""), "en")
    with pytest.raises(SettingsError, match=r"'stabilty'.*stability"):
        build(service, config(service, options={"stabilty": "1"}), "en")


def test_settings_reach_the_service_as_what_they_are() -> None:
    service = SERVICES["elevenlabs"]
    options = {"stability": "0.5", "use_speaker_boost": "true", "apply_text_normalization": "on"}
    made = build(service, config(service, model="eleven_x", options=options), "de_DE")

    settings = made._settings
    assert (settings.voice, settings.model, settings.language) == ("v", "eleven_x", "de")
    assert (settings.stability, settings.use_speaker_boost, settings.apply_text_normalization) == (0.5, True, "on")


def test_every_card_names_its_factory_and_none_is_there_twice() -> None:
    cards = [espeak.CARD, openai.CARD, piper_http.CARD, *pipecat.CARDS]

    assert len({card.name for card in cards}) == len(cards)
    for card in cards:
        module, _, attribute = card.factory.partition(":")
        assert callable(getattr(sys.modules[module], attribute))
        assert card.kind == "voice"


def test_the_cards_load_no_library_of_an_engine() -> None:
    script = (
        "import sys\n"
        "from agent.engines.voice import espeak, openai, pipecat, piper_http\n"
        "print([m for m in ('pipecat', 'httpx', 'soxr', 'espeakng_loader', 'aiohttp') if m in sys.modules])\n"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert loaded.stdout.strip() == "[]"
