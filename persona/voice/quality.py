"""Measures of a recording: noise, echo, clipping, loudness, bandwidth. Pure; `checks` says what they mean."""

from __future__ import annotations

import numpy as np

from persona.voice.activity import HOP_S, Activity, frames_of
from persona.voice.features import Matrix, mel_db
from persona.voice.sound import Samples, Sound

_ECHO_FRAMES = 8
_ECHO_BANDS = slice(3, 20)
_LEAST_DECAYS = 20
_BLOCK_S = 0.4
_GATE_LUFS, _RELATIVE_GATE_DB = -70.0, -10.0
_BAND_DROP_DB = 55.0
_BAND_FRAMES = 2_000
_TINY = 1e-12
# The two filters of ITU-R BS.1770 at 48 kHz: the head's shadow, and what the ear does not hear below.
_SHELF = (np.array([1.53512485958697, -2.69169618940638, 1.19839281085285]),
          np.array([1.0, -1.69065929318241, 0.73248077421585]))  # fmt: skip
_HIGH_PASS = (np.array([1.0, -2.0, 1.0]), np.array([1.0, -1.99004745483398, 0.99007225036621]))
_FILTER_HZ = 48_000


def snr_db(activity: Activity) -> float:
    """How far speech stands out of what sounds in its pauses."""
    return activity.speech_db - activity.floor_db


def decay_db_per_s(samples: Samples) -> float | None:
    """How fast sound dies away after the quickest ends of speech, at `ANALYSIS_HZ`; None when none were found.

    A mouth stops at once, a room does not: its echo bounds how steep any level can fall.
    """
    mel = mel_db(samples, bands=20, top_hz=6_000.0)[:, _ECHO_BANDS]
    if len(mel) <= _ECHO_FRAMES:
        return None
    times = (np.arange(_ECHO_FRAMES) - (_ECHO_FRAMES - 1) / 2) * HOP_S
    steepest = []
    for levels in mel.T:
        floor, peak = np.percentile(levels, 10), np.percentile(levels, 95)
        windows = np.lib.stride_tricks.sliding_window_view(levels, _ECHO_FRAMES)
        slopes = windows @ times / (times @ times)
        # A fall that ends in the noise is cut short, and one that begins low says little.
        clear = (windows.min(axis=1) > floor + 10) & (windows[:, 0] > peak - 20) & (slopes < 0)
        if clear.sum() > _LEAST_DECAYS:
            steepest.append(-float(np.percentile(slopes[clear], 5)))
    return float(np.median(steepest)) if steepest else None


def clipped_percent(samples: Samples) -> float:
    """How much of the loud part stands at the very edge, where speech seldom is: a converter that was overdriven.

    By how the values are spread and not by runs of equal ones, so that it is seen after MP3 or another rate too.
    """
    loud = int((np.abs(samples) > 0.1 * np.abs(samples).max()).sum())
    worst = 0.0
    for side in (samples, -samples):
        peak = max(float(side.max()), _TINY)
        edge = int((side > 0.98 * peak).sum())
        below = int(((side > 0.94 * peak) & (side <= 0.96 * peak)).sum())
        worst = max(worst, (edge - 2 * below) / max(loud, 1))
    return 100 * worst


def loudness_lufs(sound: Sound) -> float:
    """Loudness as ITU-R BS.1770 has it, with its gates; the filters are applied to spectra of blocks."""
    block = int(_BLOCK_S * sound.rate_hz)
    frames = frames_of(sound.samples, block, block // 4)
    bins_hz = np.asarray(np.fft.rfftfreq(block, 1 / sound.rate_hz), np.float64)
    weights = np.square(_gain(_SHELF, bins_hz) * _gain(_HIGH_PASS, bins_hz))
    weights[1:] *= 2
    powers = []
    for start in range(0, len(frames), 500):
        spectra = np.square(np.abs(np.fft.rfft(frames[start : start + 500])))
        powers.append(spectra @ weights / block**2)
    power = np.concatenate(powers)
    power = power[_lufs(power) > _GATE_LUFS]
    if not len(power):
        return _GATE_LUFS
    power = power[_lufs(power) > float(_lufs(power.mean())) + _RELATIVE_GATE_DB]
    return float(_lufs(power.mean()))


def bandwidth_hz(sound: Sound) -> float:
    """The highest frequency that its sharpest sounds reach."""
    window = 1 << (sound.rate_hz // 16 - 1).bit_length()
    frames = frames_of(sound.samples, window, window // 2)
    frames = frames[:: 1 + len(frames) // _BAND_FRAMES]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(window).astype(np.float32))))
    top_db = 10 * np.log10(np.percentile(power, 95, axis=0) + _TINY)
    bins_hz = np.fft.rfftfreq(window, 1 / sound.rate_hz)
    peak_db = float(top_db[bins_hz > 150].max())
    return float(bins_hz[top_db > peak_db - _BAND_DROP_DB].max())


def _gain(filter: tuple[Matrix, Matrix], hz: Matrix) -> Matrix:
    delay = np.exp(-2j * np.pi * hz / _FILTER_HZ)
    over, under = filter
    response = np.polynomial.polynomial.polyval(delay, over) / np.polynomial.polynomial.polyval(delay, under)
    return np.asarray(np.abs(response), np.float64)


def _lufs(power: Matrix | float) -> Matrix:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(power, _TINY)))
