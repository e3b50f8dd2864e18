"""The two tracks of a recording, laid on the outlet's clock: what the twin said, and the caller meanwhile.

Frame 0 is the outlet's position at which the recording began. A track gives its frames in order and without holes;
what it does not have yet, it keeps for `aligner.WAIT_MS`, so that sound can still be put right.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt
import soxr

from compliance.sound.aligner import WAIT_MS, Aligner, Placement
from compliance.sound.stretch import Samples, Stretch

_QUIET_RMS = 180.0
"""int16; -45 dBFS. Below it a piece is a pause."""
_NOTHING: Samples = np.zeros(0, np.int16)


class TwinTrack:
    """What left the outlet, at its very positions."""

    def __init__(self, *, clock_hz: int, rate_hz: int, start: int) -> None:
        """`start` is the outlet's position at frame 0."""
        self._clock_hz, self._rate_hz = clock_hz, rate_hz
        self._start = self._expected = start
        self._resample = _Resample(clock_hz, rate_hz)
        self._frames = _Frames()
        self._wait = WAIT_MS * rate_hz // 1000

    def add(self, samples: Samples, position: int) -> None:
        """Samples that left at `position`. A hole before them is silence; what was there before stays."""
        late = self._expected - position
        if late > 0:
            samples = samples[late:]
        elif late < 0:
            self._push(np.zeros(-late, np.int16))
        self._push(samples)

    def unheard(self, begin: int, end: int) -> None:
        """The wire threw these positions away, so nobody heard them: they become silence, if not yet taken."""
        self._frames.blank(self._frame(begin), self._frame(end))

    def take(self, now: float, *, ending: bool = False) -> Samples:
        """The next frames that will not change any more. `now` is the clock, in frames."""
        if ending:
            self._frames.add(self._resample.finish())
        return self._frames.take_until(self._frames.end if ending else int(now) - self._wait)

    def _push(self, samples: Samples) -> None:
        self._expected += len(samples)
        self._frames.add(self._resample.feed(samples))

    def _frame(self, position: int) -> int:
        return (position - self._start) * self._rate_hz // self._clock_hz


class CallerTrack:
    """What came in, at the place on the clock that the aligner finds for it."""

    def __init__(self, *, caller_hz: int, rate_hz: int) -> None:
        self._resample = _Resample(caller_hz, rate_hz)
        self._aligner = Aligner(rate_hz)
        self._stretch = Stretch()
        self._waiting = _Frames()
        self._given = 0
        """Frames that were taken from this track; silence before the first sound included."""
        self._inserted = 0
        """Silence put into the stream, less what was cut out of it."""
        self._laid = False
        self._skip = 0
        """Frames of the stream from before frame 0, which are not kept."""
        self.frames_lost = 0
        """Silence that stands for sound that never arrived."""
        self.frames_cut = 0
        """Sound that had no time on the outlet's clock."""

    def add(self, samples: Samples, now: float) -> None:
        """Samples that arrived when the clock, in frames, was `now`."""
        frames = self._resample.feed(samples)
        if len(frames):
            self._waiting.add(frames)
            self._aligner.arrived(len(frames), now)

    @property
    def lag(self) -> float | None:
        """How far the clock's count is ahead of the stream's, where the next frame is laid."""
        return self._given - (self._stretch.position - self._inserted) if self._laid else None

    def take(self, now: float, *, ending: bool = False) -> Samples:
        """The next frames, as far as their place is certain."""
        parts = []
        while placement := self._aligner.next(now, self.lag, ending=ending):
            if not self._laid:
                parts.append(self._begin())
            parts.append(self._lay(placement))
            self._given += len(parts[-1])
        if ending and self._laid:
            parts.append(self._stretch.finish())
            self._given += len(parts[-1])
        return np.concatenate(parts) if parts else _NOTHING

    def _begin(self) -> Samples:
        """The silence before the stream's first frame."""
        self._laid = True
        first = round(self._aligner.lag)
        self._skip = max(0, -first)
        self._inserted = -self._skip
        self._given = max(0, first)
        return np.zeros(self._given, np.int16)

    def _lay(self, placement: Placement) -> Samples:
        samples = self._waiting.take(placement.frames)
        if self._skip:
            skipped = min(self._skip, len(samples))
            self._skip -= skipped
            samples = samples[skipped:]
        if placement.gap:
            self._inserted += placement.gap
            self.frames_lost += placement.gap
            samples = np.concatenate([np.zeros(placement.gap, np.int16), samples])
        elif placement.surplus and (placement.cut or _quiet(samples)):
            samples = self._shortened(samples, placement)
        return self._stretch.feed(samples, placement.pace)

    def _shortened(self, samples: Samples, placement: Placement) -> Samples:
        """Its beginning faded into its end, so that the cut is not heard."""
        cut = min(placement.surplus, len(samples) // 2)
        kept = len(samples) - cut
        up = np.linspace(0.0, 1.0, kept, dtype=np.float32)
        self._inserted -= cut
        self.frames_cut += cut
        return np.rint(samples[:kept] * (1 - up) + samples[cut:] * up).astype(np.int16)


class _Resample:
    """One stream at the recording's rate; at equal rates the samples pass unchanged."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = None if from_hz == to_hz else soxr.ResampleStream(from_hz, to_hz, 1, "int16", "HQ")

    def feed(self, samples: Samples) -> Samples:
        return samples if self._stream is None else self._through(samples, last=False)

    def finish(self) -> Samples:
        return _NOTHING if self._stream is None else self._through(_NOTHING, last=True)

    def _through(self, samples: Samples, *, last: bool) -> Samples:
        assert self._stream is not None
        out: npt.NDArray[np.int16] = self._stream.resample_chunk(samples, last=last)
        return out


class _Frames:
    """A queue of frames that knows their places."""

    def __init__(self) -> None:
        self._parts: deque[Samples] = deque()
        self.begin = 0
        self.end = 0

    def add(self, samples: Samples) -> None:
        if len(samples):
            self._parts.append(samples)
            self.end += len(samples)

    def take(self, frames: int) -> Samples:
        taken: list[Samples] = []
        missing = min(frames, self.end - self.begin)
        self.begin += missing
        while missing > 0:
            part = self._parts.popleft()
            if len(part) > missing:
                self._parts.appendleft(part[missing:])
                part = part[:missing]
            missing -= len(part)
            taken.append(part)
        return np.concatenate(taken) if taken else _NOTHING

    def take_until(self, end: int) -> Samples:
        return self.take(max(0, end - self.begin))

    def blank(self, begin: int, end: int) -> None:
        at = self.begin
        for index, part in enumerate(self._parts):
            first, last = max(begin - at, 0), min(end - at, len(part))
            if first < last:
                # A copy: the samples belong to whoever handed them in.
                self._parts[index] = np.concatenate([part[:first], np.zeros(last - first, np.int16), part[last:]])
            at += len(part)


def _quiet(samples: Samples) -> bool:
    return bool(len(samples) and np.sqrt(np.mean(samples.astype(np.float32) ** 2)) < _QUIET_RMS)
