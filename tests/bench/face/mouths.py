"""Mouths in pictures, by MediaPipe's landmarks, and what they should look like by the phonemes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from avatar.portrait.landmarks import Landmarker
from avatar.portrait.measure import CLOSED, mouth_gap, mouth_width
from avatar.puppet import Rgb
from channels.spoken import Phoneme

Trace = npt.NDArray[np.float64]

STEP_MS = 5.0
_VOWELS = {
    "a": 1.0, "æ": 1.0, "ɑ": 1.0, "ɐ": 0.8, "ʌ": 0.8, "ɒ": 0.9, "ɔ": 0.7, "ɛ": 0.7, "e": 0.6, "ə": 0.45, "ɜ": 0.5,
    "ɚ": 0.4, "o": 0.55, "ɪ": 0.4, "i": 0.35, "ʊ": 0.35, "u": 0.25, "y": 0.25, "ø": 0.4, "œ": 0.5, "ᵻ": 0.4,
}  # fmt: skip
_SHUT = frozenset("pbm")
_NARROW = 0.2


class Mouths:
    """Measures one face after another; the smoothing between frames that video trackers do is left out."""

    def __init__(self, networks: Path) -> None:
        self._landmarker = Landmarker(networks)

    def gap(self, rgb: Rgb) -> float:
        """In eye distances; NaN where no face is found."""
        return self.shape(rgb)[0]

    def shape(self, rgb: Rgb) -> tuple[float, float]:
        """Gap and width, likewise."""
        faces = self._landmarker.find(rgb)
        return (mouth_gap(faces[0]), mouth_width(faces[0])) if faces else (float("nan"), float("nan"))

    def gaps(self, pictures: Sequence[Rgb]) -> Trace:
        return np.array([self.gap(rgb) for rgb in pictures])

    def shapes(self, pictures: Iterable[Rgb]) -> tuple[Trace, Trace]:
        """Gaps and widths."""
        gaps, widths = np.array([self.shape(rgb) for rgb in pictures]).reshape(-1, 2).T
        return gaps, widths


def aperture(phonemes: Sequence[Phoneme], length_ms: float) -> Trace:
    """How open the mouth should be, in steps of `STEP_MS`, by the height of the vowels alone: a step for each
    phoneme, smoothed evenly to both sides, so that it neither leads nor lags."""
    steps = np.zeros(int(length_ms / STEP_MS) + 1)
    for phoneme in phonemes:
        letters = [letter for letter in phoneme.ipa if letter.isalpha()]
        if not letters:
            continue
        open_ = 0.0 if letters[0] in _SHUT else max(_VOWELS.get(letter, _NARROW) for letter in letters)
        steps[int(phoneme.start_ms / STEP_MS) : int(phoneme.end_ms / STEP_MS)] = open_
    kernel = np.hanning(int(120 / STEP_MS) | 1)
    return np.convolve(steps, kernel / kernel.sum(), mode="same")


def lag_ms(measured: Trace, wanted: Trace, limit_ms: float = 200.0) -> tuple[float, float]:
    """By how much `measured` comes after `wanted`, both in steps of `STEP_MS`, and their correlation there.

    The peak of the normalised cross-correlation, refined by a parabola.
    """
    reach = int(limit_ms / STEP_MS)
    scores = []
    for shift in range(-reach, reach + 1):
        a = measured[max(0, shift) : len(measured) + min(0, shift)]
        b = wanted[max(0, -shift) : len(wanted) + min(0, -shift)]
        size = min(len(a), len(b))
        a, b = a[:size] - a[:size].mean(), b[:size] - b[:size].mean()
        scores.append(float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-12)))
    best = int(np.argmax(scores))
    if not 0 < best < len(scores) - 1:
        return (best - reach) * STEP_MS, scores[best]
    left, middle, right = scores[best - 1 : best + 2]
    bend = left - 2 * middle + right
    return (best - reach + (0.5 * (left - right) / bend if bend else 0.0)) * STEP_MS, middle


def sampled(times_ms: Trace, values: Trace, begin_ms: float, end_ms: float) -> Trace:
    """A trace of frames in steps of `STEP_MS`."""
    grid = np.arange(begin_ms, end_ms, STEP_MS)
    known = ~np.isnan(values)
    return np.asarray(np.interp(grid, times_ms[known], values[known]), np.float64)


__all__ = ["CLOSED", "STEP_MS", "Mouths", "Trace", "aperture", "lag_ms", "sampled"]
