"""What a browser's times say: picture against sound, and whether anything old was shown. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

NEAR_MS = 450.0
"""A pip belongs to the position that is nearest; they are a second apart."""


def offsets_ms(
    shown: Sequence[tuple[float, int, int]], pips: Sequence[float], said_s: Sequence[float], fps: int
) -> list[float]:
    """For every pip that was heard: when the picture of its very sample was shown, less when it sounded.

    `shown` is (time in ms, number of the frame, epoch), `pips` when each sounded in ms, `said_s` at which second
    of the outlet's clock each was said. Positive is a picture that is late.
    """
    if len(shown) < 2:
        return []
    times = np.array([at for at, _, _ in shown])
    clock_ms = np.array([number * 1000.0 / fps for _, number, _ in shown])
    order = np.argsort(clock_ms)
    times, clock_ms = times[order], clock_ms[order]
    found: list[float] = []
    for said in said_s:
        at = said * 1000.0
        after = int(np.searchsorted(clock_ms, at))
        # Where pictures are missing around it, there is nothing to compare.
        if not 0 < after < len(clock_ms) or clock_ms[after] - clock_ms[after - 1] > 2500.0 / fps:
            continue
        seen_ms = float(np.interp(at, clock_ms[after - 1 : after + 1], times[after - 1 : after + 1]))
        nearest = min(pips, key=lambda pip: abs(pip - seen_ms), default=None)
        if nearest is not None and abs(nearest - seen_ms) < NEAR_MS:
            found.append(seen_ms - nearest)
    return found


def stale(shown: Sequence[tuple[float, int, int]], drops: Sequence[tuple[int, int]]) -> int:
    """How many pictures were shown of an epoch that was over. `drops` are (number of the first frame after, epoch
    that begins there)."""
    wrong = 0
    for _, number, epoch in shown:
        owed = max((new for first, new in drops if number >= first), default=0)
        wrong += epoch < owed
    return wrong


def backwards(shown: Sequence[tuple[float, int, int]]) -> int:
    """How often an older picture came after a newer one."""
    numbers = [number for _, number, _ in shown]
    return sum(later < earlier for earlier, later in pairwise(numbers))
