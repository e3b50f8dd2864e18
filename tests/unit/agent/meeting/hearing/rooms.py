"""Microphones in one room, and what a loudspeaker adds: sound as it arrives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.speech.make import load

RATE_HZ = 16_000
Sound = NDArray[np.float64]


def speech(name: str) -> Sound:
    return np.frombuffer(load(name), np.int16).astype(np.float64)


def in_room(sound: Sound, *, seed: int, decay_s: float = 0.3, direct: float = 1.0) -> Sound:
    """With the echoes of a small room, other ones at each place (`seed`)."""
    chance = np.random.default_rng(seed)
    length = int(decay_s * RATE_HZ)
    tail = chance.normal(size=length) * 10 ** (-3 * np.arange(length) / length)
    tail *= 0.35 / np.sqrt(float(tail @ tail))
    tail[0] += direct
    return np.convolve(sound, tail)


def far(sound: Sound, *, gain: float = 0.3, delay_ms: float = 60.0, noise: float = 20.0, seed: int = 1) -> Sound:
    """The same from further away: fainter, later, and noisier."""
    delayed = np.concatenate([np.zeros(int(delay_ms * RATE_HZ / 1000)), sound * gain])
    return delayed + np.random.default_rng(seed).normal(size=len(delayed)) * noise


def pcm(sound: Sound) -> bytes:
    return np.clip(np.rint(sound), -32_768, 32_767).astype(np.int16).tobytes()
