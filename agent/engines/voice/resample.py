"""Streaming resampling for the voice stage: int16 in, int16 out, not a sample lost or made up."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import soxr


class Resampler:
    """One stream of int16 mono audio at a new rate. At equal rates the bytes pass through."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._ratio = Fraction(to_hz, from_hz)
        self._stream = None if from_hz == to_hz else soxr.ResampleStream(from_hz, to_hz, 1, "int16", "HQ")
        self._taken = 0
        self._given = 0
        self._odd = b""
        self._ended = False

    def feed(self, pcm: bytes) -> bytes:
        """Resample the next audio, cut anywhere; the filter holds some of it back until later."""
        if self._ended:
            raise ValueError("the stream has ended; make a new Resampler for the next one")
        data = self._odd + pcm
        whole = len(data) & ~1
        self._odd = data[whole:]
        return self._through(data[:whole], last=False)

    def finish(self) -> bytes:
        """What was held back. In all, round(samples in x to_hz / from_hz) samples have come out."""
        if self._ended:
            return b""
        self._ended = True
        rest = self._through(b"", last=True)
        # soxr may end a sample or two off; whoever counts time in samples must be able to rely on the sum.
        missing = round(self._taken * self._ratio) - self._given
        self._given += missing
        return rest + bytes(2 * missing) if missing >= 0 else rest[: 2 * missing]

    def _through(self, pcm: bytes, *, last: bool) -> bytes:
        self._taken += len(pcm) // 2
        if self._stream is None:
            self._given += len(pcm) // 2
            return pcm
        if not pcm and not last:
            return b""
        out = self._stream.resample_chunk(np.frombuffer(pcm, np.int16), last=last)
        self._given += len(out)
        return bytes(out.tobytes())


def resampled(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    """A whole piece of int16 mono audio at a new rate."""
    resampler = Resampler(from_hz, to_hz)
    return resampler.feed(pcm) + resampler.finish()
