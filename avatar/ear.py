"""Phones guessed from sound alone, for speech that comes without any: a fallback, and it is used as no more.

Each 10 ms are silence, a hiss, a hum or a vowel by their level and the shape of their spectrum; vowels are told
apart by where their energy lies, open from close and front from rounded. Closures are what mouths are judged
by: a short silence is a stop and a deep hum a voiced one, closed at the lips when its burst is dull; a hum that
also sounds around 1 kHz is an m, where other nasals have nothing.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from avatar.timeline import Phone

HOP_MS = 10
_WINDOW_MS = 20
_BANDS_HZ = (60, 500, 900, 1400, 2100, 3200, 5_000, 12_000)
"""The edges of the bands whose energies are compared."""
_SILENT_DBFS = -52.0
_BELOW_LOUD_DB = 32.0
_HUM_BELOW_DB = 5.0
_VOICED_STOP_BELOW_DB = 13.0
_DULL = 0.05
"""The share of a burst above 3.2 kHz, at most, that tells the lips from the tongue."""
_WEAK_DB = 18.0
"""A hiss that far below the sounds beside it comes from lip and teeth."""
_HUSH = 0.48
"""The share above 5 kHz that a hush stays under and a hiss passes."""
_BRIGHT = 5
"""The first of the bands above 3.2 kHz."""
_LONGEST_STOP = 13
"""In hops; a longer silence is a pause."""

Floats = npt.NDArray[np.float64]
_PAUSE, _HUM = "", "~"


class Ear:
    """One utterance. `hear` it piece by piece."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._hop = rate_hz * HOP_MS // 1000
        self._window = np.hanning(rate_hz * _WINDOW_MS // 1000 + 2)[1:-1]
        bins_hz = np.fft.rfftfreq(len(self._window), 1 / rate_hz)
        edges = np.searchsorted(bins_hz, _BANDS_HZ)
        self._bands = np.zeros((len(bins_hz), len(_BANDS_HZ) - 1))
        for band, (low, high) in enumerate(pairwise(edges)):
            self._bands[low:high, band] = 1.0
        self._loud_dbfs = -25.0

    def hear(self, pcm: bytes, start_ms: float) -> list[Phone]:
        """The phones of a piece that begins at `start_ms` of its utterance; int16 mono."""
        samples = np.frombuffer(pcm[: len(pcm) & ~1], np.int16) / 32768
        count = len(samples) // self._hop
        if not count:
            return []
        energies = self._energies(samples, count)
        level_dbfs = 10 * np.log10(energies.sum(1) + 1e-10)
        self._loud_dbfs = max(self._loud_dbfs - 0.02 * count, float(level_dbfs.max()), -45.0)
        labels = self._labels(energies, level_dbfs)
        _stops(labels, energies)
        _hums(labels, energies, level_dbfs)
        return _runs(labels, start_ms)

    def _energies(self, samples: Floats, count: int) -> Floats:
        """Shape (count, bands): the power in each band around each hop."""
        size = len(self._window)
        padded = np.concatenate((np.zeros((size - self._hop) // 2), samples, np.zeros(size)))
        frames = np.lib.stride_tricks.sliding_window_view(padded, size)[:: self._hop][:count]
        spectra = np.abs(np.fft.rfft(frames * self._window, axis=1)) ** 2
        energies: Floats = spectra @ self._bands * (2 / size / float((self._window**2).sum()))
        return energies

    def _labels(self, energies: Floats, level_dbfs: Floats) -> list[str]:
        whole = energies.sum(1) + 1e-12
        low, f1, low2, mid, front, bright, high = (energies / whole[:, None]).T
        silent = level_dbfs < max(_SILENT_DBFS, self._loud_dbfs - _BELOW_LOUD_DB)
        hiss = bright + high > 0.45
        around = np.array([level_dbfs[max(0, i - 8) : i + 9].max() for i in range(len(level_dbfs))])
        hum = (low + low2 > 0.92) & (level_dbfs < around - _HUM_BELOW_DB) & (f1 < 0.05)
        labels = []
        for i in range(len(level_dbfs)):
            if silent[i]:
                labels.append(_PAUSE)
            elif hiss[i]:
                weak = level_dbfs[i] < around[i] - _WEAK_DB
                labels.append("f" if weak else "ʃ" if high[i] < _HUSH else "s")
            elif hum[i]:
                labels.append(_HUM)
            else:
                labels.append(_vowel(low[i], f1[i], low2[i], mid[i], front[i]))
        return labels


def _vowel(low: float, f1: float, low2: float, mid: float, front: float) -> str:
    """Open vowels have little under 500 Hz, front ones much above 1.4 kHz, rounded ones hardly anything there.

    The shares of the energy in the bands of `_BANDS_HZ`; the bounds lie between the means of espeak-ng's vowels.
    """
    if mid + front > 0.12:
        if low > 0.7:
            return "i"
        if mid > 7 * front:
            return "a" if low < 0.2 else "ə"
        return "ɛ"
    if f1 + low2 > 0.45:
        return "o" if low2 < 0.14 else "ɔ" if low2 < 0.22 else "a"
    if mid + front < 0.015:
        return "u" if low > 0.85 else "o"
    return "ɪ" if low > 0.85 else "ə"


def _stretches(labels: list[str], label: str) -> list[tuple[int, int]]:
    """Where a label stands without a break: the first hop and the one after the last."""
    edges = np.flatnonzero(np.diff([0, *(one == label for one in labels), 0]))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def _dull(energies: Floats, burst: int) -> bool:
    """Whether the sound that begins at this hop begins without the brightness of a tongue's release."""
    around = energies[max(0, burst - 1) : burst + 2]
    return len(around) > 0 and float(around[:, _BRIGHT:].sum(1).max()) < _DULL * float(around.sum(1).max())


def _stops(labels: list[str], energies: Floats) -> None:
    """Give short silences between sounds the name of a stop, by the burst after them; in place."""
    for begin, end in _stretches(labels, _PAUSE):
        if begin > 0 and end < len(labels) and 2 <= end - begin <= _LONGEST_STOP:
            labels[begin:end] = ["p" if _dull(energies, end) else "t"] * (end - begin)


def _hums(labels: list[str], energies: Floats, level_dbfs: Floats) -> None:
    """Tell an m from other nasals, and voiced stops by their bursts; in place."""
    for begin, end in _stretches(labels, _HUM):
        low2, mid = energies[begin:end, 2].mean(), energies[begin:end, 3].mean()
        beside = float(level_dbfs[max(0, begin - 8) : end + 8].max())
        if low2 > 4 * mid and low2 > 0.03 * energies[begin:end].sum(1).mean():
            sound = "m"
        elif float(np.median(level_dbfs[begin:end])) < beside - _VOICED_STOP_BELOW_DB:
            sound = "b" if _dull(energies, end) else "d"
        else:
            sound = "n"
        labels[begin:end] = [sound] * (end - begin)


def _runs(labels: list[str], start_ms: float) -> list[Phone]:
    """Stretches of one label as phones; a single hop among others is taken for one of them."""
    for i in range(1, len(labels) - 1):
        if labels[i - 1] == labels[i + 1] != labels[i]:
            labels[i] = labels[i - 1]
    phones: list[Phone] = []
    begin = 0
    for end in range(1, len(labels) + 1):
        if end == len(labels) or labels[end] != labels[begin]:
            if labels[begin]:
                phones.append(Phone(labels[begin], start_ms + begin * HOP_MS, start_ms + end * HOP_MS))
            begin = end
    return phones
