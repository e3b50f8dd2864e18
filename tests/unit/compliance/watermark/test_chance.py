"""The bound on chance: above what chance does, for any weights, and not far above."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from compliance.watermark.chance import of_looks, one_look, threshold

TAIL = 3.178
"""The constant of Bentkus and Dzindzalieta, as printed."""


def normal_tail(z: float) -> float:
    return math.erfc(z / math.sqrt(2)) / 2


def normalised(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return weights / np.linalg.norm(weights)


def all_sums(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of every choice of signs."""
    sums = np.zeros(1)
    for weight in normalised(weights):
        sums = np.concatenate((sums + weight, sums - weight))
    return sums


@pytest.mark.parametrize("z", [0.5, 1.0, 1.5, 2.0, 4.0, 6.0, 10.0])
def test_it_is_the_bound_of_the_paper(z: float) -> None:
    assert one_look(z) == pytest.approx(min(1, TAIL * normal_tail(z)), rel=1e-3)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 9, 13])
def test_no_weights_do_better_than_it(count: int) -> None:
    rng = np.random.default_rng(count)
    kinds = [np.ones(count), np.geomspace(1, 1e-3, count), np.arange(1.0, count + 1)]
    kinds += [np.abs(rng.standard_cauchy(count)) for _ in range(60)]
    for weights in kinds:
        sums = np.sort(all_sums(weights))
        # The chance to reach each of the sums there are; rounding may not make two equal ones differ.
        reached = 1 - np.searchsorted(sums, sums - 1e-9) / len(sums)
        allowed = np.array([one_look(float(z) - 1e-9) for z in sums])
        assert (reached <= allowed + 1e-12).all()


def test_two_equal_weights_do_as_well_as_it() -> None:
    assert one_look(math.sqrt(2)) == pytest.approx(0.25)
    assert (all_sums(np.ones(2)) >= math.sqrt(2) - 1e-9).mean() == 0.25


@pytest.mark.parametrize("tails", [1.0, 2.0, 5.0])
def test_long_sums_with_a_few_great_weights_stay_below_it(tails: float) -> None:
    rng = np.random.default_rng(int(tails))
    weights = normalised(np.abs(rng.standard_t(tails, 400)))
    tosses = np.unpackbits(rng.integers(0, 256, (60_000, 50), dtype=np.uint8), axis=1).astype(np.float32)
    sums = tosses @ (2 * weights).astype(np.float32) - float(weights.sum())
    for z in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5):
        count, most = int((sums >= z).sum()), one_look(z) * len(sums)
        assert count <= most + 4 * math.sqrt(most)


def test_it_falls_and_stays_a_chance() -> None:
    chances = [one_look(z) for z in np.linspace(-5, 45, 2001)]
    assert chances == sorted(chances, reverse=True)
    assert (chances[0], one_look(0.0), one_look(-math.inf)) == (1.0, 1.0, 1.0)
    assert 0 < one_look(math.inf) <= one_look(45.0) < 1e-300


def test_what_is_no_number_says_nothing() -> None:
    assert one_look(math.nan) == 1.0


def test_looks_add_up_to_one_at_most() -> None:
    assert of_looks(6.0, 1000) == pytest.approx(1000 * one_look(6.0))
    assert of_looks(6.0, 1e30) == 1.0
    assert of_looks(1.0, 10) == 1.0


@pytest.mark.parametrize("looks", [1, 500, 1e6, 1e9])
@pytest.mark.parametrize("chance", [0.1, 1e-3, 5e-7, 1e-12, 1e-30])
def test_the_threshold_is_where_the_chance_is(chance: float, looks: float) -> None:
    z = threshold(chance, looks)
    assert of_looks(z, looks) <= chance
    assert of_looks(z, looks) == pytest.approx(chance, rel=1e-6)
    assert of_looks(z - 1e-6, looks) > chance


def test_more_looks_or_less_chance_want_more() -> None:
    over_looks = [threshold(1e-6, looks) for looks in (1, 10, 1e3, 1e6, 1e9)]
    over_chance = [threshold(chance, 1e4) for chance in (1e-2, 1e-4, 1e-8, 1e-16)]
    assert over_looks == sorted(set(over_looks))
    assert over_chance == sorted(set(over_chance))
