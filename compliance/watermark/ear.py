"""What a recording tells about every cell: a number above 0 where it seems louder than its surroundings.

The loudness of the bands over time, and that of quarters of them, seen through a longer window that tells the
voice's harmonics apart, go through a small convolutional network. It was taught, on marked speech after telephones
and codecs, to tell a cell's gain from the voice itself. It knows no key and no pattern, so whatever it answers,
`chance.py` holds: a bad answer costs detections, never a false alarm.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from compliance.errors import WatermarkError
from compliance.watermark.layout import BANDS, HIGH_HZ, LOW_HZ, SLOT_MS, band_shapes

RATE_HZ = 8_000
HOP = 64
"""8 ms: the grid on which slots are looked for."""
WINDOW = 192
_SIZE = 256
_FINE_WINDOW = 384
_FINE_SIZE = 512
QUARTERS = 4
FRAMES_PER_SLOT = SLOT_MS * RATE_HZ // 1000 // HOP
_CHUNK = 1_500
"""Frames that are listened to at once: what is loud is judged within 12 s."""
_CONTEXT = 12
_FLOOR_DB = 60.0
_FAINTEST_DB = -80.0
_NOISE_PERCENT = 10
_CLEAR = 3.0
"""30 dB above the noise there is nothing left to doubt."""
QUIET = -(_FLOOR_DB - 5) / 10
"""Frames below are taken for silence: 55 dB under the loudest."""
WEIGHTS = Path(__file__).with_name("ear.npz")

Evidence = NDArray[np.float32]
Power = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spectra:
    """The power spectra of a stretch of frames; the frames around it are there too, for what lies at its ends."""

    coarse: Power
    """Through a window of 24 ms."""
    fine: Power
    """Through one of 48 ms with the same middle."""
    first: int
    """Which of these frames is the first of the stretch."""
    frames: int


def frames_of(sound: NDArray[np.float32]) -> int:
    """How many frames sound at 8 kHz has; frame n begins at sample 64 n."""
    return max(0, (len(sound) - WINDOW) // HOP + 1)


def spectra(sound: NDArray[np.float32], first: int, last: int) -> Spectra:
    """Of the frames from `first` to before `last`, of float32 sound at 8 kHz."""
    begin, end = max(0, first - _CONTEXT), min(last + _CONTEXT, frames_of(sound))
    around = (_FINE_WINDOW - WINDOW) // 2
    low, high = begin * HOP - around, (end - 1) * HOP + WINDOW + around
    wide = np.pad(sound[max(0, low) : high], (max(0, -low), max(0, high - len(sound))))
    coarse = _power(wide[around : len(wide) - around], WINDOW, _SIZE)
    return Spectra(coarse, _power(wide, _FINE_WINDOW, _FINE_SIZE), first - begin, last - first)


def _power(sound: NDArray[np.float32], window: int, size: int) -> Power:
    pieces = np.lib.stride_tricks.sliding_window_view(sound, window)[::HOP]
    spectra = np.fft.rfft(pieces * np.hanning(window + 2)[1:-1].astype(np.float32), size)
    found: Power = (spectra.real**2 + spectra.imag**2).astype(np.float32)
    return found


def listen(sound: NDArray[np.float32]) -> Evidence:
    """The evidence of every frame and band of sound at 8 kHz; shape (frames, BANDS)."""
    frames = frames_of(sound)
    found = np.zeros((frames, BANDS), dtype=np.float32)
    for first in range(0, frames, _CHUNK):
        last = min(first + _CHUNK, frames)
        found[first:last] = tell(spectra(sound, first, last))
    return found


def tell(heard: Spectra, pitch: float = 1.0) -> Evidence:
    """The evidence of a stretch, of 12 s at most; `pitch` is how much higher than spoken it is played."""
    return _net()(maps(heard, round(pitch, 4)))[heard.first : heard.first + heard.frames]


def maps(heard: Spectra, pitch: float) -> NDArray[np.float32]:
    """What the network is given; shape (frames, BANDS, 3 + QUARTERS).

    Bands against their mean, as they are, and above the noise; and quarters of bands against their means.
    """
    bands, quarters = _shapes(pitch)
    whole = _levels(heard.coarse @ bands)
    parts = _levels(heard.fine @ quarters)
    parts -= parts.mean(axis=0)
    quartered = parts.reshape(len(whole), BANDS, QUARTERS)
    # What is hardly above the noise of its band tells little of a gain: the noise has none.
    above = np.minimum(whole - np.percentile(whole, _NOISE_PERCENT, axis=0).astype(np.float32), _CLEAR)
    bare = (whole - whole.mean(axis=0), whole, above)
    return np.concatenate((np.stack(bare, axis=-1), quartered), axis=-1)


def _levels(energies: Power) -> NDArray[np.float32]:
    """Tens of decibels below the loudest of the surroundings."""
    # So little that digital silence is below the floor wherever it stands.
    decibels = 10 * np.log10(energies + np.float32(10 ** ((_FAINTEST_DB - _FLOOR_DB) / 10)))
    # Below the floor it is not sound but what a codec makes of none.
    top = max(float(np.percentile(decibels.max(axis=1), 95)), _FAINTEST_DB)
    found: NDArray[np.float32] = (np.clip(decibels - top, -_FLOOR_DB, 10.0) / 10).astype(np.float32)
    return found


@lru_cache(maxsize=64)
def _shapes(pitch: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How much bands, and quarters of bands, have of each bin of the two spectra."""
    bands = band_shapes(np.fft.rfftfreq(_SIZE, 1 / RATE_HZ) / pitch).T
    edges, width = np.linspace(LOW_HZ, HIGH_HZ, BANDS * QUARTERS + 1, retstep=True)
    fine = np.fft.rfftfreq(_FINE_SIZE, 1 / RATE_HZ) / pitch
    quarters = np.clip(1 - np.abs(fine[:, None] - (edges[:-1] + width / 2)) / width, 0, 1)
    return np.ascontiguousarray(bands, dtype=np.float32), np.ascontiguousarray(quarters, dtype=np.float32)


