"""How likely it is that chance alone looks like the mark.

Under any key that did not mark a recording, the signs of the pattern are independent fair coin tosses,
whatever the recording is. What the detector computes is `z = sum(sign * evidence) / sqrt(sum(evidence ** 2))`,
a normalised sum of Rademacher variables, and for those, for every evidence and every z,

    P(sum >= z) <= c Q(z),  c = 1 / (4 Q(sqrt 2)) = 3.18,  Q the tail of the normal distribution

(V. K. Bentkus and D. Dzindzalieta, "A tight Gaussian bound for weighted sums of Rademacher random variables",
Bernoulli 21(2), 2015). So the threshold is not fitted to any speech, and holds for music and noise as well. Each
place, speed and key that was tried is one more look, and chances of several looks at most add up.
"""

from __future__ import annotations

import math

_BOUND = 1 / (2 * math.erfc(1.0))


def one_look(z: float) -> float:
    """The chance, at most, that a wrong key reaches `z` at one place. Never more than 1, and above 0."""
    if z <= 0:
        return 1.0
    return max(min(1.0, _BOUND * math.erfc(z / math.sqrt(2)) / 2), 5e-324)


def of_looks(z: float, looks: float) -> float:
    """The chance, at most, that any of so many looks reaches `z`."""
    return min(1.0, looks * one_look(z))


def threshold(chance: float, looks: float) -> float:
    """The z that so many looks reach with this chance at most."""
    low, high = 0.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if of_looks(middle, looks) > chance else (low, middle)
    return high
