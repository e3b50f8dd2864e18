"""What the twin says and when: which utterance sounds at which sample of the outlet's clock. Pure, in whole
samples.

What waits to leave counts as well: it will follow what left last without a gap, unless the door is held. That
is how lips can be ahead of the sound. When the door is held or the turn is given up, an era ends: what was said
until then fades out, and what comes later knows nothing of it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

CHUNK_MS = 20
HISTORY_MS = 3_000
"""How long ago a sample may be to be asked for still."""
_WAITING: Final = 512
"""Utterances; the outlet keeps 20 s of speech at most."""
_EARLIEST_MS: Final = -1_000.0
_LATEST_MS: Final = 600_000.0
"""Of an utterance, which is a sentence or a few."""
_BEHIND: Final = 16
"""Utterances that have left and may still have to come back, because the wire threw them away."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A speech sound in IPA and when it sounds, in milliseconds from the first sample of its utterance."""

    ipa: str
    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class Said:
    """A written word and when it sounds, in milliseconds from the first sample of its utterance."""

    text: str
    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class Part:
    """`samples` of an utterance, from its sample `offset` on, placed `at` samples into a chunk."""

    at: int
    samples: int
    utterance: int
    offset: int


Timed = TypeVar("Timed", Phone, Said)


def possible(timed: Sequence[Timed], longest_ms: float) -> list[Timed]:
    """In the order in which they begin, without those whose times cannot be, and none longer than `longest_ms`:
    services send times that are missing, huge or out of order, or book a pause on the sound before it."""
    found: list[Timed] = []
    for each in timed:
        if not (math.isfinite(each.start_ms) and math.isfinite(each.end_ms)):
            continue
        if _EARLIEST_MS <= each.start_ms <= min(each.end_ms, _LATEST_MS):
            over = each.end_ms > each.start_ms + longest_ms
            found.append(replace(each, end_ms=each.start_ms + longest_ms) if over else each)
    found.sort(key=lambda each: each.start_ms)
    return found


@dataclass(slots=True)
class Run:
    """An unbroken stretch of one utterance on the clock."""

    utterance: int
    start: int
    """The position of the utterance's first sample, had it been said without a break."""
    begin: int
    """The position of the first sample of the stretch."""
    end: int
    """And the one after its last."""
    known: int
    """The position from which on it could be known that it would be so."""
    whole: bool = False
    """It goes on without a break, as far as one can tell: what follows of the utterance follows here."""


@dataclass(slots=True)
class Era:
    """What sounded between two interruptions."""

    begin: int | None
    """Nothing of it shows before. None while it is not known when it will begin."""
    runs: list[Run] = field(default_factory=list)
    stop: int | None = None
    """The position from which on it is silent; None while it goes on."""


