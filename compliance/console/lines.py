"""What was said, as the call page shows it: pieces of text with their times, personal ones masked.

Pure. Times are seconds of the call's clock, the one the recording is laid on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from compliance.entries import TurnEntry, Who
from compliance.overlap import overlapping

MARGIN_S = 0.2
"""Silence around what is masked: a word's time is known to about this much."""


class Span(Protocol):
    """Something personal in a text."""

    @property
    def kind(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line."""

    text: str
    """Empty where it is masked."""
    start_s: float | None = None
    """None when the recogniser gave no time for it; the line's times hold then."""
    end_s: float | None = None
    masked: str = ""
    """What kind of thing is hidden here, e.g. `phone_number`; empty when nothing is."""
    source: str = ""
    """Where its sentence comes from; empty is unknown."""


@dataclass(frozen=True, slots=True)
class Line:
    """One turn."""

    sequence: int
    who: Who
    start_s: float
    end_s: float
    pieces: tuple[Piece, ...]
    cut: bool
    provenance: tuple[str, ...]
    """Where the twin's words came from, in order of first use."""
    speaker: str = ""
    """In a meeting: the identity of who spoke, or of whom the twin answered."""
    together: bool = False
    """Somebody else spoke at the same time."""

    @property
    def masked(self) -> bool:
        return any(piece.masked for piece in self.pieces)

    @property
    def text(self) -> str:
        """The line in one string, with `[kind]` for what is hidden."""
        said = "".join(
            f"[{piece.masked.replace('_', ' ')}]" if piece.masked else piece.text for piece in self.pieces
        )
        return " ".join(said.split())


def lines(turns: Iterable[TurnEntry], hidden: Mapping[int, Sequence[Span]] | None) -> tuple[Line, ...]:
    """The turns in order of their beginning. `hidden` holds what to mask by sequence; None masks nothing."""
    listed = list(turns)
    together = overlapping(listed) if any(turn.speaker for turn in listed) else frozenset()
    shown = [
        _line(turn, () if hidden is None else hidden.get(turn.sequence, ()), together=turn.sequence in together)
        for turn in listed
    ]
    return tuple(sorted(shown, key=lambda line: (line.start_s, line.sequence)))


def _line(turn: TurnEntry, spans: Sequence[Span], *, together: bool) -> Line:
    pieces = tuple(piece for token in _tokens(turn) for piece in _split(token, turn.text, spans))
    return Line(
        sequence=turn.sequence,
        who=turn.who,
        start_s=turn.start_samples / turn.rate_hz,
        end_s=turn.end_samples / turn.rate_hz,
        pieces=_joined(pieces),
        cut=turn.cut,
        provenance=tuple(part for part in turn.provenance.split("-") if part),
        speaker=turn.speaker,
        together=together,
    )


@dataclass(frozen=True, slots=True)
class _Token:
    """A word, with what stands before the next, where it is in the text, and when it sounded."""

    start: int
    end: int
    start_s: float | None
    end_s: float | None
    source: str = ""


def _tokens(turn: TurnEntry) -> list[_Token]:
    found: list[tuple[int, float, float, str]] = []
    at = 0
    for word in turn.words:
        start = turn.text.find(word.text, at) if word.text else -1
        if start < 0:
            # The text was written differently from its words: no time is better than a wrong one.
            return [_Token(0, len(turn.text), None, None)]
        start_s, end_s = word.start_samples / turn.rate_hz, word.end_samples / turn.rate_hz
        found.append((start, start_s, end_s, word.provenance))
        at = start + len(word.text)
    if not found:
        return [_Token(0, len(turn.text), None, None)]
    starts = [0, *(start for start, _, _, _ in found[1:]), len(turn.text)]
    return [
        _Token(starts[number], starts[number + 1], start_s, end_s, source)
        for number, (_, start_s, end_s, source) in enumerate(found)
    ]


def _split(token: _Token, text: str, spans: Sequence[Span]) -> Iterable[Piece]:
    at = token.start
    for span in sorted(spans, key=lambda span: span.start):
        start, end = max(span.start, at), min(span.end, token.end)
        if start >= end:
            continue
        if start > at:
            yield Piece(text[at:start], token.start_s, token.end_s, source=token.source)
        yield Piece("", token.start_s, token.end_s, masked=span.kind)
        at = end
    if at < token.end:
        yield Piece(text[at : token.end], token.start_s, token.end_s, source=token.source)


def _joined(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """A secret of several words is one bar: how many words it had is nobody's business."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last and piece.masked and last.masked == piece.masked:
            joined[-1] = replace(last, end_s=piece.end_s)
        else:
            joined.append(piece)
    return tuple(joined)


def audible(shown: Sequence[Line]) -> tuple[tuple[float, float], ...]:
    """When the recording may sound for somebody who sees these lines: what they can read, and no more.

    Silent is what no line covers, because nobody has looked for secrets in it, and what is masked, on both
    channels, because a telephone echoes.
    """
    open_: list[tuple[float, float]] = []
    shut: list[tuple[float, float]] = []
    for line in shown:
        open_.append((line.start_s, line.end_s))
        for piece in line.pieces:
            if piece.masked:
                timed = piece.start_s is not None and piece.end_s is not None
                start_s, end_s = (piece.start_s, piece.end_s) if timed else (line.start_s, line.end_s)
                shut.append(((start_s or 0.0) - MARGIN_S, (end_s or 0.0) + MARGIN_S))
    return _without(_union(open_), _union(shut))


def _union(parts: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    whole: list[tuple[float, float]] = []
    for start, end in sorted(parts):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        elif end > start:
            whole.append((start, end))
    return whole


def _without(
    parts: Iterable[tuple[float, float]], holes: Sequence[tuple[float, float]]
) -> tuple[tuple[float, float], ...]:
    left: list[tuple[float, float]] = []
    for part in parts:
        at, stop = part
        for start, end in holes:
            if end <= at or start >= stop:
                continue
            if start > at:
                left.append((at, start))
            at = max(at, end)
        if at < stop:
            left.append((at, stop))
    return tuple(left)