class _Net:
    """Convolutions over (frame, band), with ReLU between; the last one gives the evidence."""

    def __init__(self, layers: list[tuple[NDArray[np.float32], NDArray[np.float32]]]) -> None:
        """Each layer: weights (out, in, frames, bands), odd numbers of the last two, and biases (out,)."""
        self._layers = layers

    def __call__(self, maps: NDArray[np.float32]) -> Evidence:
        """`maps` is (frames, BANDS, channels); the answer (frames, BANDS)."""
        loudest = maps[..., 1].max(axis=1, keepdims=True)
        for number, (weights, biases) in enumerate(self._layers):
            maps = _convolved(maps, weights) + biases
            if number < len(self._layers) - 1:
                maps = np.maximum(maps, 0)
        # Where nothing sounds there is nothing to tell, and a constant answer would only be in the way.
        answer: Evidence = maps[..., 0] * (loudest > QUIET)
        return answer


def _convolved(maps: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    out, _, frames, bands = weights.shape
    padded = np.pad(maps, ((frames // 2, frames // 2), (bands // 2, bands // 2), (0, 0)))
    total = np.zeros((*maps.shape[:2], out), dtype=np.float32)
    # One matrix product per row of the kernel: less memory than all of the neighbourhood at once.
    across = np.lib.stride_tricks.sliding_window_view(padded, bands, axis=1)
    flat = np.ascontiguousarray(across).reshape(len(padded), maps.shape[1], -1)
    for frame in range(frames):
        kernel = weights[:, :, frame, :].reshape(out, -1).T
        total += flat[frame : frame + len(maps)] @ kernel
    return total


@lru_cache(maxsize=1)
def _net() -> _Net:
    try:
        with WEIGHTS.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return _Net([(stored[f"w{n}"], stored[f"b{n}"]) for n in range(len(stored.files) // 2)])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise WatermarkError(f"{WEIGHTS.name} is missing or damaged; install the program again.") from error
