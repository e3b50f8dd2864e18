"""The movements of the mouth for one utterance, over the utterance's own time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar.loudness import Loudness
from avatar.timeline import Phone
from avatar.visemes import CLOSES, CLOSURES, VOWEL, shapes_of, stressed

Rows = npt.NDArray[np.float64]
"""Shape (n, COLUMNS): a movement per row, in the order in which they begin."""

BEGIN, END, SHAPE, GAIN, KNOWN, UNTIL, CLOSURE, SHUT, OPENED = range(9)
"""The columns: when it begins and ends, in milliseconds of the utterance; the index into `visemes.SHAPES`; a
factor for the jaw; from which sample of the clock it is known and until which it counts; which closure it is or
-1, and when the closure begins and ends, in milliseconds again."""
COLUMNS: Final = 9

REACH_MS = 120.0
"""How far from its sound a movement can be seen."""
_WINDOW = 24
"""More movements than that do not reach one moment: they would be shorter than 20 ms."""

_LEAST_SHUT_MS = 44.0
"""A frame at 25 fps lasts 40 ms: one of them must see the closure."""
_HOLD_AHEAD_MS = 70.0
"""How far ahead of its event the silent hold of a stop is looked for: espeak-ng raises the event at the burst and
books the hold on the sound before."""
_BESIDE_MS = 30.0
_HOLD_SHARE = 0.7
"""Of a stop, where its hold cannot be heard; the rest is its release."""
_EDGE_MS = 8.0
"""Lips part before an m is over; teeth meet the lip before an f is heard."""
_STRESS_GAIN = 1.08
_DB_FOR_DOUBLE = 22.0
_GAINS = (0.62, 1.18)
_LIPS = CLOSURES.index("lips")


class Level:
    """How loud a vowel of this call's voice usually is; one for all its utterances."""

    def __init__(self) -> None:
        self.vowel_dbfs = -14.0

    def gain(self, vowel_dbfs: float) -> float:
        """How much further than usual the jaw opens for a vowel this loud; and take it in."""
        over_db = vowel_dbfs - self.vowel_dbfs
        self.vowel_dbfs += 0.08 * max(-12.0, min(12.0, over_db))
        return float(np.clip(1 + over_db / _DB_FOR_DOUBLE, *_GAINS))


class Gestures:
    """One utterance. Phones come in order, guesses may come before them and are replaced."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._phones: list[list[float]] = []
        self._guesses: list[list[float]] = []
        self._rows: Rows | None = np.zeros((0, COLUMNS))
        self._begins = np.zeros(0)
        self.covered_ms = 0.0
        """Until when there are phones."""

    @property
    def estimated(self) -> bool:
        """Whether anything in here is a guess from the sound that no phone has replaced."""
        return any(row[UNTIL] == math.inf for row in self._guesses)

    def add(self, phones: Sequence[Phone], loudness: Loudness, known: int) -> None:
        """These phones follow the ones before; they count from the sample `known` of the clock on."""
        if not phones:
            return
        for row in self._guesses:
            if row[UNTIL] == math.inf and row[BEGIN] < phones[-1].end_ms:
                row[UNTIL] = known
        for phone in phones:
            self._phones += self._movements(phone, loudness, known)
        self.covered_ms = max(self.covered_ms, phones[-1].end_ms)
        self._rows = None

    def guess(self, phones: Sequence[Phone], loudness: Loudness, known: int) -> None:
        """Likewise, for phones that were only guessed from the sound."""
        for phone in phones:
            self._guesses += self._movements(phone, loudness, known)
        self._rows = None

    def around(self, time_ms: float) -> Rows:
        """A copy of the movements that can be seen at this time, and perhaps some more."""
        rows = self._all()
        last = int(self._begins.searchsorted(time_ms + REACH_MS))
        return rows[max(0, last - _WINDOW) : last].copy()

    def _all(self) -> Rows:
        if self._rows is None:
            rows = np.array(self._phones + self._guesses).reshape(-1, COLUMNS)
            self._rows = rows[np.argsort(rows[:, BEGIN], kind="stable")]
            self._begins = self._rows[:, BEGIN].copy()
        return self._rows

    def _movements(self, phone: Phone, loudness: Loudness, known: int) -> list[list[float]]:
        """The rows of one phone; none for what is no sound or has no length."""
        length_ms = phone.end_ms - phone.start_ms
        if not (math.isfinite(length_ms) and length_ms > 0):
            return []
        rows: list[list[float]] = []
        begin_ms = phone.start_ms
        for shape, share in shapes_of(phone.ipa):
            end_ms = begin_ms + share * length_ms
            closure = CLOSES[shape]
            shut_ms = opened_ms = 0.0
            if closure >= 0:
                shut_ms, opened_ms = self._shut(phone.ipa, closure, begin_ms, end_ms, loudness)
            gain = self._gain(phone, loudness) if VOWEL[shape] else 1.0
            rows.append([begin_ms, end_ms, shape, gain, known, math.inf, closure, shut_ms, opened_ms])
            begin_ms = end_ms
        return rows

    def _gain(self, phone: Phone, loudness: Loudness) -> float:
        level_dbfs = loudness.peak_dbfs(phone.start_ms, phone.end_ms)
        gain = 1.0 if level_dbfs is None else self._level.gain(level_dbfs)
        return gain * (_STRESS_GAIN if stressed(phone.ipa) else 1.0)

    @staticmethod
    def _shut(ipa: str, closure: int, begin_ms: float, end_ms: float, loudness: Loudness) -> tuple[float, float]:
        """When the mouth is shut for a closure: as long as the sound of a nasal or of f and v, for a stop as
        long as its hold is heard, and always long enough for a frame to see it."""
        if closure != _LIPS:
            shut_ms, opened_ms = begin_ms - _EDGE_MS, end_ms - _EDGE_MS
        elif "m" in ipa:
            shut_ms, opened_ms = begin_ms + _EDGE_MS, end_ms - _EDGE_MS
        else:
            shut_ms, opened_ms = begin_ms, begin_ms + _HOLD_SHARE * (end_ms - begin_ms)
            dip = loudness.dip(begin_ms - _HOLD_AHEAD_MS - _BESIDE_MS, end_ms + _BESIDE_MS)
            if dip is not None and dip[1] > begin_ms - _HOLD_AHEAD_MS and dip[0] < end_ms:
                shut_ms, opened_ms = max(dip[0], begin_ms - _HOLD_AHEAD_MS), min(dip[1], end_ms)
        short_ms = max(0.0, _LEAST_SHUT_MS - (opened_ms - shut_ms))
        return shut_ms - short_ms / 2, opened_ms + short_ms / 2
