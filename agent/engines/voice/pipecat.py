"""Voices by name through Pipecat's services. The libraries load when a voice starts."""

from __future__ import annotations

from agent.engines.base import EngineConfig, Voice
from agent.engines.voice.limits import Limits
from agent.engines.voice.services import SERVICES, build

CARDS = tuple(service.card for service in SERVICES.values())


def create(config: EngineConfig) -> Voice:
    """The engine of that name. Raises `EngineMissing` or `SettingsError` when it starts, not here."""
    service = SERVICES[config.name]
    if service.apart:
        from agent.engines.voice.apart import VoiceApart

        return VoiceApart(config)
    from agent.engines.voice.pool import PipecatVoice

    limits = Limits(first_audio_s=config.first_token_timeout_s, total_s=config.total_timeout_s)
    return PipecatVoice(
        config.name,
        lambda language: build(service, config, language),
        language=config.language,
        timed=service.timed,
        limits=limits,
    )
