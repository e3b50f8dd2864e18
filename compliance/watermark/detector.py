"""Finds the twin's mark in any sound, says when, at what speed and in which call, and how sure it is.

    finding = Detector(keys).detect(pcm, rate_hz)

The search has two halves, and each has half of the false alarms that are allowed: windows of several lengths at
the speed at which they were spoken, and, for sound that was played faster or slower, longer windows at many
speeds. Every place that was looked at is counted, and `p_value` is the chance, over all of them and all keys, that
sound without the mark would have done as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from compliance.watermark.chance import of_looks
from compliance.watermark.ear import (
    FRAMES_PER_SLOT,
    HOP,
    RATE_HZ,
    Evidence,
    Spectra,
    frames_of,
    listen,
    spectra,
    tell,
)
from compliance.watermark.regions import Hit, Region, gather
from compliance.watermark.search import LONGEST_SLOTS, Keyring, Match, running

FALSE_ALARM = 1e-6
"""Found means: the chance of a mistake over the whole search is at most this."""
_PACE_STEP = 0.002
"""Over 10 s that is at most 5 ms at either end of a window, a tenth of a slot."""
_PITCH_STEP = 0.02
"""At the highest band a quarter of its width, at either side."""
_TEMPO_REACH = 0.04
_WINDOWS = (62, 125, 250)
"""In slots: 3, 6 and 12 s. Each begins half a window after the last one."""
_PACED_SLOTS = 210
_PACED_WINDOWS = 6
_SURER = 1.1
_LOUDEST = 1e6
_PACED_KEYS = 32
"""Other speeds cost a hundred times as much: only the windows with most speech, and the newest keys."""


class DayKey(Protocol):
    """`compliance.watermark.keys.DayKey`."""

    @property
    def day(self) -> date: ...
    @property
    def generation(self) -> int: ...
    @property
    def key(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in one channel of sound."""

    found: bool
    p_value: float
    """The chance that sound without the mark does as well: a bound, over all places, speeds and keys."""
    regions: tuple[Region, ...]


class Features:
    """What the search needs of a sound, for any number of keys."""

    def __init__(self, sound: NDArray[np.float32]) -> None:
        """`sound` is at 8 kHz."""
        self.sound = sound
        self.frames = frames_of(sound)
        self._part: tuple[int, int, Spectra] | None = None

    @cached_property
    def evidence(self) -> Evidence:
        """At the pitch at which it was spoken."""
        return listen(self.sound)

    @cached_property
    def sums(self) -> NDArray[np.float64]:
        """Running sums of the evidence."""
        return running(self.evidence)

    def at(self, first: int, last: int, pitch: float) -> Evidence:
        """The evidence of the frames from `first` to before `last`, at another pitch."""
        last = min(last, self.frames)
        if pitch == 1.0:
            return self.evidence[first:last]
        # The same stretch is asked about at one pitch after the other.
        if self._part is None or self._part[:2] != (first, last):
            self._part = first, last, spectra(self.sound, first, last)
        return tell(self._part[2], pitch)


class Detector:
    """Knows the candidate keys. Blocks while it works: not for an event loop."""

    def __init__(self, keys: Sequence[DayKey]) -> None:
        """`keys`, likeliest first; a repeated one is looked for once."""
        self._days = tuple({key.key: key for key in keys}.values())
        self._all = Keyring([key.key for key in self._days])
        self._likely = self._all if len(self._days) <= _PACED_KEYS else Keyring(self._all.keys[:_PACED_KEYS])

    def detect(self, pcm: NDArray[np.float32] | NDArray[np.int16], rate_hz: int) -> Finding:
        """Look for the mark in mono sound: int16, or float32 from -1 to 1."""
        features = self.features(pcm, rate_hz)
        steady = _looked(_steady(features), self._all)
        paced = _looked(_paced(features), self._likely)
        chance = min((hit.p_value for hit in (*steady, *paced)), default=1.0)
        kept = [hit for hit in steady if hit.p_value <= FALSE_ALARM]
        kept += [hit for hit in paced if hit.p_value <= FALSE_ALARM and _surer(hit, kept)]
        regions = gather(kept, features.at, self._days)
        return Finding(bool(regions), chance, regions)

    def features(self, pcm: NDArray[np.float32] | NDArray[np.int16], rate_hz: int) -> Features:
        """What `search_keys` looks through."""
        return Features(at_8_khz(pcm, rate_hz))

    def search_keys(self, features: Features, keys: Sequence[bytes]) -> NDArray[np.float64]:
        """For each key apart, the p-value over the whole search with that key alone: to count false alarms."""
        found = np.ones(len(keys))
        ring = Keyring(keys)
        for windows in (_steady(features), _paced(features)):
            best = np.zeros(len(keys))
            looks = 0
            for window in windows:
                span = window.first - window.base, window.last - window.base
                z, places = ring.highest(window.sums, *span, window.pace)
                looks += places
                best = np.maximum(best, z)
            if looks:
                found = np.minimum(found, [of_looks(float(z), 2.0 * looks) for z in best])
        return found


