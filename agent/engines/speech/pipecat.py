"""Pipecat's other speech services by name, each person's in a small pipeline of its own.

They differ in when they call a text final. `Ending` holds the one rule for all: a text that the service itself
marks as final for the utterance, or quiet after a final, or the time limit.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from agent.engines.base import Card, EngineConfig, Hypothesis, Speech, install
from agent.engines.speech.latest import Latest
from compliance.errors import EngineFailed, EngineMissing

logger = logging.getLogger(__name__)

FINAL_TIMEOUT_S = 1.5
QUIET_S = 0.25
"""Without an interim text pending, nothing more comes after this."""
MAX_BACKLOG_S = 5.0
MAX_IN_FLIGHT = 50
"""Audio frames inside the service; the rest waits here, where the oldest can be dropped."""


@dataclass(frozen=True, slots=True)
class Service:
    """Where Pipecat keeps a service and what its constructor is called with."""

    module: str
    """Below `pipecat.services`."""
    class_name: str
    keys: dict[str, str]
    """Environment variable -> constructor argument."""
    about: str
    extra: str
    """Our optional dependency group that brings what it imports; empty when nothing is missing without."""
    url: str = ""
    """The constructor argument that takes `base_url`, if it has one."""


SERVICES = {
    "assemblyai": Service("assemblyai.stt", "AssemblyAISTTService", {"ASSEMBLYAI_API_KEY": "api_key"},
                          "AssemblyAI", "", "api_endpoint_base_url"),
    "aws": Service("aws.stt", "AWSTranscribeSTTService",
                   {"AWS_ACCESS_KEY_ID": "aws_access_key_id", "AWS_SECRET_ACCESS_KEY": "api_key",
                    "AWS_REGION": "region"}, "Amazon Transcribe", "aws"),
    "azure": Service("azure.stt", "AzureSTTService",
                     {"AZURE_SPEECH_API_KEY": "api_key", "AZURE_SPEECH_REGION": "region"},
                     "Azure Speech", "azure", "private_endpoint"),
    "cartesia": Service("cartesia.stt", "CartesiaSTTService", {"CARTESIA_API_KEY": "api_key"},
                        "Cartesia Ink", "", "base_url"),
    "elevenlabs": Service("elevenlabs.stt", "ElevenLabsRealtimeSTTService", {"ELEVENLABS_API_KEY": "api_key"},
                          "ElevenLabs Scribe, realtime", "", "base_url"),
    "gladia": Service("gladia.stt", "GladiaSTTService", {"GLADIA_API_KEY": "api_key"},
                      "Gladia", "", "url"),
    "google": Service("google.stt", "GoogleSTTService",
                      {"GOOGLE_APPLICATION_CREDENTIALS": "credentials_path"}, "Google Cloud Speech", "google"),
    "gradium": Service("gradium.stt", "GradiumSTTService", {"GRADIUM_API_KEY": "api_key"},
                       "Gradium", "", "api_endpoint_base_url"),
    "mistral": Service("mistral.stt", "MistralSTTService", {"MISTRAL_API_KEY": "api_key"},
                       "Mistral Voxtral, realtime", "mistral", "base_url"),
    "sarvam": Service("sarvam.stt", "SarvamSTTService", {"SARVAM_API_KEY": "api_key"},
                      "Sarvam (languages of India)", "sarvam"),
    "smallest": Service("smallest.stt", "SmallestSTTService", {"SMALLEST_API_KEY": "api_key"},
                        "Smallest", "", "base_url"),
    "soniox": Service("soniox.stt", "SonioxSTTService", {"SONIOX_API_KEY": "api_key"},
                      "Soniox", "", "url"),
    "speechmatics": Service("speechmatics.stt", "SpeechmaticsSTTService", {"SPEECHMATICS_API_KEY": "api_key"},
                            "Speechmatics", "speechmatics", "base_url"),
    "together": Service("together.stt", "TogetherSTTService", {"TOGETHER_API_KEY": "api_key"},
                        "Together", "", "base_url"),
    "xai": Service("xai.stt", "XAISTTService", {"XAI_API_KEY": "api_key"}, "xAI", "", "ws_url"),
}  # fmt: skip

_IMPORTS: dict[str, tuple[str, ...]] = {
    "aws": ("aiobotocore",),
    "azure": ("azure.cognitiveservices.speech",),
    "google": ("google.cloud.speech",),
    "mistral": ("mistralai",),
    "sarvam": ("sarvamai",),
    "speechmatics": ("speechmatics",),
}
"""What each group brings, to be looked for without importing it."""

CARDS = tuple(
    Card(
        kind="speech",
        name=name,
        about=f"{service.about}, in the cloud, through Pipecat",
        factory="agent.engines.speech.pipecat:create",
        keys=tuple(service.keys),
        extra=service.extra,
        modules=_IMPORTS.get(service.extra, ()),
        falls_back_to="pocketsphinx",
    )
    for name, service in SERVICES.items()
)


def create(config: EngineConfig) -> Speech:
    """The engine named by `config.name`."""
    service = SERVICES.get(config.name)
    if service is None:
        raise EngineMissing(f'there is no speech engine "{config.name}": choose one of {", ".join(SERVICES)}')
    return PipecatSpeech(config, service)


class PipecatSpeech:
    """The engine: a class of Pipecat's, made anew for each person."""

    def __init__(self, config: EngineConfig, service: Service) -> None:
        self.name = config.name
        self._config = config
        self._service = service
        self._class: Any = None
        self._hearings: set[PipecatHearing] = set()

    async def start(self) -> None:
        missing = [key for key in self._service.keys if not self._config.secrets.get(key)]
        if missing:
            raise EngineMissing(f"{self.name} needs {', '.join(missing)}: set it in the environment or in .env")
        try:
            module = await asyncio.to_thread(importlib.import_module, f"pipecat.services.{self._service.module}")
        except ImportError:
            raise EngineMissing(f"{self.name} needs a package: run `{install(self._service.extra)}`") from None
        self._class = getattr(module, self._service.class_name)

    def _make(self, rate_hz: int, language: str) -> Any:
        from pipecat.transcriptions.language import Language

        arguments: dict[str, Any] = {
            argument: self._config.secrets[key] for key, argument in self._service.keys.items()
        }
        if self._service.url and self._config.base_url:
            arguments[self._service.url] = self._config.base_url
        settings: dict[str, Any] = dict(self._config.options)
        if self._config.model:
            settings["model"] = self._config.model
        try:
            settings["language"] = Language(language or self._config.language)
        except ValueError:
            raise EngineMissing(f'{self.name} cannot be asked for the language "{language}"') from None
        return self._class(**arguments, sample_rate=rate_hz, settings=self._class.Settings(**settings))

    async def open(self, *, rate_hz: int, language: str) -> PipecatHearing:
        from pipecat.frames.frames import InterimTranscriptionFrame, TranscriptionFrame

        from agent.engines.hosted import Hosted

        if self._class is None:
            raise EngineFailed(f"speech engine {self.name} was not started")
        try:
            service = self._make(rate_hz, language)
        except (TypeError, ValueError) as error:
            kind = type(error).__name__
            raise EngineFailed(f"{self.name} does not take these options ({kind}): check [speech]") from None
        wanted = (InterimTranscriptionFrame, TranscriptionFrame)
        hosted = Hosted(service, name=self.name, wanted=wanted, audio_in_hz=rate_hz)
        await hosted.start()
        hearing = PipecatHearing(hosted, self.name, rate_hz)
        hearing.on_close = self._hearings.discard
        self._hearings.add(hearing)
        return hearing

    async def close(self) -> None:
        await asyncio.gather(*(hearing.close() for hearing in list(self._hearings)))


