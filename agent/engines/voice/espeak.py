"""The built-in voice: espeak-ng in a child process, with the exact times of words and phonemes."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import re
import wave
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.engines.base import Card, EngineConfig, VoiceChunk
from agent.engines.child import Child, Message
from agent.engines.voice.ipa import PHONEMES_BEGIN, PHONEMES_END, marked, unmarked
from agent.engines.voice.shaping import Calibration, Manner, calibration_text
from agent.engines.voice.timeline import Event, EventTimeline, Pcm
from agent.engines.voice.written import speakable
from compliance.errors import EngineFailed, EngineMissing, SettingsError
from persona.voice.shape import VoiceShape, measure

logger = logging.getLogger(__name__)

CARD = Card(
    kind="voice",
    name="espeak",
    about="espeak-ng in a process of its own; over 100 languages, exact word and phoneme times, no model",
    factory="agent.engines.voice.espeak:Espeak",
    modules=("espeakng_loader",),
    licence="espeak-ng is GPL-3.0-or-later; it runs as a separate program",
)

Floats = npt.NDArray[np.float64]

_PIECE_CHARS = 240
"""Text per job: a long text leaves room for other calls' sentences between its pieces, and no more audio is
made ahead than one piece."""
_WAIT_S = 5.0
"""For each piece of audio; a whole sentence takes some 10 ms."""
_PREFERRED = {"en": "en-us", "pt": "pt-br"}
"""Where a plain language means another voice to most people than to espeak-ng."""
_BREAKS = (
    re.compile(r"[.!?…。！？]['\"’”)\]]*\s+|[。！？]"),
    re.compile(r"[,;:—–]\s+|[，、；：]"),
    re.compile(r"\s+"),
)


@dataclass(frozen=True, slots=True)
class EspeakSettings:
    """How it speaks: the further keys of the `[voice]` section."""

    rate_wpm: int = 165
    """Words per minute, 80 to 400."""
    pitch: int = 45
    """Base pitch, 0 (deep) to 99 (high)."""
    range: int = 55
    """How far the pitch moves, 0 (monotone) to 99."""
    volume_dbfs: float = -20.0
    """Level of the speech (RMS) below full scale, -40 to -12."""

    def __post_init__(self) -> None:
        limits = {"rate_wpm": (80, 400), "pitch": (0, 99), "range": (0, 99), "volume_dbfs": (-40, -12)}
        for key, (low, high) in limits.items():
            value = getattr(self, key)
            if not low <= value <= high:
                raise SettingsError(f"[voice] {key} = {value:g}: must be from {low} to {high}")

    @classmethod
    def from_options(cls, options: Mapping[str, str]) -> EspeakSettings:
        """Read them as written in the settings. Raises `SettingsError`."""
        kinds: dict[str, type[int] | type[float]] = {
            "rate_wpm": int, "pitch": int, "range": int, "volume_dbfs": float,
        }  # fmt: skip
        unknown = sorted(set(options) - set(kinds))
        if unknown:
            raise SettingsError(f"[voice] espeak has no setting {unknown[0]!r}; it has {', '.join(kinds)}")
        try:
            return cls(**{key: kinds[key](value) for key, value in options.items()})  # type: ignore[arg-type]
        except ValueError:
            raise SettingsError(f"[voice] {', '.join(options)}: must be numbers") from None


class Espeak:
    """A `Voice`. `config.voice` is one of espeak's (`en-gb`), with a variant (`en-gb+f3`), or a variant alone
    (`+f3`) that then speaks every language.

    With a `shape` it speaks near that voice: an imitation, which its owner has to have allowed. The settings of
    pitch, range and rate then do not count.
    """

    def __init__(self, config: EngineConfig, shape: VoiceShape | None = None) -> None:
        self._settings = EspeakSettings.from_options(config.options)
        self._language = config.language
        base, _, variant = config.voice.partition("+")
        self._own_voice = base.lower()
        self._variant = f"+{variant}" if variant else ""
        self._child = Child("agent.engines.voice.espeak_child", name="espeak", ready_timeout_s=10.0)
        self._gains: dict[str, float] = {}
        self._shape = shape
        self._cache = config.cache
        self._manners: dict[str, Manner] = {}
        self._calibrating = asyncio.Lock()

    @property
    def name(self) -> str:
        """The name it is chosen by."""
        return "espeak"

    @property
    def pid(self) -> int | None:
        """The child's process id while it is up."""
        return self._child.pid

    async def start(self) -> None:
        """Start the child and measure the voice's level; with a shape, come near it first, which takes some
        seconds once and is then kept. Raises `EngineMissing`, `EngineFailed`,
        `EngineTimeout`."""
        await self._child.start()
        voice = self._voice_for(self._language)
        await self._gain(voice, await self._manner(voice))

    async def close(self) -> None:
        """End the child within 5 s."""
        await self._child.close()

    @property
    def imitates(self) -> bool:
        """It comes near any voice."""
        return True

    async def clone_from(self, sample: bytes) -> None:
        """Speak near the voice of this WAV file from the next sentence on; see `Imitator`."""
        self._take(await asyncio.to_thread(_shape_of, sample))

    async def forget_voice(self) -> None:
        """Speak as espeak does again, and keep nothing of how it came near somebody's voice."""
        self._take(None)
        await asyncio.to_thread(forget_manners, self._cache)

    def _take(self, shape: VoiceShape | None) -> None:
        self._shape = shape
        self._manners.clear()
        self._gains.clear()

    async def speak(self, text: str, *, language: str) -> AsyncGenerator[VoiceChunk, None]:
        """Stream one sentence; see `Voice.speak`. A text without words yields nothing; one without sound
        (`...`) yields a short silence that carries its words. Raises `EngineMissing` for a language that
        espeak-ng does not have."""
        if not text.strip():
            return
        voice = self._voice_for(language)
        manner = await self._manner(voice)
        gain = await self._gain(voice, manner)
        equaliser = manner.equaliser(self._rate_hz) if manner else None
        timeline = EventTimeline(text, manner.rate_hz(self._rate_hz) if manner else self._rate_hz)
        spoken = unmarked(text, speakable(text))
        samples = 0
        for start, end in pieces(spoken):
            first_sample = samples
            piece = self._say(spoken[start:end], voice, manner, end_pause=end < len(spoken))
            async with aclosing(piece) as messages:
                async for message in messages:
                    events = [
                        Event(kind, start + position, first_sample + sample, ipa)
                        for kind, position, sample, ipa in message.fields["events"]
                    ]
                    pcm = np.frombuffer(message.payload, np.int16)
                    samples += len(pcm)
                    sound = equaliser.feed(pcm) if equaliser else pcm
                    chunk = timeline.feed(louder(sound, gain), events)
                    if chunk is not None:
                        yield chunk
        chunk = timeline.finish()
        if chunk is not None:
            yield chunk

    def phonemes(self, ipa: str, language: str) -> str | None:
        """IPA as a word of a text for `speak`, which says it instead of reading it; None where it cannot."""
        return marked(ipa, language)

    def _say(
        self, text: str, voice: str, manner: Manner | None, *, end_pause: bool
    ) -> AsyncGenerator[Message, None]:
        settings = self._settings
        more: dict[str, Any] = {"phonemes": True} if PHONEMES_BEGIN in text else {}
        rate_wpm, pitch, spread = settings.rate_wpm, settings.pitch, settings.range
        if manner is not None:
            more["pitches_hz"] = manner.pitches_hz
            rate_wpm, pitch, spread = round(manner.rate_wpm), 50, 50
        text = text.replace(PHONEMES_BEGIN, "[[").replace(PHONEMES_END, "]]")
        return self._child.stream(
            "say", text.encode(), timeout_s=_WAIT_S, voice=voice, rate_wpm=rate_wpm,
            pitch=pitch, range=spread, end_pause=end_pause, **more,
        )  # fmt: skip

    @property
    def _rate_hz(self) -> int:
        return int(self._child.greeting["rate_hz"])

    def _voice_for(self, language: str) -> str:
        """espeak's name for a language code (`de`, `pt-BR`, `zh_CN`), with the variant of the settings."""
        voices: Mapping[str, str] = self._child.greeting.get("voices", {})
        if not voices:
            raise EngineFailed("espeak: not started")
        if self._variant and self._variant[1:] not in self._child.greeting["variants"]:
            some = ", ".join(self._child.greeting["variants"])
            raise EngineMissing(f"espeak: it has no variant {self._variant!r}; it has {some}")
        code = language.lower().replace("_", "-")
        primary = code.partition("-")[0]
        if self._own_voice and self._own_voice.partition("-")[0] == primary:
            code = self._own_voice
        for known in (_PREFERRED.get(code, code), code, _PREFERRED.get(primary, primary), primary):
            if known in voices:
                return f"{voices[known]}{self._variant}"
        some = ", ".join(sorted(v for v in voices if len(v) == 2))
        raise EngineMissing(f"espeak: it does not speak {language!r}; it speaks {some} and variants of them")

    async def _manner(self, voice: str) -> Manner | None:
        """How to come near the shape with this voice, found once and kept; None without a shape."""
        async with self._calibrating:
            shape = self._shape
            if shape is None:
                return None
            if (manner := self._manners.get(voice)) is None:
                manner = await self._kept_or_found(voice, shape)
                # Meanwhile it may have taken on another voice, or none.
                if self._shape is shape:
                    self._manners[voice] = manner
            return manner

    async def _kept_or_found(self, voice: str, shape: VoiceShape) -> Manner:
        digest = hashlib.sha256(f"{voice}\n{shape.as_toml()}".encode()).hexdigest()[:24]
        path = self._cache / f"espeak-{digest}.json" if self._cache != Path() else None
        if path is not None and path.is_file():
            kept = Manner.from_json(await asyncio.to_thread(path.read_text, "utf-8", "replace"))
            if kept is not None:
                return kept
        calibration = Calibration(shape)
        text = calibration_text(voice)
        while not calibration.over:
            audio = await self._audio(text, voice, calibration.manner)
            await asyncio.to_thread(calibration.hear, audio, self._rate_hz)
        if path is not None and self._shape is shape:
            await self._keep(path, calibration.found)
            if self._shape is not shape:
                # Forgotten while it was being written: the file came after those that were deleted.
                await asyncio.to_thread(path.unlink, missing_ok=True)
        return calibration.found

    @staticmethod
    async def _keep(path: Path, manner: Manner) -> None:
        try:
            await asyncio.to_thread(path.write_text, manner.as_json(), "utf-8")
        except OSError as error:
            # Without the file the next start is slower; nothing else.
            logger.warning("a voice's manner was not kept", extra={"error": type(error).__name__})

    async def _audio(self, text: str, voice: str, manner: Manner | None) -> Pcm:
        """All of a text, as espeak makes it."""
        audio = bytearray()
        for start, end in pieces(text):
            async with aclosing(self._say(text[start:end], voice, manner, end_pause=end < len(text))) as messages:
                async for message in messages:
                    audio += message.payload
        return np.frombuffer(bytes(audio), np.int16)

    async def _gain(self, voice: str, manner: Manner | None) -> float:
        """What brings this voice to the level of the settings, measured once: it speaks the digits."""
        if voice not in self._gains:
            audio = await self._audio("1 2 3 4 5 6 7 8 9", voice, manner)
            sound = manner.equaliser(self._rate_hz).feed(audio) if manner else audio
            measured = level_dbfs(sound, self._rate_hz)
            # A few languages have no numbers; espeak's own level is close to -20.
            change_db = 0.0 if measured is None else self._settings.volume_dbfs - measured
            self._gains[voice] = float(10 ** (change_db / 20))
        return self._gains[voice]