def at_8_khz(pcm: NDArray[np.float32] | NDArray[np.int16], rate_hz: int) -> NDArray[np.float32]:
    """The sound as the detector hears it."""
    sound: NDArray[np.float32] = pcm.astype(np.float32)
    if pcm.dtype == np.int16:
        sound /= np.float32(32_768)
    np.nan_to_num(sound, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    # One sample whose square is infinite would make everything around it none.
    np.clip(sound, -_LOUDEST, _LOUDEST, out=sound)
    if rate_hz != RATE_HZ:
        import soxr

        resampled: NDArray[np.float32] = soxr.resample(sound, rate_hz, RATE_HZ)
        return resampled
    return sound


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of frames to be looked at, at one speed."""

    sums: NDArray[np.float64]
    """Running sums of the evidence from frame `base` on."""
    base: int
    first: int
    last: int
    pace: float
    pitch: float


def _looked(windows: Iterator[_Window], ring: Keyring) -> list[Hit]:
    """The best of every window; the chance of each is over all that was looked at."""
    found: list[tuple[_Window, Match]] = []
    places = 0
    for window in windows:
        match, looks = ring.best(window.sums, window.first - window.base, window.last - window.base, window.pace)
        if looks:
            found.append((window, replace(match, first_frame=match.first_frame + window.base)))
            places += looks
    return [Hit(match, window.pace, window.pitch, of_looks(match.z, 2.0 * places)) for window, match in found]


def _steady(features: Features) -> Iterator[_Window]:
    """At the speed at which it was spoken."""
    for first, last in _spans(features.frames, _WINDOWS):
        yield _Window(features.sums, 0, first, last, 1.0, 1.0)


def _paced(features: Features) -> Iterator[_Window]:
    """At other speeds: stretched at the same pitch, or played faster or slower."""
    for first, last in _loudest(features, _spans(features.frames, (_PACED_SLOTS,))):
        for pitch, paces in _SPEEDS:
            sums = features.sums if pitch == 1.0 else running(features.at(first, last, pitch))
            for pace in paces:
                yield _Window(sums, 0 if pitch == 1.0 else first, first, last, pace, pitch)


def _surer(hit: Hit, steady: Sequence[Hit]) -> bool:
    """Whether another speed tells clearly more than what was found there at the one at which it was spoken.

    Loud marks are found in short windows at a speed that is not theirs, and nearly as well at one that is almost.
    """
    there = (one.match.z for one in steady if one.first < hit.last and hit.first < one.last)
    return hit.match.z > _SURER * max(there, default=0.0)


def _spans(frames: int, lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Windows over so many frames, and all of it when it is no longer than the longest window may be."""
    # A slot more than they hold, so that every phase has the whole number of slots.
    longest = (LONGEST_SLOTS + 1) * FRAMES_PER_SLOT
    spans = [(0, frames)] if FRAMES_PER_SLOT <= frames <= longest else []
    for length in lengths:
        wide = (length + 1) * FRAMES_PER_SLOT
        if frames > wide:
            firsts = [*range(0, frames - wide, wide // 2), frames - wide]
            spans += [(first, first + wide) for first in firsts]
    return spans


def _loudest(features: Features, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those in which the voice sounds for longest."""
    if len(spans) <= _PACED_WINDOWS:
        return list(spans)
    hops = features.sound[: features.frames * HOP].reshape(features.frames, HOP)
    energies = np.einsum("fh,fh->f", hops, hops)
    sounds = np.concatenate(([0], np.cumsum(energies > np.percentile(energies, 90) * 1e-3)))
    ranked = sorted(spans, key=lambda span: int(sounds[span[0]] - sounds[span[1]]))
    return sorted(ranked[:_PACED_WINDOWS])


def _speeds() -> tuple[tuple[float, tuple[float, ...]], ...]:
    """Pitches, and the paces that are tried with each."""

    def around(middle: float, reach: float) -> tuple[float, ...]:
        steps = round(reach / _PACE_STEP)
        return tuple(round(middle + step * _PACE_STEP, 4) for step in range(-steps, steps + 1))

    tempos = tuple(pace for pace in around(1.0, _TEMPO_REACH) if pace != 1.0)
    pitches = [round(1 + side * (_PITCH_STEP * number + 0.01), 4) for number in range(3) for side in (1, -1)]
    return ((1.0, tempos), *((pitch, around(pitch, _PITCH_STEP / 2)) for pitch in sorted(pitches)))


_SPEEDS = _speeds()
