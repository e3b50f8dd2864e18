"""A voice's spectrum moved towards another's: a short filter that adds no delay. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from persona.voice.shape import BANDS_HZ

Floats = npt.NDArray[np.float64]

LIMIT_DB = 12.0
"""No band is raised or lowered further: what a recording lacks cannot be made up without noise."""
_TAPS = 192
_POINTS = 2048


def difference_db(wanted: Sequence[float | None], have: Sequence[float | None]) -> tuple[float, ...]:
    """What each band lacks, around a mean of zero; nothing where either side does not know."""
    pairs = list(zip(wanted, have, strict=True))
    known = [w - h for w, h in pairs if w is not None and h is not None]
    middle = sum(known) / len(known) if known else 0.0
    return tuple(
        0.0 if w is None or h is None else min(max(w - h - middle, -LIMIT_DB), LIMIT_DB) for w, h in pairs
    )


def minimum_phase(levels_db: Sequence[float], rate_hz: int) -> Floats:
    """The taps of a filter with these levels in the bands of `BANDS_HZ`, of minimum phase: its sound comes at
    once, so that the times of words and phonemes stay true."""
    edges = np.asarray(BANDS_HZ)
    centres = np.sqrt(edges[:-1] * edges[1:])
    hertz = np.fft.rfftfreq(_POINTS, 1 / rate_hz)
    wanted_db = np.interp(np.log(np.maximum(hertz, 1.0)), np.log(centres), np.asarray(levels_db))
    # The real cepstrum folded to positive times is the logarithm of a minimum-phase response.
    cepstrum = np.fft.irfft(wanted_db * np.log(10) / 20, _POINTS)
    folded = np.zeros(_POINTS)
    folded[0], folded[_POINTS // 2] = cepstrum[0], cepstrum[_POINTS // 2]
    folded[1 : _POINTS // 2] = 2 * cepstrum[1 : _POINTS // 2]
    impulse = np.fft.irfft(np.exp(np.fft.rfft(folded)), _POINTS)
    # Cut softly: a hard end would ring.
    return np.asarray(impulse[:_TAPS] * np.append(np.ones(_TAPS // 2), np.hanning(_TAPS)[_TAPS // 2 :]))


class Equaliser:
    """One stream through a filter; as many samples come out as go in, each at its time."""

    def __init__(self, taps: Sequence[float] | Floats) -> None:
        self._taps = np.asarray(taps, np.float64)
        self._before = np.zeros(len(self._taps) - 1)

    def feed(self, samples: npt.NDArray[np.int16]) -> Floats:
        """The next samples, filtered; on the scale of int16, and perhaps beyond it."""
        line = np.concatenate([self._before, samples])
        self._before = line[len(line) - len(self._before) :]
        return np.convolve(line, self._taps, "valid") if len(samples) else np.zeros(0)
