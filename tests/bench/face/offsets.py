"""Where the mouth is by the sound: offsets, closures, silence, first movement; on decoded pictures and sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from channels.spoken import Spoken
from tests.bench.face.direct import windows
from tests.bench.face.mouths import CLOSED, Mouths, Trace, aperture, lag_ms, sampled
from tests.bench.face.takes import RATE_HZ, Take

AUDIBLE = 300
"""Of int16: louder than what an encoder leaves of silence."""
NEAR_SPEECH_MS = 120.0
BEFORE_MS = 400.0
"""So long before the first sound the mouth is at rest, and so long after it a movement is looked for."""
AHEAD_MS = 160.0
"""No mouth is further ahead of its sound."""
SHUT_AT_FIRST_MS = 200.0
"""A p, b or m this early holds the lips."""
WIDER = 0.02
"""Eye distances by which a mouth that moves gets wider or narrower."""
_SHUT = frozenset("pbm")


@dataclass(slots=True)
class Offsets:
    """What one take shows."""

    lags_ms: list[float] = field(default_factory=list)
    """Of each sentence's mouth behind its phonemes."""
    alike: list[float] = field(default_factory=list)
    """The correlation at that lag."""
    closures: int = 0
    closed: int = 0
    missed: list[str] = field(default_factory=list)
    silent: int = 0
    """Pictures further than 120 ms from speech."""
    silent_open: int = 0
    first_ms: list[float] = field(default_factory=list)
    """From a sentence's first sound to the first picture whose mouth has moved; negative is before."""
    unseen: int = 0
    """Pictures in which no face was found."""

    def add(self, other: Offsets) -> None:
        """Count another take in."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def measured(take: Take, said: Sequence[Spoken], mouths: Mouths) -> Offsets:
    """Of a take with its pictures."""
    return traced(take, *mouths.shapes(take.pictures), said)


def traced(take: Take, gaps: Trace, widths: Trace, said: Sequence[Spoken]) -> Offsets:
    """Of a take whose mouths were measured already; what was not found in its sound is left out."""
    found = Offsets()
    found.unseen = int(np.isnan(gaps).sum())
    talking = np.zeros(len(gaps), bool)
    for one in said:
        if one.utterance not in take.starts_ms:
            continue
        start = take.starts_ms[one.utterance]
        length = len(one.pcm) / 2 * 1000 / RATE_HZ
        end = start + length
        talking |= (take.times_ms > start - NEAR_SPEECH_MS) & (take.times_ms < end + NEAR_SPEECH_MS)
        _lag(found, take, gaps, one, start, length)
        _closures(found, take, gaps, one, start)
        if not _waits(one):
            _first(found, take, gaps, widths, start)
    found.silent = int((~talking).sum())
    found.silent_open = int((gaps[~talking] > CLOSED).sum())
    return found


def _lag(found: Offsets, take: Take, gaps: Trace, one: Spoken, start: float, length: float) -> None:
    wanted = aperture(one.phonemes, length)
    got = sampled(take.times_ms, gaps, start, start + length)
    size = min(len(wanted), len(got))
    lag, alike = lag_ms(got[:size], wanted[:size])
    found.lags_ms.append(lag)
    found.alike.append(alike)


def _closures(found: Offsets, take: Take, gaps: Trace, one: Spoken, start: float) -> None:
    for phoneme in one.phonemes:
        if phoneme.ipa.strip("ˈˌ")[:1] not in _SHUT:
            continue
        found.closures += 1
        near = (take.times_ms >= start + phoneme.start_ms - 40) & (take.times_ms <= start + phoneme.end_ms + 40)
        if bool((gaps[near] < CLOSED).any()):
            found.closed += 1
        else:
            found.missed.append(f"{phoneme.ipa} in sentence {one.utterance}")


def _waits(one: Spoken) -> bool:
    """Whether lips are to be shut right at the beginning, so that none can be seen to move."""
    return any(sound.ipa.strip("ˈˌ")[:1] in _SHUT for sound in one.phonemes if sound.start_ms < SHUT_AT_FIRST_MS)


def _first(found: Offsets, take: Take, gaps: Trace, widths: Trace, start: float) -> None:
    """The first sound is where the decoded sound becomes audible, after silence; the mouth moves when it parts,
    spreads or rounds."""
    at = round(start * RATE_HZ / 1000)
    loud = np.flatnonzero(np.abs(take.sound[at : at + RATE_HZ].astype(int)) > AUDIBLE)
    before = np.abs(take.sound[max(0, at - round(BEFORE_MS * RATE_HZ / 1000)) : at].astype(int))
    if not len(loud) or (before > AUDIBLE).any():
        return
    sound_ms = start + loud[0] * 1000 / RATE_HZ
    still = (take.times_ms > sound_ms - BEFORE_MS) & (take.times_ms < sound_ms - AHEAD_MS)
    if not still.any():
        return
    near = np.flatnonzero((take.times_ms >= sound_ms - AHEAD_MS) & (take.times_ms < sound_ms + BEFORE_MS))
    moved = np.zeros(len(near), bool)
    for trace, least in ((gaps, CLOSED / 2), (widths, WIDER)):
        moved |= np.abs(trace[near] - np.nanmedian(trace[still])) > least
    if moved.any():
        found.first_ms.append(float(take.times_ms[near[int(np.argmax(moved))]] - sound_ms))


def through(
    take: Take, gaps: Trace, said: Sequence[Spoken], references: Mapping[bytes, Trace], **within: float
) -> list[float]:
    """How late the mouth came through, against what it does by itself, for each second of speech."""
    lags: list[float] = []
    for one in said:
        if one.utterance in take.starts_ms and one.pcm in references:
            lags += windows(take.times_ms - take.starts_ms[one.utterance], gaps, references[one.pcm], **within)
    return lags


def drifted(rows: Sequence[tuple[float, float]]) -> float:
    """Milliseconds of offset that an hour adds, by a straight line through (hours, offset)."""
    known = [row for row in rows if not np.isnan(row[1])]
    if len(known) < 2:
        return float("nan")
    hours, lags = np.array(known).T
    return float(np.polyfit(hours, lags, 1)[0])
