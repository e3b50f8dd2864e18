"""What a mouth does by itself: the same speech straight from a `Stage`, two hundred pictures a second.

A trace that was received is held against it, so that what is found is the way's own delay and not how people
articulate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from avatar.rig import Rig
from avatar.sheet import rgb
from avatar.stage import Stage
from avatar.timeline import Part, Phone, Said
from channels.spoken import Spoken
from tests.bench.face.mouths import CLOSED, STEP_MS, Mouths, Trace

REACH_MS = 80.0
"""Lags are looked for up to here."""
WINDOW_MS = 1_000.0
LEAST_ALIKE = 0.6
"""Of a window and the trace it is found in; below it is not the same speech or no face."""
_CHUNK_MS = 20
_LEAD_CHUNKS = 25
_SEED = 5


def direct(rig: Rig, said: Spoken, rate_hz: int, mouths: Mouths, *, seed: int = _SEED) -> Trace:
    """The mouth's gap, in steps of `STEP_MS` from the first sample of the speech on."""
    stage = Stage(rig, rate_hz=rate_hz, seed=seed)
    positions = leaving(stage, said, rate_hz, STEP_MS)
    return np.array([mouths.gap(rgb(stage.frame_at(position, 0))) for position in positions])


def leaving(stage: Stage, said: Spoken, rate_hz: int, step_ms: float) -> Iterator[int]:
    """Let the speech leave after half a second of silence; gives a position every `step_ms`, from its first sample
    on, while a picture of it can be had."""
    chunk = rate_hz * _CHUNK_MS // 1000
    for number in range(_LEAD_CHUNKS - 1):
        stage.sounded(number * chunk, [])
    stage.expect(
        said.utterance,
        said.pcm,
        [Phone(phoneme.ipa, phoneme.start_ms, phoneme.end_ms) for phoneme in said.phonemes],
        [Said(word.text, word.start_ms, word.end_ms) for word in said.words],
        exact=said.exact,
        last=True,
    )
    # As at the outlet, speech after silence waits one tick.
    stage.sounded((_LEAD_CHUNKS - 1) * chunk, [])
    begin, samples = _LEAD_CHUNKS * chunk, len(said.pcm) // 2
    step = rate_hz * step_ms / 1000
    number = 0
    for offset in range(0, samples, chunk):
        stage.sounded(begin + offset, [Part(0, min(chunk, samples - offset), said.utterance, offset)])
        while number * step < min(samples, offset + chunk):
            yield begin + round(number * step)
            number += 1


def windows(
    times_ms: Trace, gaps: Trace, reference: Trace, *, begin_ms: float = 0.0, end_ms: float = float("inf")
) -> list[float]:
    """How late what was seen at `times_ms`, counted from the first sound of the speech, is against the reference:
    one lag for each second in which the mouth moves."""
    end = min(end_ms, len(reference) * STEP_MS)
    lags = []
    first = begin_ms
    while first + WINDOW_MS <= end + 1e-6:
        found = lag_in(times_ms, gaps, reference, first, first + WINDOW_MS)
        if found is not None:
            lags.append(found)
        first += WINDOW_MS
    return lags


def lag_in(times_ms: Trace, gaps: Trace, reference: Trace, begin_ms: float, end_ms: float) -> float | None:
    """The lag at which the pictures between two times fit best, by correlation; None where they tell nothing."""
    inside = (times_ms >= begin_ms) & (times_ms < end_ms) & ~np.isnan(gaps)
    seen = gaps[inside]
    if len(seen) < 8 or np.ptp(seen) < 2 * CLOSED:
        return None
    known = ~np.isnan(reference)
    grid = np.arange(len(reference)) * STEP_MS
    lags = np.arange(-REACH_MS, REACH_MS + 1.0)
    scores = [_alike(seen, np.interp(times_ms[inside] - lag, grid[known], reference[known])) for lag in lags]
    best = int(np.argmax(scores))
    if scores[best] < LEAST_ALIKE or not 0 < best < len(scores) - 1:
        return None
    left, middle, right = scores[best - 1 : best + 2]
    bend = left - 2 * middle + right
    return float(lags[best] + (0.5 * (left - right) / bend if bend else 0.0))


def references(rig: Rig, said: Sequence[Spoken], rate_hz: int, mouths: Mouths) -> dict[bytes, Trace]:
    """Of each sentence, by its sound."""
    return {one.pcm: direct(rig, one, rate_hz, mouths) for one in said}


def _alike(seen: Trace, wanted: Trace) -> float:
    a, b = seen - seen.mean(), wanted - wanted.mean()
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-12))
