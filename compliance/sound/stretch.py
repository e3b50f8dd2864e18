"""Sound at a slightly different pace, without a seam: a fractional resampler whose step may change at any time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

_HALF = 12
"""Taps on each side of a sample."""
_PHASES = 256
_BETA = 7.0


class Stretch:
    """int16 mono in, int16 mono out. At pace 0, and until another was asked for, the samples pass unchanged."""

    def __init__(self) -> None:
        self._kernel = _kernel()
        self._buffer = np.zeros(_HALF, np.int16)
        self._at = float(_HALF)
        """Where in the buffer the next sample that comes out lies."""
        self._gone = -_HALF
        """How much of the stream has left the buffer, which begins with silence that the stream does not have."""

    @property
    def position(self) -> float:
        """Where in the stream the next sample that comes out lies."""
        return self._gone + self._at

    def feed(self, samples: Samples, pace: float = 0.0) -> Samples:
        """The next samples, longer by the share `pace`. The last few wait for what follows."""
        self._buffer = np.concatenate([self._buffer, samples])
        step = 1.0 / (1.0 + pace)
        count = int((len(self._buffer) - _HALF - 1 - self._at) // step) + 1
        if count <= 0:
            return np.zeros(0, np.int16)
        out = self._read(count, step)
        self._at += count * step
        spent = int(self._at) - _HALF + 1
        if spent > 0:
            self._buffer = self._buffer[spent:]
            self._at -= spent
            self._gone += spent
        return out

    def finish(self) -> Samples:
        """What waited."""
        return self.feed(np.zeros(_HALF, np.int16))

    def _read(self, count: int, step: float) -> Samples:
        if step == 1.0 and self._at == int(self._at):
            begin = int(self._at)
            return self._buffer[begin : begin + count].copy()
        at = self._at + step * np.arange(count)
        whole = at.astype(np.int64)
        phase = (at - whole) * _PHASES
        low = phase.astype(np.int64)
        part = (phase - low).astype(np.float32)[:, None]
        taps = self._kernel[low] * (1 - part) + self._kernel[low + 1] * part
        windows = np.lib.stride_tricks.sliding_window_view(self._buffer, 2 * _HALF)[whole - _HALF + 1]
        out: npt.NDArray[np.float32] = np.einsum("ij,ij->i", windows.astype(np.float32), taps)
        clipped: Samples = np.clip(np.rint(out), -32_768, 32_767).astype(np.int16)
        return clipped


def _kernel() -> npt.NDArray[np.float32]:
    """One row per phase (and one more, for interpolation): the taps of a windowed sinc, with a sum of one."""
    phases = np.arange(_PHASES + 1)[:, None] / _PHASES
    offsets = np.arange(-_HALF + 1, _HALF + 1)[None, :] - phases
    window = np.i0(_BETA * np.sqrt(np.clip(1 - (offsets / _HALF) ** 2, 0, 1))) / np.i0(_BETA)
    taps = np.sinc(offsets) * window
    kernel: npt.NDArray[np.float32] = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    return kernel
