"""The speech of a call as a renderer gets it: one long row of samples, given out little by little. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

BYTES_PER_SAMPLE = 2


@dataclass(frozen=True, slots=True)
class Given:
    """Speech for the renderer: int16 mono, from sample `offset` of its utterance on."""

    utterance: int
    offset: int
    pcm: bytes
    last: bool
    """No more of the utterance follows."""


@dataclass(slots=True)
class _Piece:
    utterance: int
    offset: int
    samples: int
    index: int
    last: bool
    pcm: bytes
    """Empty once it was given whole."""
    given: bool = False

    @property
    def end(self) -> int:
        return self.index + self.samples


class Script:
    """All speech that was expected since the last `clear`, but for what sounded long ago. An index counts all
    samples that were ever expected, so that pieces of different utterances have an order."""

    def __init__(self, *, ahead: int, history: int) -> None:
        """`ahead` samples are the most that are given before they sound; what is older than `history` is
        forgotten."""
        self.expected = 0
        """The index after all that is expected."""
        self.left = 0
        """The index after what has sounded."""
        self._given = 0
        self._ahead = ahead
        self._history = history
        self._pieces: deque[_Piece] = deque()
        self._lengths: dict[int, int] = {}

    def expect(self, utterance: int, pcm: bytes, *, last: bool) -> None:
        """A piece that will sound after all others."""
        offset, samples = self._lengths.get(utterance, 0), len(pcm) // BYTES_PER_SAMPLE
        self._lengths[utterance] = offset + samples
        self._pieces.append(_Piece(utterance, offset, samples, self.expected, last, pcm))
        self.expected += samples

    def index(self, utterance: int, offset: int) -> int | None:
        """Of a sample of an utterance; None when it was not expected, or is forgotten."""
        for piece in reversed(self._pieces):
            if piece.utterance == utterance and piece.offset <= offset < piece.offset + piece.samples:
                return piece.index + offset - piece.offset
        return None

    def sounded(self, index: int) -> None:
        """Everything before `index` has left."""
        self.left = max(self.left, index)
        while len(self._pieces) > 1 and self._pieces[0].given and self._pieces[0].end < self.left - self._history:
            gone = self._pieces.popleft()
            if gone.last:
                self._lengths.pop(gone.utterance, None)

    def give(self) -> Given | None:
        """What the renderer may have next by now."""
        piece = next((piece for piece in self._pieces if not piece.given), None)
        if piece is None:
            return None
        # What has sounded already would be drawn for nothing, but a renderer needs its sound whole.
        room = self._ahead - (self._given - self.left)
        done = self._given - piece.index
        samples = min(room, piece.samples - done)
        if samples <= 0 < piece.samples:
            return None
        self._given += samples
        whole = done + samples == piece.samples
        pcm = piece.pcm[done * BYTES_PER_SAMPLE : (done + samples) * BYTES_PER_SAMPLE]
        if whole:
            piece.pcm, piece.given = b"", True
        return Given(piece.utterance, piece.offset + done, pcm, piece.last and whole)

    def clear(self) -> None:
        """None of it will sound any more."""
        self._pieces.clear()
        self._lengths.clear()
        self._given = self.left = self.expected
