"""The built-in voice: espeak-ng in a child process, with the exact times of words and phonemes."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np

from agent.engines.base import Card, EngineConfig, VoiceChunk
from agent.engines.child import Child, Message
from agent.engines.voice.timeline import Event, EventTimeline, Pcm
from agent.engines.voice.written import speakable
from compliance.errors import EngineFailed, EngineMissing, SettingsError

CARD = Card(
    kind="voice",
    name="espeak",
    about="espeak-ng in a process of its own; over 100 languages, exact word and phoneme times, no model",
    factory="agent.engines.voice.espeak:Espeak",
    modules=("espeakng_loader",),
    licence="espeak-ng is GPL-3.0-or-later; it runs as a separate program",
)

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
    (`+f3`) that then speaks every language."""

    def __init__(self, config: EngineConfig) -> None:
        self._settings = EspeakSettings.from_options(config.options)
        self._language = config.language
        base, _, variant = config.voice.partition("+")
        self._own_voice = base.lower()
        self._variant = f"+{variant}" if variant else ""
        self._child = Child("agent.engines.voice.espeak_child", name="espeak", ready_timeout_s=10.0)
        self._gains: dict[str, float] = {}

    @property
    def name(self) -> str:
        """The name it is chosen by."""
        return "espeak"

    @property
    def pid(self) -> int | None:
        """The child's process id while it is up."""
        return self._child.pid

    async def start(self) -> None:
        """Start the child and measure the voice's level. Raises `EngineMissing`, `EngineFailed`,
        `EngineTimeout`."""
        await self._child.start()
        await self._gain(self._voice_for(self._language))

    async def close(self) -> None:
        """End the child within 5 s."""
        await self._child.close()

    async def speak(self, text: str, *, language: str) -> AsyncGenerator[VoiceChunk, None]:
        """Stream one sentence; see `Voice.speak`. A text without words yields nothing; one without sound
        (`...`) yields a short silence that carries its words. Raises `EngineMissing` for a language that
        espeak-ng does not have."""
        if not text.strip():
            return
        voice = self._voice_for(language)
        gain = await self._gain(voice)
        rate_hz = self._rate_hz
        timeline = EventTimeline(text, rate_hz)
        spoken = speakable(text)
        samples = 0
        for start, end in pieces(spoken):
            first_sample = samples
            async with aclosing(self._say(spoken[start:end], voice, end_pause=end < len(spoken))) as messages:
                async for message in messages:
                    events = [
                        Event(kind, start + position, first_sample + sample, ipa)
                        for kind, position, sample, ipa in message.fields["events"]
                    ]
                    pcm = np.frombuffer(message.payload, np.int16)
                    samples += len(pcm)
                    chunk = timeline.feed(louder(pcm, gain), events)
                    if chunk is not None:
                        yield chunk
        chunk = timeline.finish()
        if chunk is not None:
            yield chunk

    def _say(self, text: str, voice: str, *, end_pause: bool) -> AsyncGenerator[Message, None]:
        settings = self._settings
        return self._child.stream(
            "say", text.encode(), timeout_s=_WAIT_S, voice=voice, rate_wpm=settings.rate_wpm,
            pitch=settings.pitch, range=settings.range, end_pause=end_pause,
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

    async def _gain(self, voice: str) -> float:
        """What brings this voice to the level of the settings, measured once: it speaks the digits."""
        if voice not in self._gains:
            audio = b""
            async with aclosing(self._say("1 2 3 4 5 6 7 8 9", voice, end_pause=False)) as messages:
                async for message in messages:
                    audio += message.payload
            measured = level_dbfs(np.frombuffer(audio, np.int16), self._rate_hz)
            # A few languages have no numbers; espeak's own level is close to -20.
            change_db = 0.0 if measured is None else self._settings.volume_dbfs - measured
            self._gains[voice] = float(10 ** (change_db / 20))
        return self._gains[voice]


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


def level_dbfs(pcm: Pcm, rate_hz: int) -> float | None:
    """RMS of the 20 ms frames that hold speech (within 30 dB of the loudest), in dB; None for silence."""
    size = rate_hz // 50
    if len(pcm) < size:
        return None
    frames = pcm[: len(pcm) // size * size].reshape(-1, size).astype(np.float64) / 32768
    power = np.mean(frames**2, axis=1)
    if power.max() < 1e-9:
        return None
    return float(10 * np.log10(power[power > power.max() / 1000].mean()))


def louder(pcm: Pcm, gain: float) -> Pcm:
    """Scale by `gain`; above 70 % of full scale bend the wave instead of clipping it."""
    scaled = pcm.astype(np.float32) * (gain / 32768)
    size = np.abs(scaled)
    knee = 0.7
    loud = size > knee
    if loud.any():
        bent = knee + (0.98 - knee) * np.tanh((size - knee) / (0.98 - knee))
        scaled = np.where(loud, np.copysign(bent, scaled), scaled)
    return np.asarray(np.rint(scaled * 32767), np.int16)
