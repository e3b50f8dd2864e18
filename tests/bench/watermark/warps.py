"""Sound that lasts longer or shorter, and sound that is made anew from a picture of itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

Floats = npt.NDArray[np.float32]

_FRAME_MS, _SEEK_MS = 32, 8
_MELS, _WINDOW, _HOP = 80, 1024, 256


def sped(sound: Floats, rate_hz: int, speed: float) -> Floats:
    """Played so much faster, at another pitch."""
    changed: Floats = soxr.resample(sound, rate_hz * speed, rate_hz).astype(np.float32)
    return changed


def at_tempo(sound: Floats, rate_hz: int, tempo: float) -> Floats:
    """So much faster at the same pitch: WSOLA (Verhelst and Roelands 1993), frames of 32 ms that overlap by half,
    each taken within 8 ms of its place where it goes on best."""
    half = rate_hz * _FRAME_MS // 2000
    seek = rate_hz * _SEEK_MS // 1000
    window = np.hanning(2 * half + 1)[:-1].astype(np.float32)
    padded = np.concatenate([np.zeros(seek, np.float32), sound, np.zeros(4 * half + 2 * seek, np.float32)])
    count = int(len(sound) / tempo / half)
    out = np.zeros((count + 1) * half, np.float32)
    follow = padded[seek : seek + 2 * half]
    for number in range(count):
        ideal = round(number * half * tempo)
        area = padded[ideal : ideal + 2 * seek + 2 * half]
        best = ideal + _likest(area, follow)
        out[number * half : (number + 2) * half] += window * padded[best : best + 2 * half]
        follow = padded[best + half : best + 3 * half]
    return out[: count * half]


def from_mel(sound: Floats, rate_hz: int, rounds: int = 16) -> Floats:
    """Made anew from 80 mel bands of 64 ms, phases guessed (Griffin and Lim 1984): all that a neural vocoder is
    told of a voice, without its network."""
    bank = _mel_bank(rate_hz)
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    power = np.abs(_stft(sound, window)) ** 2
    weights = bank / bank.sum(axis=1, keepdims=True).clip(1e-9)
    heard = power @ weights.T
    magnitude = np.sqrt((heard @ (bank / bank.sum(axis=0, keepdims=True).clip(1e-9))).clip(0)).astype(np.float32)
    phase = np.exp(2j * np.pi * np.random.default_rng(0).random(magnitude.shape))
    for _ in range(rounds):
        again = _stft(_istft(magnitude * phase, window, len(sound)), window)
        phase = again / np.maximum(np.abs(again), 1e-9)
    return _istft(magnitude * phase, window, len(sound))


def _likest(area: Floats, piece: Floats) -> int:
    """Where in `area` the piece is found, by normalised correlation."""
    if not piece.any():
        return (len(area) - len(piece)) // 2
    products = np.correlate(area, piece, "valid")
    sums = np.concatenate([[0.0], np.cumsum(np.square(area, dtype=np.float64))])
    energies = sums[len(piece) :] - sums[: -len(piece)]
    return int(np.argmax(products / np.sqrt(energies + 1e-6)))


def _mel_bank(rate_hz: int) -> npt.NDArray[np.float64]:
    """Triangles, a row per band (O'Shaughnessy's formula)."""
    top = 2595 * np.log10(1 + rate_hz / 2 / 700)
    edges_hz = 700 * (10 ** (np.linspace(0, top, _MELS + 2) / 2595) - 1)
    bins_hz = np.arange(_WINDOW // 2 + 1) * rate_hz / _WINDOW
    rising = (bins_hz - edges_hz[:-2, None]) / (edges_hz[1:-1] - edges_hz[:-2])[:, None]
    falling = (edges_hz[2:, None] - bins_hz) / (edges_hz[2:] - edges_hz[1:-1])[:, None]
    bank: npt.NDArray[np.float64] = np.clip(np.minimum(rising, falling), 0, None)
    return bank


def _stft(sound: Floats, window: Floats) -> npt.NDArray[np.complex128]:
    padded = np.concatenate([np.zeros(_WINDOW, np.float32), sound, np.zeros(2 * _WINDOW, np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    return np.fft.rfft(frames * window, axis=1)


def _istft(spectra: npt.NDArray[np.complex128], window: Floats, samples: int) -> Floats:
    frames = np.fft.irfft(spectra, _WINDOW, axis=1) * window
    out = np.zeros((len(frames) - 1) * _HOP + _WINDOW)
    weight = np.full_like(out, 1e-6)
    for number, frame in enumerate(frames):
        out[number * _HOP : number * _HOP + _WINDOW] += frame
        weight[number * _HOP : number * _HOP + _WINDOW] += window**2
    whole: Floats = (out / weight)[_WINDOW : _WINDOW + samples].astype(np.float32)
    return whole
