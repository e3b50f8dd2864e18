"""Speech at the rate that a renderer wants, with its offsets counted at that rate."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from agent.engines.voice.resample import Resampler
from agent.face.mailbox import Speech


@dataclass(slots=True)
class _Utterance:
    number: int
    epoch: int
    end: int
    """The sample after what has come of it, at the clock's rate."""
    next: int
    """And of what was given, at the renderer's."""
    resampler: Resampler


class Feed:
    """One call's speech. Utterances come one after the other."""

    def __init__(self, rate_hz: int, to_hz: int) -> None:
        """From the clock's rate to the renderer's."""
        self._rates = (rate_hz, to_hz)
        self._ratio = Fraction(to_hz, rate_hz)
        self._now: _Utterance | None = None

    def give(self, speech: Speech) -> list[Speech]:
        """The same for the renderer; the filter holds a few milliseconds back until more comes, or the end."""
        given = []
        now = self._now
        if now is None or (now.number, now.end, now.epoch) != (speech.utterance, speech.offset, speech.epoch):
            given += self._ended(last=False)
            at = round(speech.offset * self._ratio)
            now = _Utterance(speech.utterance, speech.epoch, speech.offset, at, Resampler(*self._rates))
            self._now = now
        now.end += len(speech.pcm) // 2
        pcm = now.resampler.feed(speech.pcm)
        if pcm:
            given.append(self._piece(now, pcm, last=False))
        if speech.last:
            given += self._ended(last=True)
        return given

    def clear(self) -> None:
        """What is held back will not sound."""
        self._now = None

    def offset(self, at: int) -> int:
        """A renderer's offset as the clock counts."""
        return round(at / self._ratio)

    def _ended(self, *, last: bool) -> list[Speech]:
        now, self._now = self._now, None
        if now is None:
            return []
        pcm = now.resampler.finish()
        return [self._piece(now, pcm, last=last)] if pcm or last else []

    def _piece(self, now: _Utterance, pcm: bytes, *, last: bool) -> Speech:
        piece = Speech(now.number, now.next, pcm, now.epoch, last)
        now.next += len(pcm) // 2
        return piece
