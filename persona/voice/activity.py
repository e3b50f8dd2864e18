"""When somebody speaks in a recording, by its levels. Pure; for sound that is there whole, not for a call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persona.voice.sound import Samples

ANALYSIS_HZ = 16_000
HOP_S = 0.010
WINDOW_S = 0.025
_BAND_HZ = (150.0, 4_000.0)
_ABOVE_FLOOR_DB = 8.0
_BELOW_PEAK_DB = 38.0
_LEAST_CONTRAST_DB = 6.0
_JOIN_S = 0.15
"""A gap that is shorter belongs to a word: a plosive is one."""
_CLICK_S = 0.06
"""A sound that is shorter is none of speech."""
_TINY = 1e-12

Levels = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Activity:
    """Frames of `HOP_S`."""

    level_db: Levels
    """Power in the band of speech, by frame."""
    active: Mask
    """Which frames hold speech."""

    @property
    def speech_s(self) -> float:
        return float(self.active.sum()) * HOP_S

    @property
    def floor_db(self) -> float:
        """What sounds between the words: the noise. The quietest of all frames when there is no pause."""
        pauses = self.level_db[~self.active]
        enough = len(pauses) >= max(10, 0.03 * len(self.level_db))
        # The middle of the pauses holds breath and the ends of words; the noise is below it.
        return float(np.percentile(pauses, 25) if enough else np.percentile(self.level_db, 2))

    @property
    def speech_db(self) -> float:
        """Mean power of what is spoken."""
        spoken = self.level_db[self.active]
        return float(10 * np.log10(np.mean(10 ** (spoken / 10)))) if len(spoken) else -120.0

    def stretches(self) -> list[tuple[int, int]]:
        """Where speech is, as (first frame, frame after the last)."""
        return runs(self.active)


def frames_of(samples: Samples, window: int, hop: int) -> Samples:
    """Overlapping frames as (frames, window), without copying; at least one."""
    if len(samples) < window:
        samples = np.pad(samples, (0, window - len(samples)))
    return np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]


def activity(samples: Samples) -> Activity:
    """Of mono sound at `ANALYSIS_HZ`."""
    window, hop = int(WINDOW_S * ANALYSIS_HZ), int(HOP_S * ANALYSIS_HZ)
    spectrum_hz = np.fft.rfftfreq(512, 1 / ANALYSIS_HZ)
    band = (spectrum_hz >= _BAND_HZ[0]) & (spectrum_hz <= _BAND_HZ[1])
    taper = np.hanning(window).astype(np.float32)
    powers = []
    frames = frames_of(samples, window, hop)
    # In pieces: half an hour at once is a gigabyte of spectra.
    for start in range(0, len(frames), 10_000):
        spectra = np.abs(np.fft.rfft(frames[start : start + 10_000] * taper, 512)[:, band]) ** 2
        powers.append(spectra.sum(axis=1) / (512 * float(np.square(taper).sum())))
    level_db = 10 * np.log10(np.concatenate(powers).astype(np.float64) + _TINY)
    return Activity(level_db, _speech(level_db))


def _speech(level_db: Levels) -> Mask:
    floor, peak = float(np.percentile(level_db, 5)), float(np.percentile(level_db, 97))
    threshold = max(floor + _ABOVE_FLOOR_DB, peak - _BELOW_PEAK_DB)
    if peak - floor < _LEAST_CONTRAST_DB:
        # A hum or a hiss all along: nothing stands out of it.
        return np.zeros(len(level_db), bool)
    active = level_db > min(threshold, peak - _LEAST_CONTRAST_DB / 2)
    for first, after in runs(~active):
        if (after - first) * HOP_S < _JOIN_S and first > 0 and after < len(active):
            active[first:after] = True
    for first, after in runs(active):
        if (after - first) * HOP_S < _CLICK_S:
            active[first:after] = False
    return active


def runs(mask: Mask) -> list[tuple[int, int]]:
    """Where a mask is true, as (first, after the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return [(int(first), int(after)) for first, after in edges.reshape(-1, 2)]
