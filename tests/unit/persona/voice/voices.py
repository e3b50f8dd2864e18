"""Voices for the tests: the callers' own recordings, and what a room, a fan or a telephone makes of them."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from persona.voice.sound import Samples, Sound, joined, read
from tests.speech.make import TABLE, path

RATE_HZ = 16_000
ROOT = Path(__file__).parents[4]


def owner() -> Sound:
    """About half a minute of one voice."""
    return joined([read(path(name)) for name in TABLE], RATE_HZ)


def another() -> Sound:
    """The same words by a larger body: lower, and darker."""
    voice = owner()
    deeper = Sound(voice.samples, RATE_HZ).at(int(RATE_HZ * 1.3))
    return Sound(deeper.samples, RATE_HZ)


def assets() -> Path:
    """Real speech, where there is any; otherwise the test is skipped."""
    folder = Path(os.environ.get("TWIN_TEST_ASSETS", ROOT.parent / "shared" / "assets"))
    if not folder.is_dir():
        pytest.skip("needs real speech: set TWIN_TEST_ASSETS")
    return folder


def speakers() -> dict[str, Sound]:
    """A minute or more of each speaker of LibriSpeech."""
    found: dict[str, list[Sound]] = defaultdict(list)
    for file in sorted((assets() / "speech" / "librispeech").glob("*.flac")):
        found[file.name.split("-")[0]].append(read(file))
    return {speaker: joined(sounds, RATE_HZ) for speaker, sounds in found.items()}


def part(sound: Sound, first_s: float, after_s: float) -> Sound:
    """A piece of it."""
    return Sound(sound.samples[int(first_s * sound.rate_hz) : int(after_s * sound.rate_hz)], sound.rate_hz)


def in_a_room(sound: Sound, *, echo_s: float) -> Sound:
    """Far from the microphone in a room whose echo takes so long to fall by 60 dB."""
    chance = np.random.default_rng(5)
    times = np.arange(int(echo_s * 1.2 * sound.rate_hz)) / sound.rate_hz
    room = chance.standard_normal(len(times)) * 10 ** (-3 * times / echo_s)
    room[: int(0.003 * sound.rate_hz)] = 0
    room /= np.sqrt(np.square(room).sum())
    room[0] = 1.0
    return Sound(_convolved(sound.samples, room), sound.rate_hz)


def with_noise(sound: Sound, *, snr_db: float) -> Sound:
    """With white noise, so far below the speech."""
    loud = sound.samples[np.abs(sound.samples) > 0.01]
    level = float(np.sqrt(np.mean(np.square(loud)) / 10 ** (snr_db / 10)))
    noise = np.random.default_rng(5).standard_normal(len(sound.samples)) * level
    return Sound((sound.samples + noise).astype(np.float32), sound.rate_hz)


def overdriven(sound: Sound, *, share: float) -> Sound:
    """With so much of it beyond what the converter takes."""
    edge = float(np.quantile(np.abs(sound.samples), 1 - share))
    return Sound(np.clip(sound.samples, -edge, edge), sound.rate_hz)


def by_telephone(sound: Sound) -> Sound:
    """In the band of a call, at the rate that it had before."""
    return sound.at(8_000).at(sound.rate_hz)


def _convolved(samples: Samples, room: np.ndarray) -> Samples:
    size = 1 << (len(samples) + len(room)).bit_length()
    spectrum = np.fft.rfft(samples, size) * np.fft.rfft(room, size)
    return np.fft.irfft(spectrum, size)[: len(samples)].astype(np.float32)
