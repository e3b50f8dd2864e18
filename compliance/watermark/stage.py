"""The outlet's last stage: what the twin says carries the mark of its call, or it does not leave.

It fails closed. Without an embedder, with one that raises, and with one that is too slow it raises, and the outlet
closes: silence, then an apology that was marked beforehand, then the end.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from compliance.errors import TwinError, WatermarkError

Samples = NDArray[np.int16]

_NS = 1_000_000_000
_CHECK_S = 1.0
_CHECK_DBFS = -20.0


class Embedding(Protocol):
    """`compliance.watermark.embedder.Embedder`, for one stream."""

    def process(self, samples: Samples, position: int | None = None) -> Samples:
        """As many samples as came in, marked; `position` counts the first one in the stream."""
        ...


Make = Callable[[bytes, int, int], Embedding]
"""An embedder of a day's key (32 bytes), a call's token (32 bits) and a rate (Hz); raises `WatermarkError`."""


def make_embedder(key: bytes, call_token: int, rate_hz: int) -> Embedding:
    """A `Make`: ours. Raises `WatermarkError`, also when it cannot even be loaded. Blocks for milliseconds."""
    try:
        from compliance.watermark.embedder import Embedder

        return cast(Embedding, Embedder(key, call_token, rate_hz))
    except TwinError:
        raise
    except Exception as error:  # also a library that cannot be loaded must close the outlet, and be told so
        raise WatermarkError(f"The watermark cannot be made ({type(error).__name__}).") from error


def mark(make: Make, key: bytes, call_token: int, rate_hz: int, pcm: bytes) -> bytes:
    """Prepared sound (int16 mono), marked from its first sample on. Raises `WatermarkError`. Blocks."""
    samples = np.frombuffer(pcm, dtype=np.int16)
    try:
        marked = make(key, call_token, rate_hz).process(samples, 0)
    except TwinError:
        raise
    except Exception as error:  # whatever an embedder raises, its sound must not be kept as if it were marked
        raise WatermarkError(f"The sound could not be marked ({type(error).__name__}).") from error
    if marked.shape != samples.shape or marked.dtype != np.int16:
        raise WatermarkError("The watermark changed the number of samples or their type.")
    return marked.tobytes()


def check(make: Make, rate_hz: int) -> float:
    """Mark a second of noise and see that it was changed, and silence that it was not. Raises `WatermarkError`.

    Returns the share of one core that marking took. Blocks.
    """
    key, noise = bytes(32), np.random.default_rng(7).standard_normal(round(rate_hz * _CHECK_S))
    sound = (noise * 32_768 * 10 ** (_CHECK_DBFS / 20)).astype(np.int16)
    begun = time.thread_time()
    marked = mark(make, key, 0, rate_hz, sound.tobytes())
    took_s = time.thread_time() - begun
    if marked == sound.tobytes():
        raise WatermarkError(f"The watermark leaves sound at {rate_hz} Hz as it was.")
    silence = bytes(len(marked))
    if mark(make, key, 0, rate_hz, silence) != silence:
        raise WatermarkError(f"The watermark makes silence at {rate_hz} Hz sound.")
    return took_s / _CHECK_S


@dataclass(slots=True)
class Tally:
    """What the marks of one process did; the numbers only grow."""

    samples: int = 0
    """Marked, of any rate."""
    sounded_s: float = 0.0
    """How long those sound."""
    worked_s: float = 0.0
    """How long marking them took, by the clock on the wall."""
    closed: int = 0
    """Doors that the mark closed."""


class Watermark:
    """One stream's, as a stage. Until `begin` only silence may leave."""

    def __init__(
        self, rate_hz: int, tally: Tally | None = None, *, now_ns: Callable[[], int] = time.perf_counter_ns
    ) -> None:
        """`now_ns` never goes back."""
        self.rate_hz = rate_hz
        self.apology = b""
        """What may still sound once the door is closed, marked beforehand; empty: nothing may."""
        self._tally = tally if tally is not None else Tally()
        self._now_ns = now_ns
        self._embedder: Embedding | None = None
        self._pace = _Pace(rate_hz)

    def begin(self, embedder: Embedding) -> None:
        """From now on sound leaves, marked by this one."""
        self._embedder = embedder

    def process(self, samples: Samples, position: int) -> Samples:
        """Return the samples marked. Raises `WatermarkError`, and whatever the embedder raises."""
        try:
            return self._marked(samples, position)
        except Exception:  # counted whatever it is, and raised again
            self._tally.closed += 1
            raise

    def _marked(self, samples: Samples, position: int) -> Samples:
        if self._embedder is None:
            if samples.any():
                raise WatermarkError("There is no watermark for this sound, and without it nothing may leave.")
            return samples
        begun_ns = self._now_ns()
        marked = self._embedder.process(samples, position)
        spent_ns = self._now_ns() - begun_ns
        self._tally.samples += len(samples)
        self._tally.sounded_s += len(samples) / self.rate_hz
        self._tally.worked_s += spent_ns / _NS
        if self._pace.behind(len(samples), spent_ns):
            raise WatermarkError("The watermark takes longer than the sound lasts.")
        return marked


class _Pace:
    """Whether the work of the last second took longer than a second, its slowest chunk left out.

    One chunk may wait for anything (another process, a page of memory) and says nothing about the pace.
    """

    def __init__(self, rate_hz: int) -> None:
        self._second = rate_hz
        self._chunks: deque[tuple[int, int]] = deque()
        self._samples = 0
        self._spent_ns = 0

    def behind(self, samples: int, spent_ns: int) -> bool:
        """Add a chunk, and look at the last second."""
        if not samples:
            return False
        self._chunks.append((samples, spent_ns))
        self._samples += samples
        self._spent_ns += spent_ns
        while len(self._chunks) > 2 and self._samples - self._chunks[0][0] >= self._second:
            old_samples, old_ns = self._chunks.popleft()
            self._samples -= old_samples
            self._spent_ns -= old_ns
        if self._samples < self._second or self._spent_ns <= self._lasts_ns(self._samples):
            return False
        slowest_samples, slowest_ns = max(self._chunks, key=itemgetter(1))
        return self._spent_ns - slowest_ns > self._lasts_ns(self._samples - slowest_samples)

    def _lasts_ns(self, samples: int) -> int:
        return samples * _NS // self._second
