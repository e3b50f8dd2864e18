"""Which words were heard: the timeline of what was said, laid over the clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from channels.pending import Span
from channels.spoken import Spoken, Word


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word the person has heard; `start` and `end` are positions of the outlet's clock."""

    utterance: int
    text: str
    start: int
    end: int
    exact: bool
    provenance: str


@dataclass(slots=True)
class _Utterance:
    words: list[Word] = field(default_factory=list)
    next_word: int = 0
    samples: int = 0
    """How much of it the voice has delivered."""
    heard: int = 0
    """How much of it was heard."""
    origin: int = 0
    """The position of its first sample, had it sounded without a break."""
    complete: bool = False
    exact: bool = False
    provenance: str = ""


@dataclass(slots=True)
class _Sounded:
    position: int
    span: Span


class HeardTrack:
    """Turns "this many samples were heard" into words.

    A word counts as heard when at least half of it was: people finish a word they heard most of, and a word cut
    in its first half is not recognised.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._utterances: dict[int, _Utterance] = {}
        self._sounded: deque[_Sounded] = deque()

    def expect(self, spoken: Spoken) -> None:
        """A piece of speech is on its way to the outlet; its words may come with any piece."""
        utterance = self._utterances.setdefault(spoken.utterance, _Utterance())
        utterance.words.extend(spoken.words)
        utterance.samples += len(spoken.pcm) // 2
        if spoken.words:
            utterance.exact = spoken.exact
        utterance.provenance = spoken.provenance or utterance.provenance
        utterance.complete = utterance.complete or spoken.last

    def sounded(self, position: int, spans: list[Span]) -> None:
        """These spans left the outlet in the chunk that began at `position`."""
        self._sounded.extend(_Sounded(position + span.at, span) for span in spans)

    def unheard(self, position: int) -> int:
        """The wire threw away everything from `position` on; returns how many samples of speech that was."""
        lost = 0
        while self._sounded and self._sounded[-1].position + self._sounded[-1].span.samples > position:
            last = self._sounded.pop()
            kept = max(0, position - last.position)
            lost += last.span.samples - kept
            if kept:
                span = last.span
                self._sounded.append(_Sounded(last.position, Span(0, kept, span.utterance, span.offset)))
                break
        return lost

    def heard(self, position: int) -> list[HeardWord]:
        """Everything before `position` was heard; returns the words that became heard by that, in order."""
        words: list[HeardWord] = []
        while self._sounded and self._sounded[0].position < position:
            first = self._sounded[0]
            span = first.span
            samples = min(span.samples, position - first.position)
            utterance = self._utterances.get(span.utterance)
            if utterance is not None:
                utterance.heard = max(utterance.heard, span.offset + samples)
                utterance.origin = first.position - span.offset
                words += self._take(span.utterance, utterance)
            if samples < span.samples:
                break
            self._sounded.popleft()
        # A voice may give a word after its sound, and the end of an utterance without any sound.
        for number, utterance in tuple(self._utterances.items()):
            words += self._take(number, utterance)
        return words

    def _take(self, number: int, utterance: _Utterance) -> list[HeardWord]:
        """Words of one utterance that are heard by now."""
        words: list[HeardWord] = []
        ended = utterance.complete and utterance.heard >= utterance.samples
        while utterance.next_word < len(utterance.words):
            word = utterance.words[utterance.next_word]
            middle_ms = (word.start_ms + word.end_ms) / 2
            if not ended and middle_ms * self._rate_hz / 1000 > utterance.heard:
                break
            start = utterance.origin + round(word.start_ms * self._rate_hz / 1000)
            end = utterance.origin + round(word.end_ms * self._rate_hz / 1000)
            words.append(
                HeardWord(number, word.text, start, end, utterance.exact, utterance.provenance),
            )
            utterance.next_word += 1
        if ended:
            del self._utterances[number]
        return words

    def forget(self) -> None:
        """A new epoch: nothing that was expected will sound any more. What already sounded stays countable."""
        self._utterances = {
            number: utterance
            for number, utterance in self._utterances.items()
            if any(sounded.span.utterance == number for sounded in self._sounded)
        }
