"""What the benchmark says of the mark's quality: of the mean voice, however many pieces there are of each."""

from __future__ import annotations

import math

import pytest

from tests.bench.watermark.frontier import point
from tests.bench.watermark.quality import Heard, mean


def heard(voice: str, *pesq: float) -> list[Heard]:
    return [Heard(voice, one, 4.0, 1.0, 12.0) for one in pesq]


def test_each_voice_counts_alike_and_the_interval_is_over_voices() -> None:
    found, half = mean([*heard("a", 4.0, 3.9, 4.1), *heard("b", 4.4)])

    assert found == pytest.approx(4.2)
    # Student's t with one degree of freedom is 12.706 at 97.5 %, and the means' standard error 0.2.
    assert half == pytest.approx(12.706 * 0.2, abs=1e-3)


def test_of_one_voice_no_interval_can_be_told() -> None:
    found, half = mean(heard("a", 4.0, 4.2))

    assert found == pytest.approx(4.1)
    assert math.isnan(half)


@pytest.mark.parametrize(("told", "strength_db", "taps_ms"), [("2.35@15", 2.35, 15), ("2", 2.0, 10)])
def test_a_point_of_the_curve_is_a_strength_and_a_filters_length(
    told: str, strength_db: float, taps_ms: int
) -> None:
    assert point(told) == (strength_db, taps_ms)
