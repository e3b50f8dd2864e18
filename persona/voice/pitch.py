"""The pitch of a voice over time: YIN with a best path, robust against errors of an octave. Pure, numpy only.

Frames are rows of samples; de Cheveigné and Kawahara, 2002.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_LOWEST_HZ, _HIGHEST_HZ = 55.0, 560.0
_PERIODIC, _VOICED = 0.25, 0.4
"""YIN's measure below which a frame's pitch is sure, and below which it is voiced; 0 is perfectly periodic."""
_CANDIDATES, _LEAP_FRAMES = 5, 6
_LEAP_COST, _LONG_COST = 0.6, 0.04
_BLOCK_FRAMES = 512


def thinned(frames: Floats, rate_hz: int) -> tuple[Floats, float]:
    """Frames at 8 kHz or a little more, which is enough for pitch, and their rate."""
    step = max(1, rate_hz // 8000)
    size = frames.shape[1] // step
    return np.mean(frames[:, : size * step].reshape(len(frames), size, step), axis=2), rate_hz / step


def periodicity(frames: Floats, spoken: Mask, rate_hz: float) -> Floats:
    """YIN's measure of each spoken frame by lag; 1, which is not periodic, elsewhere."""
    periods = np.ones((len(frames), int(rate_hz / _LOWEST_HZ) + 2))
    chosen = np.flatnonzero(spoken)
    for start in range(0, len(chosen), _BLOCK_FRAMES):
        block = chosen[start : start + _BLOCK_FRAMES]
        periods[block] = _yin(frames[block], periods.shape[1])
    return periods


def is_voiced(periods: Floats, rate_hz: float) -> Mask:
    """Which frames have a tone at all, be its pitch ever so unsure."""
    return np.asarray(np.min(periods[:, int(rate_hz / _HIGHEST_HZ) :], axis=1) < _VOICED)


def pitches(periods: Floats, rate_hz: float) -> Floats:
    """The pitch of each frame in hertz, 0 where it has none.

    Twice: first over all that people can do, then within what this voice does, which is what keeps octave errors
    out (De Looze and Hirst, 2008).
    """
    first = _best(periods, rate_hz, _LOWEST_HZ, _HIGHEST_HZ)
    if np.sum(first > 0) < 10:
        return first
    low, high = np.percentile(first[first > 0], (25, 75))
    lowest = max(_LOWEST_HZ, 0.65 * low)
    highest = min(_HIGHEST_HZ, 1.75 * high)
    return _steady(_best(periods, rate_hz, lowest, highest))


def _yin(frames: Floats, lags: int) -> Floats:
    """YIN's cumulative mean normalised difference of each frame, by lag in samples."""
    size = frames.shape[1]
    length = 1 << (2 * size - 1).bit_length()
    spectrum = np.fft.rfft(frames, length)
    same = np.fft.irfft(spectrum * np.conj(spectrum), length)[:, :lags]
    energy = np.cumsum(frames**2, axis=1)
    whole = energy[:, -1:]
    lag = np.arange(lags)
    # Energy of the part that overlaps with itself shifted, on either side.
    left = np.concatenate([whole, energy[:, size - 1 - lag[1:]]], axis=1)
    right = whole - np.concatenate([np.zeros_like(whole), energy[:, lag[1:] - 1]], axis=1)
    # The overlap shrinks with the lag; per sample the long lags are not favoured.
    difference = np.maximum(left + right - 2 * same, 0) / (size - lag)
    sums = np.cumsum(difference, axis=1)
    return np.asarray(np.where(lag > 0, difference * lag / np.maximum(sums, 1e-12), 1.0))


def _best(periodicity: Floats, rate_hz: float, lowest_hz: float, highest_hz: float) -> Floats:
    """The pitch of each frame within the limits: the best path through the dips of the measure, since one frame
    alone does not tell a period from its half or its double."""
    first, last = max(2, int(rate_hz / highest_hz)), min(periodicity.shape[1] - 2, int(rate_hz / lowest_hz) + 1)
    lags, costs = _dips(periodicity[:, first : last + 1], first)
    pitches_hz = np.zeros(len(periodicity))
    sure = np.min(costs, axis=1) < _PERIODIC
    for run in np.split(np.flatnonzero(sure), np.flatnonzero(np.diff(np.flatnonzero(sure)) > _LEAP_FRAMES) + 1):
        if len(run):
            lag = lags[run, _path(np.log2(lags[run]), costs[run])]
            pitches_hz[run] = rate_hz / _refined(periodicity[run], lag)
    return pitches_hz


def _dips(window: Floats, first: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """The deepest dips of each row: their lags and the measure there, 2 where a row has fewer."""
    inner = window[:, 1:-1]
    dip = (inner <= window[:, :-2]) & (inner <= window[:, 2:])
    depth = np.where(dip, inner, 2.0)
    at = np.argpartition(depth, _CANDIDATES, axis=1)[:, :_CANDIDATES]
    return at + first + 1, np.take_along_axis(depth, at, axis=1)


def _path(octaves: Floats, costs: Floats) -> npt.NDArray[np.int64]:
    """The cheapest choice in each row, where a leap costs by its size, and a long period a little."""
    costs = costs + _LONG_COST * (octaves - np.min(octaves))
    total = costs[0]
    came_from = np.zeros(costs.shape, np.int64)
    for row in range(1, len(costs)):
        leaps = np.abs(octaves[row - 1][:, None] - octaves[row][None, :])
        sums = total[:, None] + _LEAP_COST * np.minimum(leaps, 1.0)
        came_from[row] = np.argmin(sums, axis=0)
        total = np.min(sums, axis=0) + costs[row]
    chosen = np.zeros(len(costs), np.int64)
    chosen[-1] = int(np.argmin(total))
    for row in range(len(costs) - 1, 0, -1):
        chosen[row - 1] = came_from[row, chosen[row]]
    return chosen


def _refined(periodicity: Floats, lag: npt.NDArray[np.int64]) -> Floats:
    """The lag between samples, by a parabola through its neighbours."""
    rows = np.arange(len(lag))
    before, here, after = (periodicity[rows, lag + step] for step in (-1, 0, 1))
    curve = before - 2 * here + after
    shift = np.where(np.abs(curve) > 1e-9, 0.5 * (before - after) / np.where(curve == 0, 1, curve), 0.0)
    return np.asarray(lag + np.clip(shift, -0.5, 0.5))


def _steady(pitches_hz: Floats) -> Floats:
    """Without single frames that leap away from their neighbours: the edges of voiced stretches are unsure."""
    kept = pitches_hz.copy()
    for index in np.flatnonzero(pitches_hz > 0):
        near = pitches_hz[max(0, index - 3) : index + 4]
        near = near[near > 0]
        if len(near) < 4 or abs(12 * np.log2(pitches_hz[index] / np.median(near))) > 4:
            kept[index] = 0.0
    return kept
