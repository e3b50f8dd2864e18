"""Marks for tests: none at all, where the bytes that leave are compared, and one that anybody can see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]


class NoMark:
    """A `channels.outlet.Mark` that leaves everything as it is."""

    def __init__(self, apology: bytes = b"") -> None:
        self.apology = apology

    def process(self, samples: Samples, position: int) -> Samples:
        return samples


class PlainEmbedder:
    """An embedder whose mark is plain to see: what sounds is louder by 1, and by 1 for each bit of the token."""

    def __init__(self, key: bytes, call_token: int, rate_hz: int) -> None:
        self.key = key
        self.call_token = call_token
        self.rate_hz = rate_hz
        self.louder = np.int16(1 + call_token.bit_count())
        self.positions: list[int | None] = []
        self.heard = 0
        """Samples so far."""

    def process(self, samples: Samples, position: int | None = None) -> Samples:
        self.positions.append(position)
        self.heard += len(samples)
        return np.where(samples == 0, samples, np.where(samples > 0, samples + self.louder, samples - self.louder))


MARKED = 0.95
"""So much of what is heard is what was said, marked: what the watermark changes is 11 to 15 dB below a voice."""


def heard_as(heard: Samples, said: bytes) -> float:
    """How much of what was heard is what was said, marked: 1 is all of it and nothing else, wherever it begins.

    The real watermark changes every sample by a little, so that it is never quite 1.
    """
    one, other = heard.astype(np.float64), np.frombuffer(said, np.int16).astype(np.float64)
    size = 1 << (len(one) + len(other)).bit_length()
    products = np.fft.irfft(np.fft.rfft(one, size) * np.conj(np.fft.rfft(other, size)), size)
    return float(products.max() / np.sqrt((one @ one) * (other @ other)))