def _shape_of(sample: bytes) -> VoiceShape:
    with wave.open(io.BytesIO(sample)) as file:
        return measure(np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate())


def forget_manners(cache: Path) -> None:
    """Delete what was kept of how espeak came near a voice. Blocks for the disk; raises `OSError`."""
    for path in cache.glob("espeak-*.json") if cache != Path() else ():
        path.unlink(missing_ok=True)


def pieces(text: str) -> Iterator[tuple[int, int]]:
    """Cut a text into spans of at most 240 characters, after a sentence, else a clause, else a word."""
    start = 0
    while len(text) - start > _PIECE_CHARS:
        window = text[start : start + _PIECE_CHARS]
        ends = (max((m.end() for m in mark.finditer(window)), default=0) for mark in _BREAKS)
        # A break in the first third would make many small pieces.
        cut = next((end for end in ends if end > _PIECE_CHARS // 3), _PIECE_CHARS)
        yield start, start + cut
        start += cut
    if start < len(text):
        yield start, len(text)


def level_dbfs(pcm: Pcm | Floats, rate_hz: int) -> float | None:
    """RMS of the 20 ms frames that hold speech (within 30 dB of the loudest), in dB; None for silence."""
    size = rate_hz // 50
    if len(pcm) < size:
        return None
    frames = pcm[: len(pcm) // size * size].reshape(-1, size).astype(np.float64) / 32768
    power = np.mean(frames**2, axis=1)
    if power.max() < 1e-9:
        return None
    return float(10 * np.log10(power[power > power.max() / 1000].mean()))


def louder(pcm: Pcm | Floats, gain: float) -> Pcm:
    """Scale by `gain`; above 70 % of full scale bend the wave instead of clipping it."""
    scaled = pcm.astype(np.float32) * (gain / 32768)
    size = np.abs(scaled)
    knee = 0.7
    loud = size > knee
    if loud.any():
        bent = knee + (0.98 - knee) * np.tanh((size - knee) / (0.98 - knee))
        scaled = np.where(loud, np.copysign(bent, scaled), scaled)
    return np.asarray(np.rint(scaled * 32767), np.int16)
