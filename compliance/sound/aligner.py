"""Where the caller's sound belongs on the outlet's clock.

The caller's samples are counted by another clock (a telephone exchange, a sound card) and come over a network.
Each piece is seen with its *lag*: the clock's reading when it arrived less the stream's own count at its end.
Jitter only ever adds to a lag, so the least lag within a few seconds is the true one. Slow change of it is drift,
and is followed by playing the stream a little faster or slower. A sudden rise that does not go away within
`WAIT_MS` is sound that was lost (or a microphone that was muted), and is filled with silence at its place. A
sudden fall is an outlet that stood still; the surplus is cut out of pauses.

Pure: everything is counted in frames of the recording's rate, and the time is what the caller of a method says.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

WAIT_MS = 300
"""How long a piece waits before it is laid, since one that arrives late looks like a loss until the rest comes."""
_MEMORY_MS = 4_000
"""How long the least lag is remembered; network jitter that lasts longer is followed as if it were drift."""
_STEP_MS = 60
"""A difference above this is mended at once; below, by the pace."""
_SETTLE_MS = 8_000
"""The time constant of following drift: at 200 ppm the recording is 1.6 ms behind the truth."""
_PACE = 0.005
"""The most by which the pace may differ: under a tenth of a semitone."""
_MOST_SURPLUS_MS = 2_000
"""Sound that is so far behind the clock is cut even out of speech."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The next frames of the stream, and what to do with them."""

    frames: int
    gap: int = 0
    """Frames of silence before them."""
    surplus: int = 0
    """How many frames too late the stream is: cut up to so many of them if they are quiet."""
    cut: bool = False
    """The surplus is too much to wait for a pause."""
    pace: float = 0.0
    """Play them longer by this share of their length (shorter when negative)."""


@dataclass(frozen=True, slots=True)
class _Piece:
    frames: int
    arrived: float
    lag: float


class Aligner:
    """One stream. `arrived` for each piece; `next` until it returns None."""

    def __init__(self, rate_hz: int) -> None:
        self._wait = WAIT_MS * rate_hz / 1000
        self._memory = _MEMORY_MS * rate_hz / 1000
        self._step = _STEP_MS * rate_hz / 1000
        self._settle = _SETTLE_MS * rate_hz / 1000
        self._most = _MOST_SURPLUS_MS * rate_hz / 1000
        self._count = 0
        self._seen = 0.0
        self._waiting: deque[_Piece] = deque()
        self._unseen: deque[_Piece] = deque()
        """Waiting pieces that no decision has looked at yet."""
        self._recent = _Least()
        self._coming = _Least()

    def arrived(self, frames: int, now: float) -> None:
        """`frames` of the stream are here; `now` is the clock, in frames."""
        self._seen = max(self._seen, now)
        self._count += frames
        piece = _Piece(frames, self._seen, self._seen - self._count)
        self._waiting.append(piece)
        self._unseen.append(piece)

    def next(self, now: float, laid: float | None, *, ending: bool = False) -> Placement | None:
        """What to lay now, or None. `laid` is the lag at which the stream is laid so far; None at its beginning.

        `ending`: nothing more will arrive, so nothing needs to wait.
        """
        due: Placement | None = None
        while self._waiting and (ending or self._waiting[0].arrived + self._wait <= now):
            placement = self._decide(self._waiting[0], laid)
            if due is None:
                due = placement
            elif due.surplus or placement.gap or placement.surplus:
                break
            else:
                due = Placement(due.frames + placement.frames, due.gap, pace=placement.pace)
            if placement.gap:
                # What was seen before the loss says nothing about the stream after it.
                self._recent.forget_before(self._waiting[0].arrived)
            self._waiting.popleft()
            if laid is None:
                # Where the stream begins depends on `lag` as it is now.
                break
            laid += placement.gap
        return due

    def _decide(self, piece: _Piece, laid: float | None) -> Placement:
        while self._unseen and self._unseen[0].arrived <= piece.arrived + self._wait:
            seen = self._unseen.popleft()
            self._recent.see(seen.arrived, seen.lag)
            self._coming.see(seen.arrived, seen.lag)
        self._recent.forget_before(piece.arrived - self._memory)
        self._coming.forget_before(piece.arrived)
        if laid is None:
            return Placement(piece.frames)
        lost = self._coming.value - laid
        if lost > self._step:
            return Placement(piece.frames, gap=round(lost))
        error = self._recent.value - laid
        pace = min(max(error / self._settle, -_PACE), _PACE)
        if error < -self._step:
            return Placement(piece.frames, surplus=round(-error), cut=-error > self._most, pace=pace)
        return Placement(piece.frames, pace=pace)

    @property
    def lag(self) -> float:
        """The lag at which the stream should be laid now."""
        return self._recent.value


class _Least:
    """The least of the values seen since a time that moves on."""

    def __init__(self) -> None:
        self._values: deque[tuple[float, float]] = deque()

    @property
    def value(self) -> float:
        return self._values[0][1]

    def see(self, at: float, value: float) -> None:
        while self._values and self._values[-1][1] >= value:
            self._values.pop()
        self._values.append((at, value))

    def forget_before(self, at: float) -> None:
        while self._values and self._values[0][0] < at:
            self._values.popleft()
