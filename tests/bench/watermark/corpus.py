"""Speech for the benchmark, the same on every run: minutes of each voice at 16 kHz, kept in the user's cache.

for clip in corpus.tuning(minutes=2): ...     # voices the design may be fitted to
for clip in corpus.scoring(minutes=2): ...    # the others, for the table
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from tests.bench.watermark.text import sentences
from tests.bench.watermark.voices import ASSETS, MEETINGS, SCORING, TUNING, Engine, Voice

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]

RATE_HZ = 16000
MINUTE = 60 * RATE_HZ
CACHE = "TWIN_TEST_SPEECH"
"""Names the folder that keeps synthesised speech; else it is one of the user's cache."""
LEVEL_DBFS = -25.0
"""RMS of what is louder than 40 dB below the loudest 20 ms: where telephone speech is levelled to, about."""
_SENTENCES = 40
_LIMIT_S = 300.0
_FLOOR = 1e-6


class Clip(NamedTuple):
    voice: str
    samples: Samples
    """int16 mono."""
    rate_hz: int


def tuning(minutes: int = 1) -> Iterator[Clip]:
    """A minute at a time of each voice the design may be fitted to; less of a person than of an engine."""
    return _clips(TUNING, minutes)


def scoring(minutes: int = 1) -> Iterator[Clip]:
    """A minute at a time of each voice that is scored, none of which is in `tuning`."""
    return _clips(SCORING, minutes)


def meetings() -> Iterator[Clip]:
    """People in one room, where recordings of them are here."""
    for path in sorted(ASSETS.glob(MEETINGS)):
        yield Clip(f"AMI {path.stem}", _levelled(_read(path)), RATE_HZ)


def pieces(sound: Samples, samples: int, most: int) -> list[Samples]:
    """The first ones of that length, one after the other: as many as there are, `most` at most."""
    return [sound[number * samples :][:samples] for number in range(min(len(sound) // samples, most))]


def minute(voice: Voice, number: int, *, keep: bool = True) -> Samples:
    """One minute of a voice, int16 mono at 16 kHz; of a person the last one is shorter, then there are none."""
    if voice.engine is Engine.PERSON:
        return _person(voice)[number * MINUTE : (number + 1) * MINUTE]
    path = _cache() / f"{voice.name.replace(' ', '-')}-{number}.flac"
    if path.exists():
        kept: Samples = soundfile.read(path, dtype="int16")[0]
        return kept
    make = _espeak if voice.engine is Engine.ESPEAK else _flite
    texts = list(islice(sentences(voice.language, f"{voice.name} {number}"), _SENTENCES))
    samples = _levelled(make(voice, texts))[:MINUTE]
    if keep:
        part = path.with_suffix(f".{os.getpid()}.part")
        soundfile.write(part, samples, RATE_HZ, format="FLAC", subtype="PCM_16")
        part.replace(path)
    return samples


def resampled(samples: Samples, rate_hz: int, to_hz: int) -> Samples:
    """The same sound at another rate."""
    if rate_hz == to_hz:
        return samples
    return to_int16(soxr.resample(floats(samples), rate_hz, to_hz))


def floats(samples: Samples) -> Floats:
    """From -1 to 1."""
    return np.asarray(samples / np.float32(32768), np.float32)


def to_int16(sound: Floats) -> Samples:
    whole: Samples = np.clip(np.rint(sound * 32768), -32768, 32767).astype(np.int16)
    return whole


def active_rms(sound: Floats, rate_hz: int = RATE_HZ) -> float:
    """RMS of the 20 ms frames that are within 40 dB of the loudest."""
    frame = rate_hz // 50
    powers = np.square(sound[: len(sound) // frame * frame].reshape(-1, frame)).mean(axis=1)
    if not len(powers):
        return 0.0
    return float(np.sqrt(powers[powers >= powers.max() * 1e-4].mean()))


def _clips(voices: Sequence[Voice], minutes: int) -> Iterator[Clip]:
    for voice in voices:
        for number in range(minutes if voice.at_hand else 0):
            samples = minute(voice, number)
            if len(samples) >= RATE_HZ:
                yield Clip(voice.name, samples, RATE_HZ)


def _espeak(voice: Voice, texts: Sequence[str]) -> Floats:
    asked = {
        "voice": voice.source, "rate_wpm": voice.rate_wpm, "pitch": voice.pitch, "range": voice.pitch_range,
        "samples": 62 * 22050, "texts": texts,
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.bench.watermark.espeaking"]
    run = subprocess.run(
        command, input=json.dumps(asked).encode(), stdout=subprocess.PIPE, timeout=_LIMIT_S, check=True
    )
    rate, _, pcm = run.stdout.partition(b"\n")
    return _float(np.frombuffer(pcm, np.int16), int(rate))


def _flite(voice: Voice, texts: Sequence[str]) -> Floats:
    spoken: list[Floats] = []
    while sum(map(len, spoken)) < MINUTE:
        text = texts[len(spoken) % len(texts)]
        path = _cache() / f"flite-{os.getpid()}.wav"
        subprocess.run(
            ["flite", "-voice", voice.source, "-t", text, "-o", str(path)], timeout=_LIMIT_S, check=True
        )
        spoken.append(_read(path))
        path.unlink()
    return np.concatenate(spoken)


def _person(voice: Voice) -> Samples:
    spoken = [_read(path) for path in sorted(ASSETS.glob(voice.source))]
    return _levelled(np.concatenate(spoken)) if spoken else np.zeros(0, np.int16)


def _read(path: Path) -> Floats:
    sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return _float(sound.mean(axis=1), rate_hz)


def _float(sound: npt.NDArray[np.generic], rate_hz: int) -> Floats:
    scale = 32768.0 if sound.dtype == np.int16 else 1.0
    at_rate: Floats = soxr.resample(sound.astype(np.float32) / scale, rate_hz, RATE_HZ).astype(np.float32)
    return at_rate


def _levelled(sound: Floats) -> Samples:
    """At one loudness, whoever speaks; what was digital silence stays that."""
    gain = 10 ** (LEVEL_DBFS / 20) / max(_FLOOR, active_rms(sound))
    return to_int16(sound * gain)


def _cache() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get(CACHE) or base / "ai-twin-tests" / "speech")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
