"""G.711 mu-law, the telephone's eight bits, by table in both directions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BIAS = 33
MAX_MAGNITUDE = 8_158
"""Magnitudes are 14 bits in G.711; the two lowest bits of an int16 are below its precision."""


def _decoding_table() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.uint8)
    segment = (code >> 4) & 0x07
    step = (code & 0x0F).astype(np.int32)
    magnitude = ((2 * step + BIAS) << segment) - BIAS
    return (np.where(code & 0x80, -magnitude, magnitude) * 4).astype(np.int16)


def _encoding_table() -> NDArray[np.uint8]:
    """Indexed by the int16 read as uint16, so that a chunk can index it without a copy."""
    linear = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    negative = linear < 0
    # The size is taken before the two bits go: a shift rounds down, which would favour negative samples.
    biased = np.minimum(np.abs(linear) >> 2, MAX_MAGNITUDE) + BIAS
    segment = np.floor(np.log2(biased)).astype(np.int32) - 5
    step = (biased >> (segment + 1)) & 0x0F
    code = (segment << 4) | step | np.where(negative, 0x80, 0)
    table: NDArray[np.uint8] = (~code & 0xFF).astype(np.uint8)
    return table


_DECODED = _decoding_table()
_ENCODED = _encoding_table()


def decode(codes: bytes) -> bytes:
    """mu-law to int16 mono: two bytes for each."""
    return _DECODED[np.frombuffer(codes, np.uint8)].tobytes()


def encode(pcm: bytes) -> bytes:
    """int16 mono to mu-law: one byte for every two."""
    return _ENCODED[np.frombuffer(pcm, np.uint16)].tobytes()
