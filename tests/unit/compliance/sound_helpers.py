"""Sound for the tests of recordings: samples that say by themselves where they belong."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]


def tone(frames: int, *, hz: float = 440.0, rate_hz: int = 8_000, start: int = 0, level: float = 8_000) -> Samples:
    at = (start + np.arange(frames)) / rate_hz
    return np.rint(level * np.sin(2 * np.pi * hz * at)).astype(np.int16)


def clicks(frames: int, *, every: int, start: int = 0) -> Samples:
    """Silence with a click on every multiple of `every`."""
    samples = np.zeros(frames, np.int16)
    samples[-start % every :: every] = 20_000
    return samples


def click_places(samples: Samples) -> list[int]:
    """Where the clicks are, also after resampling: the loudest sample of each."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 6_000)
    if not len(loud):
        return []
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > 20) + 1)
    return [int(group[np.argmax(np.abs(samples[group].astype(np.int32)))]) for group in groups]
