"""The voices that come through Pipecat: what each needs and how its service is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.engines.base import Card, EngineConfig
from agent.engines.options import as_fields
from agent.engines.pipecat_services import key_of, service_class
from compliance.errors import EngineFailed, EngineMissing


@dataclass(frozen=True, slots=True)
class Service:
    """One row of the table."""

    name: str
    about: str
    module: str
    """Below `pipecat.services`."""
    cls: str
    keys: Mapping[str, str] = field(default_factory=dict)
    """Environment variable -> argument of the constructor."""
    url: str = ""
    """The constructor's argument for `base_url`; empty: its address is fixed."""
    timed: bool = False
    """It reports when its words sound."""
    apart: bool = False
    """It runs in a process of its own: GPL, or torch beside the calls."""
    voice: str = ""
    """The default voice; empty: the service's own, if it has one."""
    needs_voice: bool = False
    paths: Mapping[str, str] = field(default_factory=dict)
    """Constructor's argument -> file or folder below the engine's cache."""
    extra: str = ""
    modules: tuple[str, ...] = ()
    licence: str = ""

    @property
    def card(self) -> Card:
        """What `twin doctor` prints."""
        return Card(
            kind="voice",
            name=self.name,
            about=self.about,
            factory="agent.engines.voice.pipecat:create",
            keys=tuple(self.keys),
            extra=self.extra,
            modules=self.modules,
            falls_back_to="espeak",
            licence=self.licence,
        )


_OWN_TIMES = "words with their times"
_ESTIMATED = "estimated word times"
_LOCAL = "on this machine, without a key"

SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        Service(
            "piper", f"Piper, {_LOCAL}; {_ESTIMATED}", "piper.tts", "PiperTTSService",
            apart=True, voice="en_US-ryan-medium", paths={"download_dir": "piper"},
            extra="piper", modules=("piper",),
            licence="piper-tts is GPL-3.0-or-later and runs as a separate program; each voice has its own licence",
        ),
        Service(
            "kokoro", f"Kokoro 82M, {_LOCAL}; {_ESTIMATED}", "kokoro.tts", "KokoroTTSService",
            apart=True, voice="af_heart",
            paths={"model_path": "kokoro/kokoro-v1.0.onnx", "voices_path": "kokoro/voices-v1.0.bin"},
            extra="kokoro", modules=("kokoro_onnx",),
            licence="the model is Apache-2.0; it needs phonemizer (GPL-3.0) and runs as a separate program",
        ),
        Service(
            "elevenlabs", f"ElevenLabs; {_OWN_TIMES}", "elevenlabs.tts", "ElevenLabsTTSService",
            {"ELEVENLABS_API_KEY": "api_key"}, url="url", timed=True, needs_voice=True,
        ),
        Service(
            "cartesia", f"Cartesia Sonic; {_OWN_TIMES}", "cartesia.tts", "CartesiaTTSService",
            {"CARTESIA_API_KEY": "api_key"}, url="url", timed=True, needs_voice=True,
        ),
        Service(
            "azure", f"Azure Speech; {_OWN_TIMES}", "azure.tts", "AzureTTSService",
            {"AZURE_SPEECH_API_KEY": "api_key", "AZURE_SPEECH_REGION": "region"}, timed=True,
            extra="azure", modules=("azure.cognitiveservices.speech",),
        ),
        Service(
            "deepgram", f"Deepgram Aura; {_ESTIMATED}", "deepgram.tts", "DeepgramTTSService",
            {"DEEPGRAM_API_KEY": "api_key"}, url="base_url",
        ),
        Service(
            "rime", f"Rime; {_OWN_TIMES}", "rime.tts", "RimeTTSService",
            {"RIME_API_KEY": "api_key"}, url="url", timed=True, needs_voice=True,
        ),
        Service(
            "google", f"Google Cloud Text-to-Speech; {_ESTIMATED}", "google.tts", "GoogleTTSService",
            {"GOOGLE_APPLICATION_CREDENTIALS": "credentials_path"}, extra="google",
            modules=("google.cloud.texttospeech",),
        ),
        Service(
            "fish", f"Fish Audio; {_ESTIMATED}", "fish.tts", "FishAudioTTSService",
            {"FISH_API_KEY": "api_key"}, needs_voice=True, extra="fish", modules=("ormsgpack",),
        ),
        Service(
            "hume", f"Hume Octave; {_OWN_TIMES}", "hume.tts", "HumeTTSService",
            {"HUME_API_KEY": "api_key"}, timed=True, needs_voice=True, extra="hume", modules=("hume",),
        ),
        Service(
            "resemble", f"Resemble AI; {_OWN_TIMES}", "resembleai.tts", "ResembleAITTSService",
            {"RESEMBLE_API_KEY": "api_key"}, url="url", timed=True, needs_voice=True,
        ),
        Service(
            "inworld", f"Inworld; {_OWN_TIMES}", "inworld.tts", "InworldTTSService",
            {"INWORLD_API_KEY": "api_key"}, url="url", timed=True,
        ),
        Service(
            "neuphonic", f"Neuphonic; {_ESTIMATED}", "neuphonic.tts", "NeuphonicTTSService",
            {"NEUPHONIC_API_KEY": "api_key"}, url="url", needs_voice=True,
        ),
        Service(
            "asyncai", f"Async; {_ESTIMATED}", "asyncai.tts", "AsyncAITTSService",
            {"ASYNCAI_API_KEY": "api_key"}, url="url", needs_voice=True,
        ),
        Service(
            "soniox", f"Soniox; {_OWN_TIMES}", "soniox.tts", "SonioxTTSService",
            {"SONIOX_API_KEY": "api_key"}, url="url", timed=True,
        ),
    )
}  # fmt: skip


def build(service: Service, config: EngineConfig, language: str) -> Any:
    """Make the Pipecat service; connects to nothing, but a local one loads its model, which takes seconds.

    Raises `EngineMissing` for a missing library, key or voice, `SettingsError` for a setting it does not have,
    `EngineFailed` when it does not load.
    """
    cls = service_class(service.card, service.module, service.cls)
    arguments: dict[str, Any] = {}
    self_hosted = bool(service.url and config.base_url)
    for key, argument in service.keys.items():
        arguments[argument] = key_of(service.card, key, config, self_hosted=self_hosted)
    voice = config.voice or service.voice
    if service.needs_voice and not voice:
        raise EngineMissing(f"voice {service.name}: set [voice] voice to one of its voices")
    if service.url and config.base_url:
        arguments[service.url] = config.base_url
    arguments |= {argument: config.cache / path for argument, path in service.paths.items()}
    own = as_fields("voice", service.name, cls.Settings, config.options, taken={"model", "voice", "language"})
    given = {"model": config.model, "voice": voice, "language": _language(language)}
    chosen = {key: value for key, value in given.items() if value} | own
    try:
        return cls(settings=cls.Settings(**chosen), **arguments)
    except Exception as error:  # noqa: BLE001 - each service has its own errors; to us it does not load
        hint = f"; its files belong in {config.cache}, and are fetched at the first start" if service.apart else ""
        raise EngineFailed(f"voice {service.name}: it does not load ({type(error).__name__}){hint}") from None


def _language(code: str) -> Any:
    """Pipecat's name for a language code; the plain language where it does not know the region."""
    from pipecat.transcriptions.language import Language

    full = code.replace("_", "-")
    primary, _, region = full.partition("-")
    for candidate in (f"{primary.lower()}-{region.upper()}" if region else "", primary.lower()):
        if candidate in Language._value2member_map_:
            return Language(candidate)
    return None