class Ending:
    """When the text of a turn is complete. Pure: texts and times in seconds in, the text and a wait out."""

    def __init__(self) -> None:
        self._finals: list[str] = []
        self._interim = ""
        self._offset_s: float | None = None
        self._heard_s = 0.0
        self._marked = False

    @property
    def hypothesis(self) -> Hypothesis:
        """Finals are stable, an interim is not."""
        stable = " ".join(self._finals)
        return Hypothesis(f"{stable} {self._interim}".strip(), len(stable.split()))

    def onset(self) -> None:
        """The person speaks on: what is known is not complete."""
        self._offset_s = None
        self._marked = False

    def offset(self, now_s: float) -> None:
        """The person fell silent."""
        self._offset_s = now_s

    def interim(self, text: str, now_s: float) -> None:
        """A text that may change."""
        self._interim, self._heard_s = text.strip(), now_s

    def final(self, text: str, now_s: float, *, marked: bool) -> None:
        """A text that will not; `marked` when the service says that the utterance ends with it."""
        self._interim, self._heard_s = "", now_s
        if text.strip():
            self._finals.append(text.strip())
        self._marked = marked and self._offset_s is not None

    def wait_s(self, now_s: float) -> float:
        """How long to wait for more; 0 when the text is complete."""
        if self._marked or self._offset_s is None:
            return 0.0
        limit_s = self._offset_s + FINAL_TIMEOUT_S
        if self._finals and not self._interim:
            limit_s = min(limit_s, max(self._offset_s, self._heard_s) + QUIET_S)
        return max(0.0, limit_s - now_s)

    def take(self) -> str:
        """The text; starts anew."""
        text = self.hypothesis.text
        self._finals.clear()
        self._interim, self._offset_s, self._marked = "", None, False
        return text


