"""The engines of one process: made from the settings, started once, shared by all calls."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.engines import registry
from agent.engines.base import Brain, Engine, Imitator, Speech, Voice
from agent.engines.brain.canned import Attribute, CannedBrain
from agent.engines.brain.fallback import Fallback as BrainFallback
from agent.engines.brain.grounded import Grounded
from agent.engines.speech import whisper_models
from agent.engines.voice.espeak import forget_manners
from agent.engines.voice.fallback import Fallback as VoiceFallback
from agent.engines.voice.phonemes import PhonemeVoice
from agent.engines.voice.reading import ReadVoice
from agent.settings import Settings, VoiceSection
from compliance.errors import EngineError
from persona.canned import Canned
from persona.home import Persona
from persona.voice.reader import Reader

logger = logging.getLogger(__name__)

CLOSE_LIMIT_S = 10.0


@dataclass(slots=True)
class ModelState:
    """A model on its way, for the page, the terminal and `twin doctor`."""

    name: str
    state: Literal["absent", "fetching", "loading", "ready", "failed"]
    done_bytes: int = 0
    total_bytes: int | None = None
    why: str = ""


class Lineup:
    """Which engine does what. `speech` may grow better while the process runs; the rest is fixed at the start."""

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str],
        persona: Persona,
        *,
        cache: Path,
        attribute: Attribute = lambda sentence, prompt: "general",
        reader: Reader | None = None,
        late_spare: bool = False,
    ) -> None:
        """`attribute` says where a sentence of a model's comes from: only what the owner wrote is said again.
        `reader` knows how the owner wants names said. With `late_spare` the recogniser that serves where another
        fails starts when it is first needed: a second later, and most processes never take its memory."""
        self._late_spare = late_spare
        self._settings = settings
        self._environment = environment
        self._cache = cache
        self._attribute = attribute
        self._reader = reader or Reader()
        self._imitator: Imitator | None = None
        self._sample = ""
        """A digest of the voice that was taken on."""
        self._language = settings.twin.language
        self._speech: list[Speech] = []
        self._started: list[Engine] = []
        self._fetching: asyncio.Task[None] | None = None
        self.models: list[ModelState] = []
        self.grounded = Grounded(persona)
        self.brain: Brain = self.grounded
        self.voice: Voice
        self.own_voice: Voice
        """The built-in one, which imitates nobody and needs nothing."""

    @property
    def speech(self) -> tuple[Speech, ...]:
        """The recognisers for the next call, best first."""
        return tuple(self._speech)

    @property
    def names(self) -> dict[str, str]:
        """What serves now, for people."""
        return {
            "speech": self._speech[0].name if self._speech else "none",
            "brain": self.brain.name,
            "voice": self.voice.name,
            "face": self._settings.face.engine,
        }

    async def start(self) -> None:
        """Make and start what the settings ask for. Raises `EngineError` or `SettingsError`: one line each."""
        await self.start_voice()
        await self._start_brain()
        await self._start_speech()

    def fetch_models(self) -> None:
        """Fetch what `auto` misses in the background; it serves from the next call on."""
        if self._settings.speech.engine == "auto" and self._settings.speech.fetch and self._whisper_absent():
            self._fetching = asyncio.create_task(self._fetch_whisper(), name="fetch whisper")

    async def close(self) -> None:
        """Free everything, within a limit per engine."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching], timeout=2.0)
        for engine in reversed(self._started):
            try:
                await asyncio.wait_for(engine.close(), CLOSE_LIMIT_S)
            except TimeoutError:
                logger.error("engine did not close in time", extra={"engine": engine.name})

    async def start_voice(self) -> None:
        """Only the voice, for what needs nothing else. Raises as `start` does."""
        espeak: Voice = registry.make(
            "voice", "espeak", self._espeak_section(), {}, cache=self._cache, language=self._language
        )
        self.own_voice = ReadVoice(espeak, self._reader)
        section = self._settings.voice
        if section.engine != "espeak" or not section.cloned:
            # Of a clone that this voice was before.
            await asyncio.to_thread(forget_manners, self._cache)
        if section.engine == "espeak" and not section.cloned:
            await self._started_with(self.own_voice)
            # A sentence that its process died over is finished by the process that follows.
            self.voice = VoiceFallback(self.own_voice, self.own_voice)
            return
        chosen: Voice = registry.make(
            "voice", section.engine, section, self._environment, cache=self._cache, language=self._language
        )
        if section.cloned and isinstance(chosen, Imitator) and chosen.imitates:
            self._imitator = chosen
        # espeak has phonemes of its own; asking for them would say each sentence twice.
        sounding = chosen if section.engine == "espeak" else PhonemeVoice(chosen, espeak)
        # Outside of the words as they are spoken: a fallback counts the words as they are written.
        self.voice = VoiceFallback(ReadVoice(sounding, self._reader), self.own_voice)
        await self._started_with(self.voice)

    async def imitate(self, sample: bytes) -> None:
        """Take on the voice of this WAV file, where the chosen voice can. Raises `EngineError`."""
        if self._imitator is not None:
            await self._imitator.clone_from(sample)
        self._sample = hashlib.sha256(sample).hexdigest()

    async def forget_voice(self) -> None:
        """Let go of the voice that was taken on, if any. Raises `EngineError`."""
        self._sample = ""
        # Also what an earlier process took on.
        if self._imitator is not None:
            await self._imitator.forget_voice()

    @property
    def has_voice(self) -> bool:
        """Whether the chosen voice can speak; one that imitates has to take on a voice first."""
        return self._imitator is None or bool(self._sample)

    @property
    def sounding(self) -> str:
        """Whatever changes how a text sounds, besides the settings: what was prepared with something else is
        made again."""
        return f"{self._reader.digest} {self._sample}"

    def _espeak_section(self) -> VoiceSection:
        own = self._settings.voice
        # Shaped towards the owner's it would be a clone itself, and could not stand in for one.
        return own if own.engine == "espeak" and not own.cloned else VoiceSection()

    async def _start_brain(self) -> None:
        section = self._settings.brain
        if section.engine != "grounded":
            chosen: Brain = registry.make(
                "brain", section.engine, section, self._environment, cache=self._cache, language=self._language
            )
            owner = self._settings.persona
            if owner.canned:
                chosen = CannedBrain(chosen, Canned(owner.canned_answers), self._attribute)
            patience_s = section.first_token_timeout_s + 0.3
            self.brain = BrainFallback(chosen, self.grounded, patience_s=patience_s)
        await self._started_with(self.brain)

    async def _start_speech(self) -> None:
        section = self._settings.speech
        english = self._language.split("-")[0] == "en"
        if section.engine not in ("auto", "pocketsphinx"):
            self._speech.append(await self._make_speech(section.engine))
        elif section.engine == "auto" and not self._whisper_absent():
            try:
                self._speech.append(await self._make_speech("whisper"))
                self.models.append(ModelState(self._whisper_model(), "ready"))
            except EngineError as error:
                logger.warning("whisper cannot start", extra={"code": error.code})
                self.models.append(ModelState(self._whisper_model(), "failed", why=error.message))
        elif section.engine == "auto":
            self.models.append(ModelState(self._whisper_model(), "absent"))
        if english or not self._speech:
            self._speech.append(
                await self._make_speech("pocketsphinx", late=self._late_spare and bool(self._speech))
            )

    async def _make_speech(self, name: str, *, late: bool = False) -> Speech:
        section = self._settings.speech
        if section.engine not in (name, "auto"):
            section = type(section)(engine=name)
        engine: Speech = registry.make(
            "speech", name, section, self._environment, cache=self._cache, language=self._language
        )
        if late:
            # Its `open` starts what it needs; it is closed with the others.
            self._started.append(engine)
        else:
            await self._started_with(engine)
        return engine

    async def _started_with(self, engine: Engine) -> None:
        self._started.append(engine)
        await engine.start()

    def _whisper_model(self) -> str:
        return self._settings.speech.model or whisper_models.DEFAULT_MODEL

    def _whisper_absent(self) -> bool:
        return not whisper_models.is_present(self._whisper_model(), self._cache)

    async def _fetch_whisper(self) -> None:
        state = self.models[0]
        state.state = "fetching"

        def progress(done_bytes: int, total_bytes: int | None) -> None:
            state.done_bytes, state.total_bytes = done_bytes, total_bytes

        try:
            await whisper_models.fetch(self._whisper_model(), self._cache, progress)
            state.state = "loading"
            self._speech.insert(0, await self._make_speech("whisper"))
        except EngineError as error:
            state.state, state.why = "failed", error.message
            logger.warning("whisper model could not be fetched", extra={"code": error.code})
        else:
            state.state = "ready"
            logger.info("whisper serves from the next call on")
