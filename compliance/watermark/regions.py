"""From places where a pattern was found to stretches of sound: from when to when, in which call, how fast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from compliance.watermark.ear import HOP, RATE_HZ, Evidence
from compliance.watermark.layout import PERIOD_SLOTS
from compliance.watermark.pattern import SHORT_BITS, presence
from compliance.watermark.payload import read_rest, read_short
from compliance.watermark.search import Match, running, slotted

_SAME_PACE = 0.004
_SAME_PLACE_FRAMES = 6.0
"""A slot: clocks of two machines, and lost packets, move a pattern by less within the length of a window."""
_WORTH_SLOTS = 8
_FINE_FRAMES = np.arange(-2.0, 2.01, 0.5)
_FINE_PACE = np.arange(-0.0015, 0.00151, 0.0005)


class DayKey(Protocol):
    """`compliance.watermark.keys.DayKey`."""

    @property
    def day(self) -> date: ...
    @property
    def generation(self) -> int: ...
    @property
    def key(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of sound that was marked."""

    start_s: float
    end_s: float
    p_value: float
    """Over the whole search."""
    day: date
    generation: int
    short: int | None
    """The first 16 bits of the call's token; None where too little was heard to be sure of them."""
    full: int | None
    """All 32 bits."""
    speed: float
    """How much faster and higher than spoken it was played; 1.0 as spoken."""
    tempo: float
    """How much faster at the same pitch."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A window in which a pattern was found."""

    match: Match
    pace: float
    pitch: float
    p_value: float

    @property
    def first(self) -> float:
        """In frames."""
        return self.match.first_frame

    @property
    def last(self) -> float:
        """In frames."""
        return self.first + self.match.slots * self.match.slot_frames

    @property
    def begin(self) -> float:
        """The frame at which the pattern's period would have begun."""
        return self.first - self.match.slot * self.match.slot_frames


def gather(
    hits: Sequence[Hit], evidence: Callable[[int, int, float], Evidence], days: Sequence[DayKey]
) -> tuple[Region, ...]:
    """The regions of these hits, by time. `evidence(first, last, pitch)` is that of frames, at a pitch."""
    regions: list[Region] = []
    for group in sorted(_groups(hits), key=lambda group: group[0].p_value):
        region = _region(group, evidence, days[group[0].match.key])
        # What was found worse where something else was found is the same sound, seen aslant. Windows do not tell:
        # one that holds two calls is a hit of the surer only.
        if not any(_overlaps(region, other) for other in regions):
            regions.append(region)
    return tuple(sorted(regions, key=lambda region: region.start_s))


def _groups(hits: Sequence[Hit]) -> list[list[Hit]]:
    """The hits that belong together, the surest of each group first."""
    # Beside each group those of it that are not over yet: in two hours there are thousands that are.
    groups: list[tuple[list[Hit], list[Hit]]] = []
    for hit in sorted(hits, key=lambda hit: hit.first):
        for _, late in groups:
            late[:] = [other for other in late if other.last > hit.first]
        joined = [pair for pair in groups if any(_together(hit, other) for other in pair[1])]
        groups = [pair for pair in groups if not any(pair is other for other in joined)]
        group, late = joined[0] if joined else ([], [])
        for more, later in joined[1:]:
            group += more
            late += later
        group.append(hit)
        late.append(hit)
        groups.append((group, late))
    return [sorted(group, key=lambda hit: hit.p_value) for group, _ in groups]


def _together(hit: Hit, other: Hit) -> bool:
    """Whether one goes on where the other was, in time and in the pattern."""
    return (
        other.match.key == hit.match.key
        and abs(other.pace - hit.pace) < _SAME_PACE
        and hit.first < other.last
        and other.first < hit.last
        and _apart(hit, other) < _SAME_PLACE_FRAMES
    )


def _apart(one: Hit, other: Hit) -> float:
    """How far the patterns of two hits are from each other, in frames."""
    period = PERIOD_SLOTS * one.match.slot_frames
    # Compared where the windows are: over the distance to the period's begin a small error of pace grows large.
    middle = (max(one.first, other.first) + min(one.last, other.last)) / 2
    places = [(middle - hit.first) / hit.match.slot_frames + hit.match.slot for hit in (one, other)]
    apart = (places[0] - places[1]) * one.match.slot_frames % period
    return min(apart, period - apart)


def _overlaps(region: Region, other: Region) -> bool:
    shared = min(region.end_s, other.end_s) - max(region.start_s, other.start_s)
    return shared > 0.3 * min(region.end_s - region.start_s, other.end_s - other.start_s)


