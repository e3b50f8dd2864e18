"""Reading the call's token: the best of all 65,536 words of a layer, and how much better than chance it is.

A layer is a random linear code (`pattern.code`): a cell says the parity of the token under the cell's mask. The
correlation of what was heard with every word at once is the Walsh-Hadamard transform of the evidence, gathered by
mask. No check sum is needed beside it: a wrong word looks like chance, and chance is bounded (`chance.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from compliance.watermark.chance import of_looks
from compliance.watermark.layout import REST, SHORT
from compliance.watermark.pattern import SHORT_BITS, code

WORDS = 1 << SHORT_BITS
CERTAIN = 5e-7
"""A word is told only when the chance that any wrong one looks so good is below this; two words make a token."""


@dataclass(frozen=True, slots=True)
class Word:
    """The likeliest 16 bits of a layer."""

    bits: int
    chance: float
    """That a wrong word looks as good as this one, at most."""

    @property
    def certain(self) -> bool:
        return self.chance <= CERTAIN


def read_short(key: bytes, evidence: NDArray[np.float32], slots: NDArray[np.int64]) -> Word:
    """The first half of a token. `evidence` is (n, BANDS), `slots` the period's slot of each of its rows."""
    return _read(*code(key, SHORT), evidence, slots)


def read_rest(key: bytes, short: int, evidence: NDArray[np.float32], slots: NDArray[np.int64]) -> Word:
    """The second half of a token whose first half is known."""
    return _read(*code(key, REST, short), evidence, slots)


def _read(
    signs: NDArray[np.int8],
    masks: NDArray[np.uint16],
    evidence: NDArray[np.float32],
    slots: NDArray[np.int64],
) -> Word:
    signed = evidence * signs[slots]
    # Cells that come again in later periods carry the same toss, so they count as one.
    cells = np.zeros(signs.shape, dtype=np.float64)
    np.add.at(cells, slots, signed)
    votes: NDArray[np.float64] = np.zeros(WORDS)
    np.add.at(votes, masks.ravel(), cells.ravel())
    sums = transformed(votes)
    best = int(np.argmax(sums))
    size = float(np.sqrt(np.square(cells).sum()))
    return Word(best, of_looks(float(sums[best]) / size, WORDS) if size > 0 else 1.0)


def transformed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The Walsh-Hadamard transform, natural order: at m the sum of `values[i] * (-1) ** popcount(i & m)`.

    Its matrix is the Kronecker product of those of half as many bits: two small products instead of 16 passes.
    """
    bits = len(values).bit_length() - 1
    high, low = _hadamard(bits // 2), _hadamard(bits - bits // 2)
    found: NDArray[np.float64] = (high @ values.reshape(len(high), len(low)) @ low).ravel()
    return found


@cache
def _hadamard(bits: int) -> NDArray[np.float64]:
    """Sylvester's matrix of so many bits: 1 and -1, its own transpose."""
    places = np.arange(1 << bits, dtype=np.uint32)
    matrix: NDArray[np.float64] = 1.0 - 2.0 * (np.bitwise_count(places[:, None] & places) & 1)
    matrix.setflags(write=False)
    return matrix
