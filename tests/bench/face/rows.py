"""Rows of the table: what was to be shown, what was measured, and whether it holds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tests.bench.report import quantile

QUICK = "TWIN_BENCH_QUICK"
"""Set to 1 it makes everything small: figures that tell whether the measurement works, within minutes."""


def quick() -> bool:
    return os.environ.get(QUICK) == "1"


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    goal: str
    """Empty where the issue sets none: the row explains another one."""
    measured: str
    n: str = ""
    holds: bool | None = None
    """None where there is no goal, or nothing could be measured."""

    def cells(self) -> dict[str, Any]:
        verdict = "" if self.holds is None else "holds" if self.holds else "MISSES"
        return {**asdict(self), "holds": verdict}


def spread(lags_ms: Sequence[float]) -> tuple[float, float]:
    """The mean, and the 99th percentile of the sizes."""
    if not lags_ms:
        return float("nan"), float("nan")
    return float(np.mean(lags_ms)), quantile([abs(lag) for lag in lags_ms], 0.99)


def offset_row(what: str, lags_ms: Sequence[float], n: str, *, goal: bool = True) -> Row:
    """Mouth behind sound; negative is ahead."""
    mean, p99 = spread(lags_ms)
    holds = abs(mean) <= 5.0 and p99 <= 20.0
    measured = f"mean {mean:+.1f} ms; p99 {p99:.1f} ms" if lags_ms else "nothing to measure"
    wanted = "mean within +-5 ms; p99 <= 20 ms" if goal else ""
    return Row(what, wanted, measured, n, holds if goal and lags_ms else None)
