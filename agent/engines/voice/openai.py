"""Any OpenAI-compatible speech server: OpenAI, Kokoro-FastAPI, Speaches, LocalAI, ..."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent.engines.base import Card, EngineConfig
from agent.engines.voice.limits import Limits
from agent.engines.voice.written import encodable
from compliance.errors import EngineMissing, SettingsError

if TYPE_CHECKING:
    from agent.engines.voice.http import Ask, HttpVoice

CARD = Card(
    kind="voice",
    name="openai",
    about="any server with POST /audio/speech: OpenAI, Kokoro-FastAPI, Speaches; estimated word times",
    factory="agent.engines.voice.openai:create",
    keys=("OPENAI_API_KEY",),
    falls_back_to="espeak",
)

_BASE_URL = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class OpenAISettings:
    """The further keys of the `[voice]` section."""

    speed: float = 1.0
    """0.25 to 4."""
    instructions: str = ""
    """How to speak, in words; for models that take it."""
    rate_hz: int = 24000
    """Of the server's raw PCM, which does not say; OpenAI's is 24 kHz."""

    def __post_init__(self) -> None:
        if not 0.25 <= self.speed <= 4:
            raise SettingsError("[voice] speed: must be from 0.25 to 4")
        if not 8000 <= self.rate_hz <= 48000:
            raise SettingsError("[voice] rate_hz: must be from 8000 to 48000")

    @classmethod
    def from_options(cls, options: Mapping[str, str]) -> OpenAISettings:
        """Read them as written in the settings. Raises `SettingsError`."""
        unknown = sorted(set(options) - {"speed", "instructions", "rate_hz"})
        if unknown:
            raise SettingsError(f"[voice] openai has no setting {unknown[0]!r}")
        try:
            return cls(
                speed=float(options.get("speed", 1.0)),
                instructions=options.get("instructions", ""),
                rate_hz=int(options.get("rate_hz", 24000)),
            )
        except ValueError:
            raise SettingsError("[voice] speed and rate_hz: must be numbers") from None


def create(config: EngineConfig) -> HttpVoice:
    """The engine. Raises `EngineMissing` without a key, unless the server is on this machine."""
    from agent.engines.voice.http import Ask, HttpVoice

    settings = OpenAISettings.from_options(config.options)
    base_url = (config.base_url or _BASE_URL).rstrip("/")
    key = config.secrets.get("OPENAI_API_KEY", "")
    if not key and not is_loopback(base_url):
        raise EngineMissing(f"voice openai: set OPENAI_API_KEY for {urlsplit(base_url).hostname}")
    headers = {"Authorization": f"Bearer {key}"} if key else {}

    def ask(text: str, language: str) -> Ask:
        body: dict[str, object] = {
            "model": config.model or "gpt-4o-mini-tts",
            "voice": config.voice or "alloy",
            "input": encodable(text),
            "response_format": "pcm",
        }
        # Not every server knows these; the defaults go unsaid.
        if settings.speed != 1.0:
            body["speed"] = settings.speed
        if settings.instructions:
            body["instructions"] = settings.instructions
        return Ask(f"{base_url}/audio/speech", body, headers)

    limits = Limits(first_audio_s=config.first_token_timeout_s, total_s=config.total_timeout_s)
    return HttpVoice("openai", ask, rate_hz=settings.rate_hz, limits=limits)


def is_loopback(url: str) -> bool:
    """True when the URL's host is this machine, by its address or the name localhost."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
