"""Telephone audio for a recogniser that was trained on 16 kHz. Pure numpy, streaming.

A plain resampler leaves the half of the spectrum above 4 kHz empty. A recogniser whose features span it hears
that as a sound of its own and mistakes almost every word; so the band is filled with noise that follows the
loudness of the highest band the telephone does carry, which is roughly what a voice does.
"""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

OUT_HZ = 16000
_TAPS = 129
_ENVELOPE_SAMPLES = 160
_NOISE_SAMPLES = OUT_HZ
BAND_GAIN = 0.1
"""Of the filling, relative to the 1.8-3.6 kHz band."""
FLOOR = 10.0
"""Of white noise, in int16 units: digital silence is another sound no microphone makes."""

Samples = NDArray[np.float64]


def _band(low_hz: float, high_hz: float) -> Samples:
    """A windowed-sinc band pass."""
    n = np.arange(_TAPS) - (_TAPS - 1) / 2
    high = 2 * high_hz / OUT_HZ * np.sinc(2 * high_hz / OUT_HZ * n)
    low = 2 * low_hz / OUT_HZ * np.sinc(2 * low_hz / OUT_HZ * n)
    return np.asarray((high - low) * np.hamming(_TAPS))


class Widened:
    """A stream of int16 mono at a telephone's rate -> int16 mono at 16 kHz, some milliseconds later."""

    def __init__(self, rate_hz: int) -> None:
        self._resampler = soxr.ResampleStream(rate_hz, OUT_HZ, 1, dtype="int16")
        noise = np.random.default_rng(0).normal(0, 1, _NOISE_SAMPLES + _TAPS - 1)  # the same in every run
        high = np.convolve(noise, _band(3600, OUT_HZ / 2), "valid")
        self._high = high / high.std()
        self._white = np.random.default_rng(1).normal(0, FLOOR, _NOISE_SAMPLES)
        self._upper = _band(1800, 3600)
        self._past = np.zeros(_TAPS - 1)
        self._energy = np.zeros(_ENVELOPE_SAMPLES - 1)
        self._at = 0

    def process(self, pcm: bytes) -> bytes:
        """The next piece."""
        samples = self._resampler.resample_chunk(np.frombuffer(pcm, np.int16)).astype(np.float64)
        if not len(samples):
            return b""
        joined = np.concatenate([self._past, samples])
        self._past = joined[-(_TAPS - 1) :]
        upper = np.convolve(joined, self._upper, "valid")
        energy = np.concatenate([self._energy, upper**2])
        self._energy = energy[-(_ENVELOPE_SAMPLES - 1) :]
        envelope = np.sqrt(
            np.maximum(np.convolve(energy, np.full(_ENVELOPE_SAMPLES, 1 / _ENVELOPE_SAMPLES), "valid"), 0)
        )
        where = (self._at + np.arange(len(samples))) % _NOISE_SAMPLES
        self._at += len(samples)
        filled = samples + BAND_GAIN * envelope * self._high[where] + self._white[where]
        return bytes(np.clip(np.rint(filled), -32768, 32767).astype(np.int16).tobytes())
