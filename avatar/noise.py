"""Chance without a state: the same seed and time give the same value, on any machine and in any order."""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np

_MASK: Final = (1 << 64) - 1
_BLOCK_MS: Final = 60_000
_BLOCKS_KEPT: Final = 8
_NORMAL: Final = NormalDist()


def ease(share: float) -> float:
    """From 0 to 1 with the least jerk; 0 before and 1 after. Its steepest slope is 1.875."""
    if share <= 0.0:
        return 0.0
    if share >= 1.0:
        return 1.0
    return share * share * share * (10.0 + share * (6.0 * share - 15.0))


def swell(since_ms: float, rise_ms: float, fall_ms: float, hold_ms: float = 0.0) -> float:
    """Up to 1 and back to 0, `since_ms` after it began."""
    return ease(since_ms / rise_ms) * (1.0 - ease((since_ms - rise_ms - hold_ms) / fall_ms))


@lru_cache(maxsize=16_384)
def chance(seed: int, *keys: int) -> float:
    """A number in [0, 1) that depends on nothing but the seed and the keys (splitmix64)."""
    state = seed & _MASK
    for key in keys:
        state = (state ^ (key & _MASK)) + 0x9E3779B97F4A7C15 & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return (state >> 11) / (1 << 53)


def between(low: float, high: float, share: float) -> float:
    """`low` at 0, `high` at 1."""
    return low + (high - low) * share


class Waves:
    """Smooth noise on several channels at once: sums of sines that never come together again.

    Each channel stays within +-1 and has nothing outside its band, so its speed and its jerk are bounded.
    """

    _TERMS: Final = 6

    def __init__(self, seed: int, key: int, bands_hz: tuple[tuple[float, float], ...]) -> None:
        terms = range(self._TERMS)
        channels = range(len(bands_hz))
        share = np.array([[(i + chance(seed, key, c, i)) / self._TERMS for i in terms] for c in channels])
        low, high = np.array(bands_hz).T[:, :, None]
        self._per_ms = 2.0 * math.pi / 1_000.0 * low * (high / low) ** share
        self._phase = np.array([[2.0 * math.pi * chance(seed, key + 1, c, i) for i in terms] for c in channels])
        self._weights = np.full(self._TERMS, 1.0 / self._TERMS)

    def at(self, t_ms: float) -> list[float]:
        """One value for each channel."""
        values: list[float] = (np.sin(self._per_ms * t_ms + self._phase) @ self._weights).tolist()
        return values


class Schedule:
    """Instants in an endless time with log-normal gaps between, found without going through those before.

    Gaps lie between `least_ms` and `most_ms`; once a minute one may be longer.
    """

    def __init__(
        self, seed: int, key: int, *, mean_ms: float, spread: float, least_ms: float, most_ms: float
    ) -> None:
        if not 0 < least_ms < mean_ms < most_ms <= _BLOCK_MS / 3:
            raise ValueError(f"gaps must hold {least_ms} < {mean_ms} < {most_ms} <= {_BLOCK_MS / 3:.0f} ms")
        self._seed = seed
        self._key = key
        self._median_ms = mean_ms / math.exp(spread * spread / 2.0)
        self._spread = spread
        self._least_ms = least_ms
        self._most_ms = most_ms
        self._blocks: dict[int, tuple[float, ...]] = {}

    def between(self, start_ms: float, end_ms: float) -> list[float]:
        """All instants in [start_ms, end_ms), in order."""
        first, last = math.floor(start_ms / _BLOCK_MS), math.floor(end_ms / _BLOCK_MS)
        found: list[float] = []
        for block in range(first, last + 1):
            found += [instant for instant in self._block(block) if start_ms <= instant < end_ms]
        return found

    def around(self, t_ms: float) -> tuple[float, float, float]:
        """The last two instants up to `t_ms` and the first after it."""
        block = math.floor(t_ms / _BLOCK_MS)
        instants = self._block(block)
        at = bisect_right(instants, t_ms)
        if at < 2:
            instants = self._block(block - 1) + instants
            at = bisect_right(instants, t_ms)
        after = instants[at] if at < len(instants) else self._block(block + 1)[0]
        return instants[at - 2], instants[at - 1], after

    def draw(self, instant_ms: float, what: int) -> float:
        """A number in [0, 1) that belongs to this instant; `what` tells its uses apart."""
        return chance(self._seed, self._key, round(instant_ms * 64), what)

    def _block(self, block: int) -> tuple[float, ...]:
        known = self._blocks.get(block)
        if known is not None:
            return known
        end_ms = (block + 1) * _BLOCK_MS - self._least_ms
        instants: list[float] = []
        instant_ms = block * _BLOCK_MS + self._gap_ms(block, 0) * chance(self._seed, self._key, block, -1)
        while instant_ms <= end_ms:
            instants.append(instant_ms)
            instant_ms += self._gap_ms(block, len(instants))
        if len(self._blocks) >= _BLOCKS_KEPT:
            self._blocks.pop(next(iter(self._blocks)))
        return self._blocks.setdefault(block, tuple(instants))

    def _gap_ms(self, block: int, index: int) -> float:
        share = chance(self._seed, self._key, block, index)
        gap_ms = self._median_ms * math.exp(self._spread * _NORMAL.inv_cdf(min(max(share, 1e-9), 1.0 - 1e-9)))
        return min(max(gap_ms, self._least_ms), self._most_ms)
