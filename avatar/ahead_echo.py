"""Which speech a renderer shows that plays its own sound beside its pictures: found by its sound, never by when it
comes. Pure.

It is followed by counting: what it plays comes in the order in which it was sent, with silence where it had
nothing. A cross-correlation of the sound itself puts right what the count missed, and after an interruption it has
to prove that the new speech plays and not the rest of the old. Both sides are compared at 4 kHz, which every codec
leaves as it is.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar.ahead import Label

COARSE_HZ: Final = 4_000
_HOP: Final = COARSE_HZ // 100
"""Coarse samples of 10 ms, the step in which it is followed."""
_LOUD: Final = 0.004
"""RMS of a hop that is speech, full scale being 1: -48 dB."""
_ONSET: Final = 3
"""Loud hops in a row: it has begun to play."""
_STARVED: Final = 15
"""Quiet hops where speech was sent: it has nothing to play."""
_OVER: Final = 30
"""Quiet hops after which an interruption has been obeyed."""
_WINDOW: Final = 50
"""Hops that are compared."""
_SPEECH: Final = 0.6
"""The part of them that has to be loud: a short sound is like too many others."""
_REACH: Final = 100
"""Hops to both sides in which it is looked for while it is followed."""
_EVERY: Final = 5
"""Hops from one comparison to the next."""
_SURE: Final = 0.8
"""Correlation coefficient. Half a second of a synthetic voice has 0.7 at the most with other words of its own, and
0.87 with itself through Opus."""
_WRONG: Final = 0.5
"""Below, something else plays; between, a sample or two were lost on the way."""
_DOUBTS: Final = 6
"""Comparisons in a row that say no."""
_KEPT: Final = 30 * COARSE_HZ
"""Of what was sent."""

Coarse = npt.NDArray[np.float32]


class _State(Enum):
    IDLE = "idle"
    FOLLOWING = "following"
    LOST = "lost"
    """What plays is of an old epoch, or of nobody knows what."""


@dataclass(frozen=True, slots=True)
class _Sent:
    begin: int
    """In coarse samples of all that was sent."""
    utterance: int
    offset: int


class Echo:
    """One call."""

    def __init__(self, rate_hz: int) -> None:
        """`rate_hz` is the clock's, of all sound and of labels: a multiple of 4000."""
        if rate_hz % COARSE_HZ:
            raise ValueError(f"the rate is a multiple of {COARSE_HZ} Hz, got {rate_hz}")
        self._factor = rate_hz // COARSE_HZ
        self._epoch = 0
        self._state = _State.IDLE
        self._proved = True
        self._matched = False
        """Whether a comparison ever said yes. A renderer that changes the sound is followed by counting alone."""
        self._sent = np.zeros(0, np.float32)
        self._dropped = 0
        """How many coarse samples at the beginning of `_sent` are gone."""
        self._marks: deque[_Sent] = deque()
        self._odd = np.zeros(0, np.int16)
        """What was sent of a coarse sample that is not whole yet."""
        self._rest = np.zeros(0, np.int16)
        """What was heard of a hop that is not whole yet."""
        self._heard = np.zeros(_WINDOW * _HOP, np.float32)
        self._cursor = 0
        """The coarse sample, of all that was sent, that plays next."""
        self._loud = self._since = self._doubts = 0
        self._quiet = _OVER

    @property
    def label(self) -> Label | None:
        """What a picture shows that comes now; None where that is not known."""
        if self._state is _State.IDLE and self._quiet >= _ONSET:
            return Label(self._epoch)
        if self._state is not _State.FOLLOWING or not self._proved:
            return None
        at = max(0, self._cursor + len(self._rest) // self._factor)
        mark = next((mark for mark in reversed(self._marks) if mark.begin <= at), None)
        if mark is None:
            return None
        return Label(self._epoch, mark.utterance, mark.offset + (at - mark.begin) * self._factor)

    def sent(self, utterance: int, offset: int, pcm: bytes) -> None:
        """Speech was given to it, int16 mono, after all that was given before."""
        samples = np.concatenate([self._odd, np.frombuffer(pcm, np.int16)])
        offset -= len(self._odd)
        end = self._end
        last = self._marks[-1] if self._marks else None
        if (
            last is None
            or last.utterance != utterance
            or last.offset + (end - last.begin) * self._factor != offset
        ):
            # A coarse sample across two utterances counts for the later one.
            self._marks.append(_Sent(end, utterance, offset))
        coarse, self._odd = _coarse(samples, self._factor, 1)
        self._sent = np.concatenate([self._sent, coarse])
        gone = max(0, len(self._sent) - _KEPT)
        self._sent = self._sent[gone:]
        self._dropped += gone
        while len(self._marks) > 1 and self._marks[1].begin <= self._dropped:
            self._marks.popleft()

    def cleared(self, epoch: int) -> None:
        """A new epoch: what was given before will not play, but some of it may still."""
        self._epoch = epoch
        if self._state is not _State.IDLE or self._quiet < _OVER:
            self._state, self._since, self._proved = _State.LOST, 0, False
        self._cursor = self._dropped = self._end
        self._sent, self._odd = self._sent[:0], self._odd[:0]
        self._marks.clear()

    def played(self, pcm: bytes) -> None:
        """It plays this: int16 mono at the clock's rate, silence included."""
        samples = np.concatenate([self._rest, np.frombuffer(pcm, np.int16)])
        coarse, self._rest = _coarse(samples, self._factor, _HOP)
        for at in range(0, len(coarse), _HOP):
            self._step(coarse[at : at + _HOP])

    @property
    def _end(self) -> int:
        return self._dropped + len(self._sent)

    def _step(self, hop: Coarse) -> None:
        self._heard = np.concatenate([self._heard[_HOP:], hop])
        loud = _rms(hop) > _LOUD
        self._loud = self._loud + 1 if loud else 0
        self._quiet = 0 if loud else self._quiet + 1
        self._since += 1
        if self._state is _State.FOLLOWING:
            self._cursor += _HOP
            self._follow()
        elif self._state is _State.IDLE and self._loud >= _ONSET and (onset := self._onset()) is not None:
            self._state, self._since = _State.FOLLOWING, _ONSET
            self._proved = self._proved or not self._matched
            self._cursor = onset + _ONSET * _HOP
        elif self._state is _State.LOST:
            if self._quiet >= _OVER:
                self._state = _State.IDLE
            elif self._since >= _WINDOW and self._since % _EVERY == 0:
                self._find(self._dropped, self._end)

    def _follow(self) -> None:
        if self._quiet >= _STARVED and self._cursor >= self._end:
            self._state, self._cursor = _State.IDLE, self._end
        elif self._quiet >= _STARVED and self._owed():
            self._state = _State.IDLE
            self._cursor -= self._quiet * _HOP
        elif self._since >= _WINDOW and self._since % _EVERY == 0:
            reach = _REACH * _HOP
            sure = self._find(self._cursor - reach, self._cursor + reach)
            self._doubts = self._doubts + 1 if sure is False else 0
            if self._doubts >= _DOUBTS and self._matched:
                self._state, self._proved, self._since = _State.LOST, False, 0

    def _owed(self) -> bool:
        """Whether most of what was sent where it is quiet is speech.

        The count may be some hops late, and those hold the end of the word before.
        """
        at = self._cursor - self._dropped
        sent = self._sent[max(0, at - self._quiet * _HOP) : max(0, at)]
        return int(_louder(sent, 2 * _LOUD).sum()) > self._quiet // 2

    def _onset(self) -> int | None:
        """Where the next speech begins that was sent and has not played."""
        begin = max(0, self._cursor - self._dropped)
        loud = np.flatnonzero(_louder(self._sent[begin:], _LOUD))
        return self._dropped + begin + int(loud[0]) * _HOP if len(loud) else None

    def _find(self, begin: int, end: int) -> bool | None:
        """Look for what was heard last among what was sent, for a cursor between `begin` and `end`; go there if it
        surely is there. None when nothing can be said."""
        heard = self._heard
        first = max(0, begin - self._dropped - len(heard))
        sent = self._sent[first : max(0, end - self._dropped)]
        if len(sent) < len(heard) or _louder(heard, _LOUD).mean() < _SPEECH:
            return None
        fits = _fits(sent, heard)
        best = int(np.argmax(fits))
        if fits[best] < _SURE:
            return False if fits[best] < _WRONG else None
        self._state, self._proved, self._matched = _State.FOLLOWING, True, True
        self._cursor = self._dropped + first + best + len(heard)
        return True


def _coarse(samples: npt.NDArray[np.int16], factor: int, step: int) -> tuple[Coarse, npt.NDArray[np.int16]]:
    """A multiple of `step` coarse samples, each the mean of `factor`, and what is left over."""
    whole = len(samples) // (factor * step) * factor * step
    means = samples[:whole].astype(np.float32).reshape(-1, factor).mean(axis=1) / 32_768
    return means.astype(np.float32), samples[whole:]


def _louder(samples: Coarse, rms: float) -> npt.NDArray[np.bool_]:
    """Whether each whole hop is louder than that."""
    hops = samples[: len(samples) // _HOP * _HOP].reshape(-1, _HOP)
    return np.asarray(np.sqrt(np.mean(hops * hops, axis=1)) > rms)


def _rms(samples: Coarse) -> float:
    return float(np.sqrt(np.mean(samples * samples))) if len(samples) else 0.0


def _fits(sent: Coarse, heard: Coarse) -> npt.NDArray[np.float64]:
    """The correlation coefficient at every place where `heard` lies whole within `sent`."""
    size = 1 << (len(sent) + len(heard)).bit_length()
    product = np.fft.irfft(np.fft.rfft(sent, size) * np.conj(np.fft.rfft(heard, size)), size)
    sums = np.concatenate([[0.0], np.cumsum(np.square(sent, dtype=np.float64))])
    energy = sums[len(heard) :] - sums[: -len(heard)]
    norm = np.sqrt(np.maximum(energy, 1e-4) * float(np.sum(np.square(heard, dtype=np.float64))))
    return np.asarray(product[: len(energy)] / np.maximum(norm, 1e-9))
