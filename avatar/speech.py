"""The twin's speech as its mouth sees it: what was expected, what sounded, and the mouth for a sample of the
clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from avatar.ear import Ear
from avatar.gestures import BEGIN, END, KNOWN, OPENED, REACH_MS, SHUT, UNTIL, Gestures, Level, Rows
from avatar.loudness import Loudness
from avatar.mouth import pose
from avatar.timeline import Part, Phone, Run, Said, Timeline
from avatar.visemes import Floats

BYTES_PER_SAMPLE: Final = 2
EASE_MS: Final = 55.0
"""How long the mouth takes to close when it is stopped."""
_PATIENCE_MS: Final = 350.0
"""So much sound without phones may wait for them; engines tell a phone when it has ended. Beyond, it is
guessed."""
_TIMES = [BEGIN, END, SHUT, OPENED]
_MOMENTS = [KNOWN, UNTIL]


@dataclass(slots=True)
class _Utterance:
    gestures: Gestures
    loudness: Loudness
    ear: Ear
    words: list[Said] = field(default_factory=list)
    samples: int = 0


class Speech:
    """One call's. What it answers for a position depends on what it was told alone."""

    def __init__(self, rate_hz: int) -> None:
        self.timeline = Timeline(rate_hz)
        self._rate_hz = rate_hz
        self._per_ms = rate_hz / 1000
        self._reach = round(REACH_MS * self._per_ms)
        self._level = Level()
        self._utterances: dict[int, _Utterance] = {}

    @property
    def estimates(self) -> bool:
        """Whether the mouth of what sounded last is guessed from the sound, because no phones came with it."""
        utterance = self._utterances.get(self.timeline.sounding or 0)
        return utterance is not None and self.timeline.sounding is not None and utterance.gestures.estimated

    def words(self, utterance: int) -> list[Said]:
        """All words told of an utterance so far."""
        known = self._utterances.get(utterance)
        return known.words if known else []

    def expect(
        self,
        utterance: int,
        pcm: bytes,
        phones: Sequence[Phone],
        words: Sequence[Said],
        *,
        exact: bool,
        last: bool = False,
    ) -> None:
        """A piece of speech waits to leave; see `Stage.expect`. Its sound is listened to and not kept."""
        # The outlet plays whole samples only; half of one kept here would shift all bytes that follow.
        pcm = pcm[: len(pcm) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE]
        spoken = self._utterances.get(utterance)
        if spoken is None:
            spoken = _Utterance(Gestures(self._level), Loudness(self._rate_hz), Ear(self._rate_hz))
            self._utterances[utterance] = spoken
        begin_ms = spoken.samples / self._per_ms
        spoken.loudness.feed(pcm)
        spoken.samples += len(pcm) // BYTES_PER_SAMPLE
        end_ms = spoken.samples / self._per_ms
        spoken.words += words
        known = self.timeline.next_position
        spoken.gestures.add(phones, spoken.loudness, known)
        waited_ms = end_ms - spoken.gestures.covered_ms
        hopeless = not exact or (last and not spoken.gestures.covered_ms)
        if pcm and not phones and waited_ms > (0.0 if hopeless else _PATIENCE_MS):
            self._guess(spoken, pcm, begin_ms, known)
        self.timeline.expect(utterance, len(pcm) // BYTES_PER_SAMPLE)
        if len(self._utterances) > len(alive := self.timeline.alive) + 8:
            self._utterances = {one: kept for one, kept in self._utterances.items() if one in alive}

    def sounded(self, position: int, parts: Sequence[Part]) -> list[Run]:
        """These parts leave in the chunk at `position`. Returns what began with it."""
        return self.timeline.sounded(position, parts)

    def mouth_at(self, position: int) -> Floats | None:
        """The values of `visemes.MOUTH` for the sample at `position`; None: shut."""
        mouth: Floats | None = None
        for era, runs in self.timeline.around(position, self._reach):
            share = 1.0
            if era.stop is not None and position > era.stop:
                gone = (position - era.stop) / self._per_ms / EASE_MS
                if gone >= 1.0:
                    continue
                share = 1.0 - gone * gone * (3.0 - 2.0 * gone)
            rows = [self._rows(run, position) for run in runs if run.utterance in self._utterances]
            if not rows:
                continue
            values = pose(rows[0] if len(rows) == 1 else np.concatenate(rows))
            if values is not None:
                values *= share
                mouth = values if mouth is None else mouth + values
        return mouth

    def _rows(self, run: Run, position: int) -> Rows:
        """The movements of a run, their times in milliseconds from `position`."""
        now_ms = (position - run.start) / self._per_ms
        rows = self._utterances[run.utterance].gestures.around(now_ms)
        if run.begin > run.start:
            begin_ms = (run.begin - run.start) / self._per_ms
            rows = rows[rows[:, END] > begin_ms]
            np.maximum(rows[:, BEGIN], begin_ms, out=rows[:, BEGIN])
        if not run.whole:
            end_ms = (run.end - run.start) / self._per_ms
            rows = rows[rows[:, BEGIN] < end_ms]
            np.minimum(rows[:, END], end_ms, out=rows[:, END])
        np.maximum(rows[:, KNOWN], run.known, out=rows[:, KNOWN])
        rows[:, _TIMES] -= now_ms
        rows[:, _MOMENTS] -= position
        rows[:, _MOMENTS] /= self._per_ms
        return rows

    def _guess(self, spoken: _Utterance, pcm: bytes, begin_ms: float, known: int) -> None:
        skipped = max(0, round((spoken.gestures.covered_ms - begin_ms) * self._per_ms))
        heard = spoken.ear.hear(pcm[skipped * BYTES_PER_SAMPLE :], begin_ms + skipped / self._per_ms)
        spoken.gestures.guess(heard, spoken.loudness, known)
