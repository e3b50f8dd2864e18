"""Piper's own HTTP server (`python -m piper.http_server`): the GPL stays in that process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.engines.base import Card, EngineConfig
from agent.engines.voice.limits import Limits
from agent.engines.voice.written import encodable
from compliance.errors import SettingsError

if TYPE_CHECKING:
    from agent.engines.voice.http import Ask, HttpVoice

CARD = Card(
    kind="voice",
    name="piper_http",
    about="a running Piper HTTP server at base_url; estimated word times",
    factory="agent.engines.voice.piper_http:create",
    falls_back_to="espeak",
    licence="piper-tts is GPL-3.0-or-later and runs as a separate program; each voice has its own licence",
)

_BASE_URL = "http://127.0.0.1:5000"
_UNTOLD_HZ = 22050
"""Only for a server that sends no WAV header; a header names the rate."""


def create(config: EngineConfig) -> HttpVoice:
    """The engine. Raises `SettingsError` for a setting it does not have."""
    from agent.engines.voice.http import Ask, HttpVoice

    if config.options:
        raise SettingsError(f"[voice] piper_http has no setting {min(config.options)!r}")
    url = (config.base_url or _BASE_URL).rstrip("/")

    def ask(text: str, language: str) -> Ask:
        body = {"text": encodable(text)} | ({"voice": config.voice} if config.voice else {})
        return Ask(f"{url}/", body)

    limits = Limits(first_audio_s=config.first_token_timeout_s, total_s=config.total_timeout_s)
    return HttpVoice("piper_http", ask, rate_hz=_UNTOLD_HZ, limits=limits)