def _region(group: Sequence[Hit], evidence: Callable[[int, int, float], Evidence], day: DayKey) -> Region:
    best = group[0]
    told, slots = _told(group, evidence, day.key)
    short = read_short(day.key, told, slots)
    full = None
    if short.certain:
        rest = read_rest(day.key, short.bits, told, slots)
        full = short.bits << SHORT_BITS | rest.bits if rest.certain else None
    played_faster = best.pitch != 1.0
    first, last = _edges(group, evidence, day.key)
    return Region(
        start_s=round(first * HOP / RATE_HZ, 3),
        end_s=round(last * HOP / RATE_HZ, 3),
        p_value=best.p_value,
        day=day.day,
        generation=day.generation,
        short=short.bits if short.certain else None,
        full=full,
        speed=round(best.pace, 4) if played_faster else 1.0,
        tempo=1.0 if played_faster else round(best.pace, 4),
    )


def _edges(
    group: Sequence[Hit], evidence: Callable[[int, int, float], Evidence], key: bytes
) -> tuple[float, float]:
    """From which frame to which it is marked: a window in which it was found may hold other sound besides."""
    surest = max(group, key=lambda hit: hit.match.z / hit.match.slots**0.5)
    agreed, told = _agreement(surest, evidence, key)
    least = float(agreed.sum() / max(1e-9, told.sum())) / 3

    def gained(hit: Hit) -> NDArray[np.float64]:
        agreed, told = _agreement(hit, evidence, key)
        # Silence counts a little too: over it for nothing, a chance agreement beyond would be reached.
        return np.concatenate(([0.0], np.cumsum(agreed - least * np.maximum(told, told.mean() / 10))))

    left = min(group, key=lambda hit: hit.first)
    right = max(group, key=lambda hit: hit.last)
    # The mark is in every window: it begins before the first of them ends, and ends after the last one begins.
    before = gained(left)[: 2 + int((min(hit.last for hit in group) - left.first) / left.match.slot_frames)]
    at_least = int((max(hit.first for hit in group) - right.first) / right.match.slot_frames)
    start = len(before) - 1 - int(np.argmin(before[::-1]))
    stop = at_least + int(np.argmax(gained(right)[at_least:]))
    first, last = left.first + start * left.match.slot_frames, right.first + stop * right.match.slot_frames
    return (first, last) if first < last else (left.first, right.last)


def _agreement(
    hit: Hit, evidence: Callable[[int, int, float], Evidence], key: bytes
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each slot of a hit how much of what was heard speaks for the pattern, and how much there is."""
    signs = _signs(hit.match, key)
    told = _refined(hit, evidence, key)
    return (told * signs).sum(axis=1), np.abs(told * signs).sum(axis=1)


def _signs(match: Match, key: bytes) -> NDArray[np.int8]:
    return presence(key)[(match.slot + np.arange(match.slots)) % PERIOD_SLOTS]


def _told(
    group: Sequence[Hit], evidence: Callable[[int, int, float], Evidence], key: bytes
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The evidence of the group's slots and where they are in the period; every stretch of sound once."""
    best = group[0]
    taken: list[Hit] = []
    parts, places = [], []
    # The longest first: a token is read from few long pieces rather than from many short ones.
    alike = [hit for hit in group if (hit.pace, hit.pitch) == (best.pace, best.pitch)]
    for hit in sorted(alike, key=lambda hit: hit.match.slots, reverse=True):
        free = np.ones(hit.match.slots, dtype=bool)
        begins = hit.first + hit.match.slot_frames * np.arange(hit.match.slots)
        for other in taken:
            if other.last <= hit.first or hit.last <= other.first:
                continue
            free &= (begins + hit.match.slot_frames <= other.first) | (begins >= other.last)
        if taken and free.sum() < _WORTH_SLOTS:
            continue
        taken.append(hit)
        parts.append(_refined(hit, evidence, key)[free])
        places.append((hit.match.slot + np.flatnonzero(free)) % PERIOD_SLOTS)
    return np.concatenate(parts), np.concatenate(places)


def _refined(hit: Hit, evidence: Callable[[int, int, float], Evidence], key: bytes) -> NDArray[np.float32]:
    """The slots of a hit, cut where the pattern fits best: the search's grid is coarser than that."""
    match = hit.match
    first, last = max(0, int(hit.first) - 12), int(hit.last) + 12
    sums = running(evidence(first, last, hit.pitch))
    signs = _signs(match, key)
    best, best_fit = slotted(sums, hit.first - first, match.slots, match.slot_frames), -1.0
    for pace in _FINE_PACE if hit.pace != 1.0 else (0.0,):
        frames = match.slot_frames / (1 + pace)
        for shift in _FINE_FRAMES:
            told = slotted(sums, hit.first - first + shift, match.slots, frames)
            fit = float((told * signs).sum() / max(1e-9, np.linalg.norm(told)))
            if fit > best_fit:
                best, best_fit = told, fit
    return best
