"""What the twin itself sounded, so that its voice out of somebody's loudspeaker is not taken for theirs."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.engines.voice.resample import resampled
from agent.meeting.hearing.copies import COMPARED_MS, Taken
from agent.meeting.hearing.sound import is_same
from agent.meeting.hearing.words import share, tokens
from channels.clock import Clock
from channels.pending import BYTES_PER_SAMPLE, Span
from channels.spoken import Spoken, Word

LATEST_MS = 900
"""A sound that left comes back within so much: the lead, two ways through the network, a room."""
SAME_WORDS = 0.7
SOME_WORDS = 0.5
"""As in `copies`: enough when the sound is the same as well."""
FEW = 3
"""So few words may be the same by chance."""
COVERED = 0.6
"""Of an echo the twin sounded at least so much; somebody who repeats its words does so after it."""
MOST_UTTERANCES = 20
MOST_SPANS = 1_000


@dataclass(slots=True)
class _Utterance:
    words: list[Word] = field(default_factory=list)
    pcm: bytearray = field(default_factory=bytearray)
    """At the rate of the microphones."""


@dataclass(slots=True)
class _Sounded:
    position: int
    utterance: int
    offset: int
    samples: int

    @property
    def end(self) -> int:
        return self.position + self.samples

    def goes_on(self, begin: int, span: Span) -> bool:
        return self.utterance == span.utterance and self.offset + self.samples == span.offset and self.end == begin


class OwnVoice:
    """An onlooker of the outlet."""

    def __init__(self, clock: Clock, rate_hz: int) -> None:
        """`rate_hz`: of the microphones."""
        self._clock = clock
        self._rate_hz = rate_hz
        self._utterances: dict[int, _Utterance] = {}
        self._sounded: deque[_Sounded] = deque(maxlen=MOST_SPANS)

    @property
    def utterances(self) -> int:
        """How many are remembered."""
        return len(self._utterances)

    @property
    def sounds(self) -> bool:
        """Whether an echo may arrive now."""
        late = self._clock.position - self._clock.samples(LATEST_MS)
        return bool(self._sounded) and self._sounded[-1].end > late

    def expected(self, spoken: Spoken) -> None:
        """From the outlet."""
        utterance = self._utterances.setdefault(spoken.utterance, _Utterance())
        utterance.words.extend(spoken.words)
        utterance.pcm += resampled(spoken.pcm, self._clock.rate_hz, self._rate_hz)
        while len(self._utterances) > MOST_UTTERANCES:
            del self._utterances[next(iter(self._utterances))]

    def sounded(self, position: int, spans: Sequence[Span]) -> None:
        """From the outlet."""
        for span in spans:
            begin = position + span.at
            last = self._sounded[-1] if self._sounded else None
            if last is not None and last.goes_on(begin, span):
                last.samples += span.samples
            else:
                self._sounded.append(_Sounded(begin, span.utterance, span.offset, span.samples))

    def stopped(self, position: int) -> None:
        """From the outlet: what left after `position` was never heard."""
        while self._sounded and self._sounded[-1].position >= position:
            self._sounded.pop()
        if self._sounded:
            last = self._sounded[-1]
            last.samples = min(last.samples, position - last.position)

    def dropped(self, position: int, epoch: int) -> None:
        """From the outlet; what has sounded stays known."""

    def echoes(self, taken: Taken) -> bool:
        """Whether what somebody's microphone gave is the twin."""
        words = self._share(taken.text, taken.start, taken.end)
        if len(tokens(taken.text)) >= FEW and words >= SAME_WORDS:
            return True
        return words >= SOME_WORDS and self.sounds_like(taken)

    def may_be(self, text: str, start: int, end: int) -> bool:
        """The same by the words alone, for those that may still change."""
        return self._share(text, start, end) >= (1.0 if len(tokens(text)) < FEW else SAME_WORDS)

    def _share(self, text: str, start: int, end: int) -> float:
        if not self._covers(start, end):
            return 0.0
        said = " ".join(self._words(start - self._clock.samples(2 * LATEST_MS), end))
        return share(tokens(text), tokens(said))

    def _covers(self, start: int, end: int) -> bool:
        """Whether the twin sounded for most of this time, as it comes back."""
        late = self._clock.samples(LATEST_MS / 3)
        overlaps = (min(end - late, each.end) - max(start - late, each.position) for each in self._sounded)
        return sum(max(0, overlap) for overlap in overlaps) >= COVERED * max(1, end - start)

    def _words(self, begin: int, end: int) -> list[str]:
        """Those whose middle sounded between two positions."""
        found = []
        for sounded in self._sounded:
            utterance = self._utterances.get(sounded.utterance)
            if utterance is None or sounded.position >= end or sounded.end <= begin:
                continue
            for word in utterance.words:
                into = self._clock.samples((word.start_ms + word.end_ms) / 2) - sounded.offset
                if 0 <= into < sounded.samples and begin <= sounded.position + into < end:
                    found.append(word.text)
        return found

    def sounds_like(self, taken: Taken) -> bool:
        """The same by the sound alone, where there are no words."""
        if not self._covers(taken.start, taken.end):
            return False
        end = min(taken.end, taken.start + self._clock.samples(COMPARED_MS))
        mine = taken.between(taken.start, end, self._clock.rate_hz)
        own = self._pcm(taken.start - self._clock.samples(LATEST_MS), end)
        return is_same(mine, own, self._rate_hz)

    def _pcm(self, begin: int, end: int) -> bytes:
        """What sounded between two positions, at the rate of the microphones."""
        scale = self._rate_hz / self._clock.rate_hz
        whole = bytearray(round((end - begin) * scale) * BYTES_PER_SAMPLE)
        for sounded in self._sounded:
            utterance = self._utterances.get(sounded.utterance)
            first, last = max(begin, sounded.position), min(end, sounded.end)
            if utterance is None or first >= last:
                continue
            source = round((sounded.offset + first - sounded.position) * scale) * BYTES_PER_SAMPLE
            at = round((first - begin) * scale) * BYTES_PER_SAMPLE
            part = utterance.pcm[source : source + round((last - first) * scale) * BYTES_PER_SAMPLE]
            part = part[: len(whole) - at]
            whole[at : at + len(part)] = part
        return bytes(whole)
