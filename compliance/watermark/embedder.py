"""Speech in, marked speech out, sample for sample and without a sample's delay.

Every slot has a short filter that lifts some bands and lowers the others; one slot's filter fades into the next
one's. The filters are of minimum phase, so nothing is waited for: what a caller would hear at a moment, marked, is
known at that moment. Kernels are whole numbers, and sums of whole numbers below 2^53 are exact in float64 in
whichever order they are made: so the size of the chunks cannot change a single sample.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from compliance.errors import WatermarkError
from compliance.watermark.layout import BANDS, PERIOD_SLOTS, RATES_HZ, band_shapes, slot_samples
from compliance.watermark.pattern import TOKEN_BITS, whole

STRENGTH_DB = 2.7
"""How much louder or softer a cell is, but for the lowest bands (`gains_db`)."""
_LOW_BANDS = 3
_LOW_SHARE = 2 / 3
TAPS_MS = 10
"""Longer filters part the bands better and smear sharp voices: 15 ms at 2.35 dB find no more than 10 ms at 2.7 dB,
and sound worse."""
FADE_MS = 24
_SCALE_BITS = 20
_DIRECT = 30_000
"""Products up to which a plain sum is quicker than a transform."""

Samples = NDArray[np.int16]


def gains_db(strength_db: float = STRENGTH_DB) -> NDArray[np.float64]:
    """How much louder or softer a cell of each band is.

    Below 700 Hz a gain costs more of the quality than it helps the detector: two thirds of it there pay for a
    fifth more everywhere else.
    """
    gains = np.full(BANDS, strength_db)
    gains[:_LOW_BANDS] *= _LOW_SHARE
    return gains


class Embedder:
    """Marks one stream of a call: int16 mono, at 8, 16, 24 or 48 kHz, in chunks of any size."""

    def __init__(
        self,
        key: bytes,
        call_token: int,
        rate_hz: int,
        *,
        strength_db: float = STRENGTH_DB,
        taps_ms: int = TAPS_MS,
    ) -> None:
        """`key` is the day's; `call_token` has 32 bits. Takes some milliseconds. Raises `WatermarkError`."""
        if rate_hz not in RATES_HZ:
            raise WatermarkError(f"Speech at {rate_hz} Hz cannot be marked; use one of {RATES_HZ}.")
        if not 0 <= call_token < 1 << TOKEN_BITS or len(key) < 16:
            raise WatermarkError("A mark needs a key of 16 bytes or more and a token of 32 bits.")
        self._signs = whole(key, call_token)
        self._bank = _bank(rate_hz, taps_ms)
        self._strengths = gains_db(strength_db) * np.log(10) / 20
        self._slot = slot_samples(rate_hz)
        self._fade = rate_hz * FADE_MS // 1000
        self._past: NDArray[np.float64] = np.zeros(self._bank.taps - 1)
        self._position = 0
        self._kernels: dict[int, _Kernel] = {}
        # The first word must not wait for what is only imported and planned at first use.
        self._kernel(0).over(np.zeros(self._bank.taps - 1 + rate_hz // 50))

    def process(self, samples: Samples, position: int | None = None) -> Samples:
        """As many samples as came in. `position` is the first one's in the stream; None goes on where it was."""
        begin = self._position if position is None else position
        self._position = begin + len(samples)
        heard = np.concatenate((self._past, samples.astype(np.float64)))
        self._past = heard[len(heard) - len(self._past) :]
        if not heard.any():
            return samples
        marked = np.empty(len(samples), dtype=np.int16)
        for first, last, old, new in self._stretches(begin, len(samples)):
            part = heard[first : last + self._bank.taps - 1]
            marked[first:last] = self._marked(part, begin + first, old, new)
        return marked

    def _stretches(self, begin: int, length: int) -> list[tuple[int, int, int, int]]:
        """The chunk cut where filters change: from, to, and the slots whose filters fade (one twice: no fade)."""
        found = []
        at = 0
        while at < length:
            slot, within = divmod(begin + at, self._slot)
            end = self._fade if within < self._fade else self._slot
            last = min(length, at + end - within)
            found.append((at, last, slot - 1 if within < self._fade else slot, slot))
            at = last
        return found

    def _marked(self, part: NDArray[np.float64], position: int, old: int, new: int) -> Samples:
        kernel = self._kernel(new)
        sums = kernel.over(part)
        if old != new and old >= 0:
            before = self._kernel(old).over(part)
            weight = (position + np.arange(len(sums))) % self._slot
            sums = (before * (self._fade - weight) + sums * weight + self._fade // 2) // self._fade
        rounded = (sums + (1 << (_SCALE_BITS - 1))) >> _SCALE_BITS
        found: Samples = np.clip(rounded, -32_768, 32_767).astype(np.int16)
        return found

    def _kernel(self, slot: int) -> _Kernel:
        slot %= PERIOD_SLOTS
        kernel = self._kernels.get(slot)
        if kernel is None:
            if len(self._kernels) >= _KEPT:
                del self._kernels[next(iter(self._kernels))]
            kernel = self._kernels[slot] = _Kernel(self._bank.impulse(self._signs[slot] * self._strengths))
        return kernel


_KEPT = 4


class _Kernel:
    """One slot's filter, in whole numbers."""

    def __init__(self, impulse: NDArray[np.float64]) -> None:
        self._taps = np.rint(impulse * (1 << _SCALE_BITS))
        self._spectra: dict[int, NDArray[np.complex128]] = {}

    def over(self, part: NDArray[np.float64]) -> NDArray[np.int64]:
        """The filter over what was heard; `len(taps) - 1` fewer samples than `part`."""
        taps = self._taps
        if len(taps) * (len(part) - len(taps) + 1) <= _DIRECT:
            return np.convolve(part, taps, "valid").astype(np.int64)
        size = 1 << (len(part) - 1).bit_length()
        spectrum = self._spectra.get(size)
        if spectrum is None:
            spectrum = self._spectra[size] = np.fft.rfft(taps, size)
        sums = np.fft.irfft(np.fft.rfft(part, size) * spectrum, size)[len(taps) - 1 : len(part)]
        # Whole numbers below 2^40, computed to 2^-10: rounding makes them exact.
        return np.rint(sums).astype(np.int64)


class _Bank:
    """The bands as complex logarithms of minimum-phase filters, which add up where filters multiply."""

    def __init__(self, rate_hz: int, taps_ms: int) -> None:
        self.taps = rate_hz * taps_ms // 1000
        self._size = 64 * rate_hz // 1000
        shapes = band_shapes(np.fft.rfftfreq(self._size, 1 / rate_hz))
        cepstra = np.fft.irfft(shapes, self._size)
        # Folding the cepstrum onto its causal half makes the filter one of minimum phase (Oppenheim and Schafer,
        # Discrete-Time Signal Processing, on the complex cepstrum).
        half = self._size // 2
        cepstra[:, 1:half] *= 2
        cepstra[:, half + 1 :] = 0
        self._logs = np.fft.rfft(cepstra)
        end = self.taps // 4
        self._window = np.ones(self.taps)
        self._window[-end:] = np.cos(np.linspace(0, np.pi / 2, end)) ** 2

    def impulse(self, gains: NDArray[np.float64]) -> NDArray[np.float64]:
        """The filter with these gains per band, in nepers."""
        # A matrix product would wake the threads of BLAS for every slot, which costs more than all the rest.
        logs = np.einsum("b,bf->f", gains, self._logs)
        impulse = np.fft.irfft(np.exp(logs), self._size)
        found: NDArray[np.float64] = impulse[: self.taps] * self._window
        return found


@lru_cache(maxsize=len(RATES_HZ))
def _bank(rate_hz: int, taps_ms: int) -> _Bank:
    return _Bank(rate_hz, taps_ms)
