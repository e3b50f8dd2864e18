"""Which words of a growing transcript will not change any more: local agreement. Pure.

Whisper decodes whole pieces of audio, not a stream. While somebody speaks, the growing audio is decoded again
and again; the words two successive decodes begin with alike are taken as settled (Machacek and others,
"Turning Whisper into Real-Time Transcription System", 2023). Settled words never change, whatever follows.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from agent.engines.base import Hypothesis

MAX_REPEATS = 3
"""Of one phrase in a row; Whisper loops on noise, people do not."""
_FROM_SUBTITLES = re.compile(
    r"(thanks?( you)?( so much)? for (watching|listening)|subtitles? (by|made by).*|.*amara\.org.*"
    r"|please (like and )?subscribe.*|see you in the next (video|one)|transcri(bed|ption) by .*)[.!]*",
    re.IGNORECASE,
)
"""What Whisper says into silence, from the subtitles it learned from; nobody says it on the phone."""
_FROM_BREATH = re.compile(r"(you|thank you|thanks|bye|okay|oh|so)[.!]*", re.IGNORECASE)
"""The same for short noises; people do say these, so only a doubtful segment is dropped for it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of one decode; times are positions in samples, as `TurnAudio` counts them."""

    text: str
    end: int
    no_speech: float = 0.0
    """Probability that there is no speech in it."""
    logprob: float = 0.0
    """Mean log probability of its tokens."""


def _key(word: str) -> str:
    """What counts when two decodes are compared: not the comma that one of them heard."""
    return re.sub(r"[^\w']", "", word).lower() or word


def is_invented(segment: Segment) -> bool:
    """Whether Whisper made it up from silence or noise, by its own measures and by its known habits."""
    text = segment.text.strip()
    if not text or not re.search(r"\w", text) or re.fullmatch(r"[\[(*♪].*[\])*♪]", text):
        return True
    if _FROM_SUBTITLES.fullmatch(text) or (_FROM_BREATH.fullmatch(text) and segment.no_speech > 0.4):
        return True
    if segment.logprob < -1.3 or (segment.no_speech > 0.6 and segment.logprob < -0.7):
        return True
    encoded = text.encode()
    if len(encoded) > 60 and len(encoded) / len(zlib.compress(encoded)) > 2.4:
        return True
    return _repeats([_key(word) for word in text.split()]) > MAX_REPEATS * 2


def _repeats(words: Sequence[str]) -> int:
    """The longest run of one phrase of one to four words, in repetitions."""
    longest = 1
    for size in range(1, 5):
        run = 1
        for at in range(size, len(words) - size + 1, size):
            run = run + 1 if words[at : at + size] == words[at - size : at] else 1
            longest = max(longest, run)
    return longest


def without_loops(words: Sequence[str]) -> list[str]:
    """Cut a phrase that comes more than `MAX_REPEATS` times in a row down to that many."""
    kept: list[str] = []
    for word in words:
        kept.append(word)
        for size in range(1, 5):
            tail = [_key(each) for each in kept[-size * (MAX_REPEATS + 1) :]]
            if len(tail) == size * (MAX_REPEATS + 1) and tail == tail[:size] * (MAX_REPEATS + 1):
                del kept[-size:]
                break
    return kept


class Agreement:
    """The transcript of one turn as decodes of it come in.

    `trimmed` words belong to audio that was let go, `stable` ones are settled but their audio is still
    decoded, and the rest of the last decode may change.
    """

    def __init__(self) -> None:
        self._trimmed: list[str] = []
        self._stable: list[str] = []
        self._last: list[str] = []

    @property
    def hypothesis(self) -> Hypothesis:
        """Everything so far."""
        settled = [*self._trimmed, *self._stable]
        words = [*settled, *self._last[len(self._stable) :]]
        return Hypothesis(" ".join(words), len(settled))

    def add(self, segments: Sequence[Segment]) -> None:
        """Take a decode of all the audio that is kept."""
        words = self._words(segments)
        agreed = 0
        for before, now in zip(self._last, words, strict=False):
            if _key(before) != _key(now):
                break
            agreed += 1
        if agreed > len(self._stable) and self._begins_with_stable(words):
            self._stable = [*self._stable, *words[len(self._stable) : agreed]]
        self._last = words

    def _words(self, segments: Sequence[Segment]) -> list[str]:
        text = " ".join(segment.text.strip() for segment in segments if not is_invented(segment))
        return without_loops(text.split())

    def _begins_with_stable(self, words: Sequence[str]) -> bool:
        return [_key(word) for word in words[: len(self._stable)]] == [_key(word) for word in self._stable]

    def trim_at(self, segments: Sequence[Segment]) -> int | None:
        """After `add` of these: the position up to which all words are settled at a segment's end, if any.

        The caller lets go of the audio before it, and the words become `trimmed`.
        """
        count, position, words = 0, None, 0
        for segment in segments[:-1]:  # the last one is still growing
            count += len(self._words([segment]))
            if count > len(self._stable) or not self._begins_with_stable(self._last):
                break
            position, words = segment.end, count
        if position is None:
            return None
        self._trimmed += self._stable[:words]
        self._stable = self._stable[words:]
        self._last = self._last[words:]
        return position

    def commit(self) -> None:
        """All its audio is let go at once: every word is settled as it is."""
        self._trimmed = self.hypothesis.text.split()
        self._stable, self._last = [], []

    def final(self) -> str:
        """The text of the turn: settled words, then what the last decode has after them; starts anew."""
        text = self.hypothesis.text
        self._trimmed, self._stable, self._last = [], [], []
        return text
