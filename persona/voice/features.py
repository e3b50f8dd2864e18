"""What a voice is told by: mel spectrum, cepstrum (MFCC) and pitch, in numpy. Pure.

The front end is librosa's by default parameters (Slaney's mel scale and norm, orthonormal DCT, 80 dB of range),
since speaker models that are to be had were trained on it.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from persona.voice.activity import ANALYSIS_HZ, HOP_S, frames_of
from persona.voice.sound import Samples

Matrix = NDArray[np.float64]

PITCH_HZ = (60.0, 420.0)
_VOICED = 0.55
"""Least normalised autocorrelation of a voiced frame."""
_OCTAVE_COST = 0.02
_PITCH_WINDOW_S = 0.048
_PIECE = 4_096
_TOP_DB = 80.0


def mel_db(
    samples: Samples,
    *,
    bands: int,
    top_hz: float,
    fft: int = 512,
    window: int = 400,
    hop: int = 160,
) -> Matrix:
    """Mel spectrum in dB of sound at `ANALYSIS_HZ`, as (frames, bands), centred on every `hop`-th sample."""
    padded = np.pad(samples, fft // 2)
    taper = np.zeros(fft)
    begin = (fft - window) // 2
    taper[begin : begin + window] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    filters = mel_filters(fft, bands, top_hz)
    frames = frames_of(padded, fft, hop)
    pieces = []
    for start in range(0, len(frames), _PIECE):
        power = np.abs(np.fft.rfft(frames[start : start + _PIECE] * taper)) ** 2
        pieces.append(power @ filters.T)
    decibels = 10 * np.log10(np.maximum(np.concatenate(pieces), 1e-10))
    return np.asarray(np.maximum(decibels, decibels.max() - _TOP_DB), np.float64)


def cepstrum(mel: Matrix, coefficients: int) -> Matrix:
    """MFCC of a mel spectrum in dB, as (frames, coefficients)."""
    return mel @ _dct(mel.shape[1], coefficients).T


def pitches_hz(samples: Samples) -> Matrix:
    """The pitch of each frame of `HOP_S` of sound at `ANALYSIS_HZ`; 0 where nothing is voiced."""
    rate_hz, hop = ANALYSIS_HZ // 2, int(HOP_S * ANALYSIS_HZ) // 2
    # Half the rate is enough for pitch; a mean of neighbours is filter enough below 4 kHz of speech.
    even = samples[: len(samples) // 2 * 2].reshape(-1, 2).mean(axis=1)
    window = int(_PITCH_WINDOW_S * rate_hz)
    frames = frames_of(even.astype(np.float32), window, hop)
    found = [_pitch(frames[start : start + _PIECE], rate_hz) for start in range(0, len(frames), _PIECE)]
    return np.concatenate(found)


def _pitch(frames: Samples, rate_hz: int) -> Matrix:
    window = frames.shape[1]
    size = 1 << (2 * window - 1).bit_length()
    taper = np.hanning(window)
    centred = (frames - frames.mean(axis=1, keepdims=True)) * taper
    spectra = np.abs(np.fft.rfft(centred, size)) ** 2
    raw = np.fft.irfft(spectra)[:, :window]
    own = np.fft.irfft(np.abs(np.fft.rfft(taper, size)) ** 2)[:window]
    # Divided by the window's own autocorrelation, so that long periods are not at a disadvantage (Boersma 1993).
    normal = raw / np.maximum(raw[:, :1], 1e-9) / np.maximum(own / own[0], 1e-3)
    first, last = int(rate_hz / PITCH_HZ[1]), int(rate_hz / PITCH_HZ[0])
    lags = np.arange(first, last)
    inner = normal[:, first:last]
    peaks = (inner > normal[:, first - 1 : last - 1]) & (inner >= normal[:, first + 1 : last + 1])
    # Multiples of the period fit as well as the period does; the shortest one is meant.
    score = np.where(peaks, inner - _OCTAVE_COST * np.log2(lags / first), -1.0)
    best = score.argmax(axis=1)
    rows = np.arange(len(frames))
    voiced = (score[rows, best] > -1) & (inner[rows, best] > _VOICED)
    return np.where(voiced, rate_hz / lags[best], 0.0)


@cache
def mel_filters(fft: int, bands: int, top_hz: float) -> Matrix:
    """Triangles of equal area on Slaney's mel scale, as (bands, bins) for `ANALYSIS_HZ`."""
    edges = _hz(np.linspace(0.0, _mel(top_hz), bands + 2))
    bins = np.fft.rfftfreq(fft, 1 / ANALYSIS_HZ)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    filters: Matrix = triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return filters


def _mel(hz: float) -> float:
    return hz / (200 / 3) if hz < 1_000 else 15 + float(np.log(hz / 1_000)) / (np.log(6.4) / 27)


def _hz(mel: Matrix) -> Matrix:
    return np.where(mel < 15, mel * (200 / 3), 1_000 * np.exp((mel - 15) * np.log(6.4) / 27))


@cache
def _dct(bands: int, coefficients: int) -> Matrix:
    k, n = np.arange(coefficients)[:, None], np.arange(bands)[None, :]
    basis = np.cos(np.pi * k * (2 * n + 1) / (2 * bands)) * np.sqrt(2 / bands)
    basis[0] /= np.sqrt(2)
    return np.asarray(basis)