class PipecatHearing:
    """One person, one service."""

    def __init__(self, hosted: Any, name: str, rate_hz: int) -> None:
        self.on_close: Callable[[PipecatHearing], None] | None = None
        self._hosted = hosted
        self._name = name
        self._rate_hz = rate_hz
        self._outbox: deque[Any] = deque()
        self._outbox_bytes = 0
        self._ending = Ending()
        self._latest = Latest()
        self._speech = False
        self._speaking = False
        self._news = asyncio.Event()
        self._waiting = asyncio.Event()
        self._clock = asyncio.get_running_loop().time
        self._tasks = [
            asyncio.create_task(self._send(), name=f"{name} send"),
            asyncio.create_task(self._receive(), name=f"{name} receive"),
        ]

    def feed(self, pcm: bytes) -> None:
        from pipecat.frames.frames import InputAudioRawFrame

        if self._latest.failure is not None:
            return
        self._outbox.append(InputAudioRawFrame(pcm, self._rate_hz, 1))
        self._outbox_bytes += len(pcm)
        while self._outbox_bytes > MAX_BACKLOG_S * 2 * self._rate_hz:
            self._drop_oldest()
        self._waiting.set()

    def _drop_oldest(self) -> None:
        for index, frame in enumerate(self._outbox):
            if hasattr(frame, "audio"):
                del self._outbox[index]
                self._outbox_bytes -= len(frame.audio)
                return

    def onset(self) -> None:
        from pipecat.frames.frames import VADUserStartedSpeakingFrame

        self._ending.onset()
        if not self._speaking:
            self._speech = self._speaking = True
            self._outbox.append(VADUserStartedSpeakingFrame())
            self._waiting.set()

    def offset(self) -> None:
        from pipecat.frames.frames import VADUserStoppedSpeakingFrame

        if self._speaking:
            self._speaking = False
            self._ending.offset(self._clock())
            self._outbox.append(VADUserStoppedSpeakingFrame())
            self._waiting.set()

    async def finish(self) -> str:
        self.offset()
        while self._speech and (wait_s := self._ending.wait_s(self._clock())):
            self._latest.check()
            self._news.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
            except TimeoutError:
                continue
        self._latest.check()
        self._speech = self._speaking
        return self._ending.take()

    def hypotheses(self) -> AsyncIterator[Hypothesis]:
        return self._latest.read()

    async def close(self) -> None:
        self._latest.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=0.2)
        await self._hosted.close(limit_s=1.7)
        if self.on_close is not None:
            self.on_close(self)

    async def _send(self) -> None:
        try:
            while True:
                await self._waiting.wait()
                self._waiting.clear()
                while self._outbox:
                    await self._hosted.room(MAX_IN_FLIGHT)
                    if not self._outbox:
                        break
                    frame = self._outbox.popleft()
                    self._outbox_bytes -= len(getattr(frame, "audio", b""))
                    await self._hosted.put(frame)
        except EngineFailed as error:
            self._fail(error)

    async def _receive(self) -> None:
        from pipecat.frames.frames import ErrorFrame, TranscriptionFrame

        try:
            async for frame in self._hosted.frames():
                if isinstance(frame, ErrorFrame):
                    logger.warning("speech service reports an error", extra={"engine": self._name})
                    continue
                if isinstance(frame, TranscriptionFrame):
                    self._ending.final(frame.text, self._clock(), marked=frame.finalized)
                else:
                    self._ending.interim(frame.text, self._clock())
                self._latest.put(self._ending.hypothesis)
                self._news.set()
        except EngineFailed as error:
            self._fail(error)

    def _fail(self, error: EngineFailed) -> None:
        self._latest.fail(error)
        self._news.set()
