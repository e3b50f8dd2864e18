"""How sure a count makes one: exact intervals for a share, after Clopper and Pearson (1934)."""

from __future__ import annotations

import math
from dataclasses import dataclass

CONFIDENCE = 0.95
_STEPS = 200


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, and where the share lies with 95 % confidence."""

    count: int
    of: int

    @property
    def value(self) -> float:
        return self.count / self.of if self.of else float("nan")

    @property
    def low(self) -> float:
        if not self.count:
            return 0.0
        return _quantile((1 - CONFIDENCE) / 2, self.count, self.of - self.count + 1)

    @property
    def high(self) -> float:
        if self.count >= self.of:
            return 1.0
        return _quantile((1 + CONFIDENCE) / 2, self.count + 1, self.of - self.count)

    def percent(self) -> str:
        return f"{100 * self.value:.1f} %" if self.of else "nothing counted"

    def interval(self) -> str:
        """In percent, or in powers of ten where percents would all be 0."""
        if not self.of:
            return ""
        if self.high < 1e-3:
            return f"{self.low:.1e} to {self.high:.1e}"
        return f"{100 * self.low:.2f} to {100 * self.high:.2f} %"


def student(degrees: int) -> float:
    """How many standard errors a mean of `degrees` + 1 values is sure to within: Student's t, whose square by
    itself and the degrees is beta-distributed (Abramowitz and Stegun, 26.7.1)."""
    square = _quantile(CONFIDENCE, 1 / 2, degrees / 2)
    return math.sqrt(degrees * square / (1 - square))


def _quantile(share: float, a: float, b: float) -> float:
    """Where the beta distribution with `a` and `b` has that share below it; bisected by ratios, down to 1e-12."""
    low, high = 1e-12, 1.0
    for _ in range(_STEPS):
        middle = math.sqrt(low * high)
        if below(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return high


def below(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function (DLMF 8.17), by its continued fraction, after Lentz."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - below(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    c, d = 1.0, _away(1 - (a + b) * x / (a + 1))
    result = 1 / d
    d = 1 / d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1 / _away(1 + even * d), _away(1 + even / c)
        result *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1 / _away(1 + odd * d), _away(1 + odd / c)
        result *= d * c
        if abs(d * c - 1) < 1e-12:
            break
    return front * result / a


def _away(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300
