"""Speech that waits to leave the outlet, and what left so recently that it may have to come back."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from channels.spoken import Spoken

BYTES_PER_SAMPLE = 2


@dataclass(frozen=True, slots=True)
class Span:
    """`samples` of an utterance, from its sample `offset` on, placed `at` samples into a chunk."""

    at: int
    samples: int
    utterance: int
    offset: int


@dataclass(slots=True)
class _Piece:
    spoken: Spoken
    offset: int
    """Which sample of its utterance the piece begins with."""

    @property
    def samples(self) -> int:
        return len(self.spoken.pcm) // BYTES_PER_SAMPLE


class Pending:
    """A bounded first-in-first-out of speech that can be read to the sample and un-read.

    It is bounded because a voice makes speech many times faster than it sounds: `add` refuses what would pass
    `limit_samples`, and the voice waits. The last `history_samples` that were read are kept, because a wire may
    throw away what it had not played yet, and that speech has to be said again from the very sample.
    """

    def __init__(self, *, limit_samples: int, history_samples: int) -> None:
        self._limit_samples = limit_samples
        self._history_samples = history_samples
        self._todo: deque[_Piece] = deque()
        self._done: deque[_Piece] = deque()
        self._cursor = 0
        """How many samples of `_todo[0]` were read."""
        self._samples = 0
        self._done_samples = 0
        self._lengths: dict[int, int] = {}
        """Samples received per utterance, to give each piece its offset."""

    @property
    def samples(self) -> int:
        """How much speech waits."""
        return self._samples

    @property
    def room(self) -> bool:
        return self._samples < self._limit_samples

    def add(self, spoken: Spoken) -> bool:
        """Queue a piece; False when there is no room (an empty queue takes a piece of any length)."""
        samples = len(spoken.pcm) // BYTES_PER_SAMPLE
        if self._samples and self._samples + samples > self._limit_samples:
            return False
        offset = self._lengths.get(spoken.utterance, 0)
        self._lengths[spoken.utterance] = offset + samples
        if samples:
            self._todo.append(_Piece(spoken, offset))
            self._samples += samples
        return True

    def read(self, samples: int) -> tuple[bytes, list[Span]]:
        """Take up to `samples` of speech: the bytes, and which part of which utterance they are."""
        parts: list[bytes] = []
        spans: list[Span] = []
        taken = 0
        while taken < samples and self._todo:
            piece = self._todo[0]
            step = min(samples - taken, piece.samples - self._cursor)
            start = self._cursor * BYTES_PER_SAMPLE
            parts.append(piece.spoken.pcm[start : start + step * BYTES_PER_SAMPLE])
            spans.append(Span(taken, step, piece.spoken.utterance, piece.offset + self._cursor))
            taken += step
            self._cursor += step
            if self._cursor == piece.samples:
                self._done.append(self._todo.popleft())
                self._done_samples += piece.samples
                self._cursor = 0
        self._samples -= taken
        while self._done and self._done_samples - self._done[0].samples >= self._history_samples:
            self._done_samples -= self._done.popleft().samples
        return b"".join(parts), spans

    def back(self, samples: int) -> int:
        """Un-read the last `samples`; returns how many could be given back."""
        given = 0
        while given < samples:
            if self._cursor == 0:
                if not self._done:
                    break
                piece = self._done.pop()
                self._done_samples -= piece.samples
                self._todo.appendleft(piece)
                self._cursor = piece.samples
            step = min(self._cursor, samples - given)
            self._cursor -= step
            given += step
        self._samples += given
        return given

    def drop(self) -> int:
        """Throw everything away, history included; returns how many samples never sounded."""
        dropped = self._samples
        self._todo.clear()
        self._done.clear()
        self._lengths.clear()
        self._cursor = self._samples = self._done_samples = 0
        return dropped
