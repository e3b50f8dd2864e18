"""False alarms: sound without the mark, and marked sound asked about with other keys, whole search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from compliance.watermark.detector import Detector
from tests.bench.watermark import corpus
from tests.bench.watermark.conditions import CONDITIONS
from tests.bench.watermark.marks import Ours, day_key
from tests.bench.watermark.trials import Source, cut, seed, spread

SECONDS = 10.0
CLIPS = 6
"""Cut from each minute."""
THRESHOLD = 1e-6
LEVELS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
THROUGH = ("unchanged", "phone chain", "mu-law", "Opus 12k", "babble 10 dB", "speed +2 %")
"""One clip of each minute through each."""


@dataclass(slots=True)
class Counted:
    """How often the p-value was at most each of `LEVELS`, of how many pairs of a clip and a key."""

    pairs: int = 0
    seconds: float = 0.0
    clips: int = 0
    at_most: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(LEVELS), np.int64))
    least: float = 1.0

    def add(self, p_values: npt.NDArray[np.float64], seconds: float) -> None:
        """One clip with each of several keys."""
        self.pairs += len(p_values)
        self.clips += 1
        self.seconds += seconds
        self.at_most += (p_values[:, None] <= np.array(LEVELS)).sum(axis=0)
        self.least = min(self.least, float(p_values.min()))

    def join(self, other: Counted) -> None:
        self.pairs += other.pairs
        self.clips += other.clips
        self.seconds += other.seconds
        self.at_most += other.at_most
        self.least = min(self.least, other.least)

    @property
    def alarms(self) -> int:
        return int(self.at_most[LEVELS.index(THRESHOLD)])


@dataclass(slots=True)
class Alarms:
    unmarked: Counted = field(default_factory=Counted)
    marked: Counted = field(default_factory=Counted)
    """With the mark of another key."""


def run(of: Sequence[Source], keys: int, *, label: str = "") -> Alarms:
    """Every clip with so many keys of its own; every fourth minute is marked. A label gives other keys."""
    found = Alarms()
    for done, counted in enumerate(spread(partial(_minute, keys, label), of)):
        kind = found.marked if _is_marked(of[done]) else found.unmarked
        kind.join(counted)
    return found


def _minute(keys: int, label: str, source: Source) -> Counted:
    sound = corpus.minute(source.voice, source.number, keep=source.number < 2)
    if _is_marked(source) and len(sound):
        sound = Ours().put(sound, corpus.RATE_HZ, source.seed)
    counted = Counted()
    pieces = cut(corpus.floats(sound), round(SECONDS * corpus.RATE_HZ), CLIPS, source.seed)
    for number, piece in enumerate(pieces):
        heard = CONDITIONS[THROUGH[number]].apply(piece, corpus.RATE_HZ, source.seed % 1000)
        wrong = [day_key(f"wrong {label} {seed(source.seed, number)} {each}").key for each in range(keys)]
        counted.add(p_values(heard.samples, heard.rate_hz, wrong), SECONDS)
    return counted


def _is_marked(source: Source) -> bool:
    return source.seed % 4 == 0


def p_values(heard: npt.NDArray[np.float32], rate_hz: int, keys: Sequence[bytes]) -> npt.NDArray[np.float64]:
    """Of the whole search, for each key as if it were the only candidate."""
    detector = Detector([])
    features = detector.features(heard, rate_hz)
    return detector.search_keys(features, keys)
