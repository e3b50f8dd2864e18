"""How a voice sounds in the long term, without a model: how its spectrum lies and varies, and its pitch. Pure.

Two pieces are compared by the Bhattacharyya distance of their cepstra, once without the means (which a microphone
shifts) and once with means and pitch; the farther one counts. Tells different voices in similar conditions apart;
it proves nothing against somebody who imitates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from persona.voice.activity import HOP_S, activity
from persona.voice.features import Matrix, cepstrum, mel_db, pitches_hz
from persona.voice.sound import Samples

LEAST_SPEECH_S = 2.0
_COEFFICIENTS, _BANDS, _TOP_HZ = 16, 26, 6_000.0
_SMOOTH = 1e-3
_BIAS_S = 1.2
"""What the shape of a piece seems to differ by because it is short: so much over its seconds of speech."""
_SHAPE_LIMIT = 0.25
_WHOLE_LIMIT = 0.75
_MEAN_WEIGHT, _PITCH_WEIGHT = 1 / 8, 1 / 2


@dataclass(frozen=True, slots=True)
class Frames:
    """What is spoken in a piece, frame by frame; the pauses are left out."""

    cepstra: Matrix
    """(frames, coefficients), without the loudness."""
    pitches_hz: Matrix
    """By frame; 0 where nothing is voiced."""

    @property
    def speech_s(self) -> float:
        return len(self.cepstra) * HOP_S

    def __getitem__(self, which: slice | np.ndarray) -> Frames:
        return Frames(self.cepstra[which], self.pitches_hz[which])


@dataclass(frozen=True, slots=True)
class Timbre:
    """A piece's voice in numbers."""

    mean: Matrix
    covariance: Matrix
    octaves: float | None
    """The middle of its pitch, as the logarithm to the base of 2; None when nothing was voiced."""
    speech_s: float


def frames_in(samples: Samples) -> Frames:
    """The spoken frames of sound at `ANALYSIS_HZ`."""
    active = activity(samples).active
    cepstra = cepstrum(mel_db(samples, bands=_BANDS, top_hz=_TOP_HZ), _COEFFICIENTS + 1)[:, 1:]
    pitch = pitches_hz(samples)
    count = min(len(active), len(cepstra), len(pitch))
    spoken = active[:count]
    return Frames(cepstra[:count][spoken], pitch[:count][spoken])


def timbre(frames: Frames) -> Timbre | None:
    """None when there is too little speech to say."""
    if frames.speech_s < LEAST_SPEECH_S:
        return None
    covariance = np.cov(frames.cepstra.T) + np.eye(_COEFFICIENTS) * _SMOOTH
    return Timbre(frames.cepstra.mean(axis=0), covariance, octaves(frames.pitches_hz), frames.speech_s)


def octaves(pitches: Matrix) -> float | None:
    """The middle pitch as a logarithm; None without any."""
    voiced = pitches[pitches > 0]
    return float(np.log2(np.median(voiced))) if len(voiced) else None


def distance(one: Timbre, other: Timbre) -> float:
    """0 or less for one and the same voice; from 1 on they count as different ones."""
    middle = (one.covariance + other.covariance) / 2
    shape = 0.5 * (_logdet(middle) - 0.5 * (_logdet(one.covariance) + _logdet(other.covariance)))
    shape -= _BIAS_S * (1 / one.speech_s + 1 / other.speech_s)
    apart = one.mean - other.mean
    means = float(apart @ np.linalg.solve(middle, apart))
    pitch = 0.0 if one.octaves is None or other.octaves is None else abs(one.octaves - other.octaves)
    return max(shape / _SHAPE_LIMIT, (shape + _MEAN_WEIGHT * means + _PITCH_WEIGHT * pitch) / _WHOLE_LIMIT)


def _logdet(matrix: Matrix) -> float:
    return float(np.linalg.slogdet(matrix)[1])