class Timeline:
    """One call."""

    def __init__(self, rate_hz: int) -> None:
        self._chunk = rate_hz * CHUNK_MS // 1000
        self._history = rate_hz * HISTORY_MS // 1000
        self._lengths: dict[int, int] = {}
        """Samples expected of each utterance, in the order in which they were."""
        self._now: tuple[int, int] | None = None
        """The utterance that sounded last, and its sample that comes next."""
        self._eras: deque[Era] = deque([Era(begin=0)])
        self._held = False
        self._next = 0

    @property
    def next_position(self) -> int:
        """Where the next chunk begins: whatever is told now can be seen from there on."""
        return self._next

    @property
    def held(self) -> bool:
        return self._held

    @property
    def sounding(self) -> int | None:
        """The utterance that sounded last; None when none has since the last `dropped`."""
        return self._now[0] if self._now else None

    @property
    def alive(self) -> set[int]:
        """The utterances that can still be asked for."""
        return {run.utterance for era in self._eras for run in era.runs} | set(self._lengths)

    def expect(self, utterance: int, samples: int) -> None:
        """So many samples of it wait to leave, after all that wait already."""
        self._lengths[utterance] = self._lengths.get(utterance, 0) + samples
        behind = list(self._lengths)
        if self._now is not None and self._now[0] in self._lengths:
            behind = behind[: behind.index(self._now[0])]
        else:
            behind = behind[:-_WAITING]
        for old in behind[: max(0, len(behind) - _BEHIND)]:
            del self._lengths[old]

    def sounded(self, position: int, parts: Sequence[Part]) -> list[Run]:
        """These parts leave in the chunk that begins at `position`, perhaps none. Returns the runs that began with
        it."""
        began: list[Run] = []
        for part in parts:
            if part.utterance in self._lengths and part.samples > 0:
                began += self._leaves(position + part.at, part)
        if parts:
            self._next = max(position + self._chunk, position + parts[-1].at + parts[-1].samples)
        else:
            self._next = position + self._chunk
        self._forget()
        return began

    def stopped(self, position: int) -> None:
        """Held: from `position` on nothing sounds until parts are told again."""
        if self._held:
            return
        era = self._eras[-1]
        # What would have followed goes on fading, or the mouth would jump at the stop.
        era.runs = self._with_waiting(era, self._next)
        era.stop = position
        self._eras.append(Era(begin=None))
        self._held = True

    def dropped(self, position: int) -> None:
        """The turn is given up: what was expected will never sound."""
        self.stopped(position)
        self._lengths.clear()
        self._now = None
        self._held = False
        if self._eras[-1].begin is None:
            self._eras[-1].begin = position

    def around(self, position: int, reach: int) -> list[tuple[Era, list[Run]]]:
        """What is heard within `reach` samples of this position, era by era."""
        found = []
        for era in self._eras:
            if era.begin is None or position < era.begin:
                continue
            runs = era.runs
            if era.stop is None and not self._held:
                # Where nothing sounds, a chunk that was not told was a silent one.
                silent = not era.runs or era.runs[-1].end < self._next
                runs = self._with_waiting(era, max(self._next, position) if silent else self._next)
            near = [run for run in runs if run.begin - reach < position < run.end + reach]
            if near:
                found.append((era, near))
        return found

    def start_of(self, utterance: int) -> int | None:
        """The position of its first sample, as far as one can tell; None while it is held or never heard of."""
        era = self._eras[-1]
        if self._held or era.begin is None:
            return None
        runs = [run for run in self._with_waiting(era, self._next) if run.utterance == utterance]
        return runs[-1].start if runs else None

    def _leaves(self, position: int, part: Part) -> list[Run]:
        era = self._eras[-1]
        last = era.runs[-1] if era.runs else None
        start = position - part.offset
        self._now = (part.utterance, part.offset + part.samples)
        if last is not None and last.utterance == part.utterance and last.start == start and last.end == position:
            last.end += part.samples
            return []
        # Speech that begins was waiting and was seen to; speech that goes on after a gap was not.
        known = position if self._held or part.offset > 0 else 0
        if era.begin is None:
            era.begin = position
        self._held = False
        run = Run(part.utterance, start, position, position + part.samples, known)
        era.runs.append(run)
        return [run]

    def _with_waiting(self, era: Era, position: int) -> list[Run]:
        """The runs of an era, and what waits as if it left from `position` on."""
        runs = list(era.runs)
        waiting = list(self._lengths)
        offset = 0
        if self._now is not None and self._now[0] in self._lengths:
            waiting = waiting[waiting.index(self._now[0]) :]
            offset = self._now[1]
        for utterance in waiting:
            samples = self._lengths[utterance] - offset
            last = runs[-1] if runs else None
            if last is not None and last.utterance == utterance and last.end == position:
                runs[-1] = Run(utterance, last.start, last.begin, last.end + samples, last.known)
            elif samples > 0:
                known = position if offset else 0
                runs.append(Run(utterance, position - offset, position, position + samples, known))
            position += max(0, samples)
            offset = 0
        if runs:
            last = runs[-1]
            runs[-1] = Run(
                last.utterance, last.start, last.begin, last.end, last.known, whole=last.end >= self._next
            )
        return runs

    def _forget(self) -> None:
        oldest = self._next - self._history
        while len(self._eras) > 1 and (self._eras[0].stop or 0) < oldest:
            self._eras.popleft()
        runs = self._eras[-1].runs
        while len(runs) > 1 and runs[0].end < oldest:
            del runs[0]
