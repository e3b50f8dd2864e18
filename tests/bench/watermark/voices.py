"""Who speaks in the benchmark: synthetic voices of the engines at hand, and people where recordings are here.

`TUNING` is for choosing figures of the design, `SCORING` for the table; no voice is in both.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

ASSETS = Path(os.environ.get("TWIN_TEST_ASSETS", "../shared/assets")) / "speech"


class Engine(Enum):
    ESPEAK = "espeak-ng"
    FLITE = "flite"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Voice:
    """One speaker. For a person `source` is a pattern of file names below `ASSETS`."""

    name: str
    engine: Engine
    source: str
    language: str = "en"
    rate_wpm: int = 165
    pitch: int = 50
    pitch_range: int = 50

    @property
    def at_hand(self) -> bool:
        """Whether this machine can let the voice speak. espeak-ng comes with the project."""
        if self.engine is Engine.FLITE:
            return shutil.which("flite") is not None
        return self.engine is Engine.ESPEAK or any(ASSETS.glob(self.source))


def _espeak(source: str, language: str, rate_wpm: int, pitch: int, pitch_range: int) -> Voice:
    name = f"espeak {source}".replace("+", " ")
    return Voice(name, Engine.ESPEAK, source, language, rate_wpm, pitch, pitch_range)


def _flite(source: str) -> Voice:
    return Voice(f"flite {source}", Engine.FLITE, source)


def _person(name: str, source: str) -> Voice:
    return Voice(name, Engine.PERSON, source)


TUNING: tuple[Voice, ...] = (
    _espeak("en-US", "en", 165, 50, 50),
    _espeak("en+f2", "en", 175, 55, 60),
    _espeak("en-US+m3", "en", 150, 40, 45),
    _espeak("de+f1", "de", 160, 50, 50),
    _espeak("de+m5", "de", 170, 35, 40),
    _espeak("fr+f4", "fr", 165, 60, 55),
    _espeak("fr+m1", "fr", 180, 45, 50),
    _espeak("es+m7", "es", 175, 50, 60),
    _espeak("it+f5", "it", 170, 50, 50),
    _espeak("nl+m2", "nl", 160, 45, 50),
    _espeak("pl+f3", "pl", 165, 55, 50),
    _espeak("pt+m4", "pt", 155, 50, 45),
    _flite("awb"),
    _flite("kal16"),
    _person("LibriSpeech 1688", "librispeech/1688-*.flac"),
    _person("LibriSpeech 2033", "librispeech/2033-*.flac"),
)
SCORING: tuple[Voice, ...] = (
    _espeak("en-US+f5", "en", 160, 50, 50),
    _espeak("en+m6", "en", 170, 45, 55),
    _espeak("en-GB-scotland", "en", 155, 50, 60),
    _espeak("en-US+klatt4", "en", 165, 50, 50),
    _espeak("de", "de", 165, 50, 50),
    _espeak("de+f4", "de", 175, 60, 55),
    _espeak("de+m8", "de", 155, 40, 50),
    _espeak("fr", "fr", 165, 50, 50),
    _espeak("fr+f2", "fr", 160, 55, 45),
    _espeak("es", "es", 165, 45, 50),
    _espeak("es-419+f1", "es", 180, 55, 55),
    _espeak("it+m3", "it", 165, 45, 50),
    _espeak("it+f3", "it", 160, 60, 60),
    _espeak("nl+f5", "nl", 170, 50, 50),
    _espeak("pl+m1", "pl", 160, 45, 45),
    _espeak("pt-BR+f2", "pt", 170, 55, 50),
    _flite("slt"),
    _flite("rms"),
    _person("LibriSpeech 1998", "librispeech/1998-*.flac"),
    _person("LibriSpeech 2414", "librispeech/2414-*.flac"),
    _person("LibriSpeech 2609", "librispeech/2609-*.flac"),
    _person("John F. Kennedy", "jfk.flac"),
    _person("Open Speech Repository", "harvard_8k.wav"),
)
MEETINGS = "meetings/*.wav"
"""Several people in a room: for what is unmarked, and for what is mixed in."""
