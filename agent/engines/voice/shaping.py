"""espeak-ng set so that it comes near a voice: how it is found out by listening to itself. Pure.

espeak's own scales say nothing about hertz or syllables, so it speaks a text, is measured as the owner was, and is
corrected, a few times over. The length of the vocal tract is matched by the sample rate its audio is said to
have: pitch and pace are set against that, and every time stays exact, as it counts samples.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from agent.engines.voice.equaliser import Equaliser, difference_db, minimum_phase
from persona.voice.shape import VoiceShape, measure

ROUNDS = 8
FORMAT = 1
_NEAR_ENOUGH = (0.01, 0.04, 0.02)
"""Pitch, range and pace that need no further round, as shares."""
_LOWEST_HZ = 60
_TRACT_LIMITS = (0.82, 1.28)
_PITCH_LIMITS_HZ, _WIDTH_LIMITS, _RATE_LIMITS = (40, 500), (0.0, 48.0), (80, 400)


@dataclass(frozen=True, slots=True)
class Manner:
    """How espeak is set for one voice and one language."""

    pitch_hz: float = 110.0
    """The middle of its pitch, as espeak counts it."""
    width_semitones: float = 6.0
    rate_wpm: float = 165.0
    stretch: float = 1.0
    """Of the sample rate: above 1 for a shorter vocal tract than espeak's."""
    levels_db: tuple[float, ...] = ()
    """Of the equaliser, by band."""

    @property
    def pitches_hz(self) -> tuple[int, int]:
        """Where espeak's pitch begins and ends, as its voice files have it."""
        half = 2 ** (self.width_semitones / 24)
        # Nobody's voice goes lower, and espeak's breaks into single pulses there.
        low = max(_LOWEST_HZ, round(self.pitch_hz / half))
        return low, max(low, round(self.pitch_hz * half))

    def rate_hz(self, espeak_hz: int) -> int:
        """The rate that its audio is said to have."""
        return round(espeak_hz * self.stretch)

    def equaliser(self, espeak_hz: int) -> Equaliser:
        """A fresh filter for one sentence."""
        return Equaliser(minimum_phase(self.levels_db, self.rate_hz(espeak_hz)))

    def as_json(self) -> str:
        """To keep; `from_json` reads it."""
        return json.dumps({"format": FORMAT} | asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Manner | None:
        """What `as_json` wrote; None when it is damaged or of another version."""
        try:
            values = json.loads(text)
            if values.pop("format") != FORMAT:
                return None
            return cls(**values | {"levels_db": tuple(values["levels_db"])})
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


class Calibration:
    """From round to round: `manner` is what to speak with next, `hear` takes what came of it."""

    def __init__(self, wanted: VoiceShape) -> None:
        self._wanted = wanted
        self._best: tuple[float, Manner] | None = None
        pitch_hz = wanted.pitch_hz or 110.0
        self.manner = Manner(pitch_hz=pitch_hz, width_semitones=wanted.range_semitones or 6.0)
        self.rounds = 0

    @property
    def over(self) -> bool:
        """True when it is near enough, or does not come nearer."""
        near = self._best is not None and self._best[0] < 1.0
        return near or self.rounds >= ROUNDS

    @property
    def found(self) -> Manner:
        """The best manner so far."""
        return self._best[1] if self._best else self.manner

    def hear(self, pcm: npt.NDArray[np.int16], espeak_hz: int) -> None:
        """espeak's audio of `calibration_text`, as it was made with `manner`; takes about half a second."""
        heard = measure(pcm, self.manner.rate_hz(espeak_hz))
        self.rounds += 1
        wanted, manner = self._wanted, self.manner
        misses = (
            _miss(heard.pitch_hz, wanted.pitch_hz) / _NEAR_ENOUGH[0],
            _miss(heard.range_semitones, wanted.range_semitones) / _NEAR_ENOUGH[1],
            _miss(heard.pace_hz, wanted.pace_hz) / _NEAR_ENOUGH[2],
        )
        # The filter changes none of these, so what it lacks is read off the same audio.
        levels = difference_db(wanted.timbre_db, heard.timbre_db)
        if self._best is None or max(misses) < self._best[0]:
            # The rest that pitch is off by can be put right unheard: the scale is linear.
            pitch_hz = manner.pitch_hz * _ratio(wanted.pitch_hz, heard.pitch_hz)
            self._best = (
                max(misses),
                replace(manner, levels_db=levels, pitch_hz=_clipped(pitch_hz, _PITCH_LIMITS_HZ)),
            )
        stretch = _clipped(manner.stretch * _ratio(heard.tract_cm, wanted.tract_cm) ** 0.8, _TRACT_LIMITS)
        shift = stretch / manner.stretch
        self.manner = Manner(
            pitch_hz=_clipped(manner.pitch_hz * _ratio(wanted.pitch_hz, heard.pitch_hz) / shift, _PITCH_LIMITS_HZ),
            width_semitones=_clipped(
                manner.width_semitones * _ratio(wanted.range_semitones, heard.range_semitones) ** 0.8,
                _WIDTH_LIMITS,
            ),
            rate_wpm=_clipped(manner.rate_wpm * _ratio(wanted.pace_hz, heard.pace_hz) / shift, _RATE_LIMITS),
            stretch=stretch,
        )


def calibration_text(language: str) -> str:
    """What espeak says to hear itself."""
    texts = _texts()
    return texts.get(language[:2].lower(), texts["other"])


@cache
def _texts() -> dict[str, str]:
    source = files("agent.engines.voice") / "calibration.toml"
    return {language: str(text) for language, text in tomllib.loads(source.read_text("utf-8")).items()}


def _ratio(a: float | None, b: float | None) -> float:
    """By how much to correct; not at all where either is unknown, and never wildly."""
    return 1.0 if not a or not b else min(max(a / b, 0.5), 2.0)


def _miss(heard: float | None, wanted: float | None) -> float:
    return 0.0 if not heard or not wanted else abs(heard / wanted - 1)


def _clipped(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])
