"""Words of a token that nobody put on: marked sound read with other keys, at every place of the period.

Under another key, or at another place, every one of a layer's 65,536 words is wrong. Under the right key all but
one are: their sums are the same tosses. So each reading asks what the goal asks, whether a wrong word is told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from compliance.watermark.detector import Detector
from compliance.watermark.ear import FRAMES_PER_SLOT
from compliance.watermark.layout import PERIOD_SLOTS
from compliance.watermark.payload import CERTAIN, read_rest, read_short
from compliance.watermark.search import slotted
from tests.bench.watermark import corpus
from tests.bench.watermark.alarms import CLIPS, SECONDS, THROUGH, Counted
from tests.bench.watermark.conditions import CONDITIONS
from tests.bench.watermark.marks import Floats, Ours, day_key
from tests.bench.watermark.trials import Source, cut, seed, spread

READINGS = 2 * PERIOD_SLOTS
"""Of each clip: both layers, at every place."""


def minutes(readings: int) -> int:
    """How many it takes for so many readings."""
    return math.ceil(readings / (CLIPS * READINGS))


def run(of: Sequence[Source]) -> tuple[Counted, int]:
    """The chances of the best words, and how many were told."""
    found, told = Counted(), 0
    for counted, certain in spread(_minute, of):
        found.join(counted)
        told += certain
    return found, told


def _minute(source: Source) -> tuple[Counted, int]:
    sound = Ours().put(corpus.minute(source.voice, source.number), corpus.RATE_HZ, source.seed)
    counted, told = Counted(), 0
    pieces = cut(corpus.floats(sound), round(SECONDS * corpus.RATE_HZ), CLIPS, source.seed)
    for number, piece in enumerate(pieces):
        heard = CONDITIONS[THROUGH[number]].apply(piece, corpus.RATE_HZ, source.seed % 1000)
        key = day_key(f"wrong words {seed(source.seed, number)}").key
        chances = best_words(heard.samples, heard.rate_hz, key)
        counted.add(chances, SECONDS)
        told += int((chances <= CERTAIN).sum())
    return counted, told


def best_words(heard: Floats, rate_hz: int, key: bytes) -> npt.NDArray[np.float64]:
    """The chance of the best word of either layer, were the pattern to begin at each of the period's slots."""
    features = Detector([]).features(heard, rate_hz)
    slots = features.frames // FRAMES_PER_SLOT
    evidence = slotted(features.sums, 0.0, slots, FRAMES_PER_SLOT)
    places = np.arange(slots)
    found = []
    for shift in range(PERIOD_SLOTS):
        at = (places + shift) % PERIOD_SLOTS
        found += [read_short(key, evidence, at).chance, read_rest(key, 0, evidence, at).chance]
    return np.array(found)
