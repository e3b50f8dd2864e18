"""How loud a sound is, and whether two microphones caught the same one. Pure.

Loudness and rhythm do not tell: any two short words rise and fall alike. The phases do: what comes from one mouth
has one delay between two microphones at every frequency (generalised cross-correlation with phase transform, Knapp
and Carter, 1976), and what comes from two mouths has none.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SAME = 0.135
"""From here on a second of it is one sound; of less, chance needs more, as its root. Of real speech, a second
each: two mouths had at most 0.084, one mouth in two microphones of a room 0.21 in 95 cases of 100, and in one far
away in an echoing room 0.135."""
LEAST_MS = 400
"""Less sound than that tells nothing."""
LOWEST_HZ, HIGHEST_HZ = 200, 3_800
STEP_MS = 20
FLOOR_DBFS = -90.0


def loudness_dbfs(pcm: bytes, rate_hz: int) -> float:
    """Of its louder quarter, which is speech even where half of it is pauses."""
    size = rate_hz * STEP_MS // 1000
    samples = np.frombuffer(pcm, np.int16, len(pcm) // 2 // size * size).reshape(-1, size)
    if not len(samples):
        return FLOOR_DBFS
    power = np.einsum("ij,ij->i", samples, samples, dtype=np.float32, casting="unsafe") / (size * 32_768.0**2)
    return max(FLOOR_DBFS, 10 * math.log10(max(float(np.quantile(power, 0.75)), 1e-12)))


def is_same(mine: bytes, theirs: bytes, rate_hz: int) -> bool:
    """Whether some of `theirs` is `mine` again."""
    seconds = len(mine) / 2 / rate_hz
    return seconds > 0 and sameness(mine, theirs, rate_hz) >= SAME / math.sqrt(seconds)


def sameness(mine: bytes, theirs: bytes, rate_hz: int) -> float:
    """0 to 1: how surely some of `theirs` is `mine` again, at whatever delay."""
    if min(len(mine), len(theirs)) < rate_hz * LEAST_MS // 500:
        return 0.0
    one, other = (np.frombuffer(pcm, np.int16).astype(np.float32) for pcm in (mine, theirs))
    size = 1 << (len(one) + len(other) - 1).bit_length()
    cross = np.fft.rfft(one, size) * np.conj(np.fft.rfft(other, size))
    hz = np.arange(len(cross)) * (rate_hz / size)
    voice = (hz >= LOWEST_HZ) & (hz <= HIGHEST_HZ)
    peak = float(np.abs(np.fft.irfft(_phases(cross, voice), size)).max())
    return peak * size / (2 * int(voice.sum()))


def _phases(cross: NDArray[np.complexfloating], where: NDArray[np.bool_]) -> NDArray[np.complexfloating]:
    strength = np.abs(cross)
    faintest = max(1e-9 * float(strength.max()), 1e-9)
    return np.asarray(np.where(where, cross / np.maximum(strength, faintest), 0))
