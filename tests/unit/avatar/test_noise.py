"""Chance without a state."""

from __future__ import annotations

import numpy as np
import pytest

from avatar.noise import Schedule, Waves, chance, ease, swell


def _schedule(seed: int = 1) -> Schedule:
    return Schedule(seed, 7, mean_ms=4_000, spread=0.6, least_ms=1_000, most_ms=15_000)


def test_easing_starts_and_ends_at_rest() -> None:
    assert [ease(x) for x in (-1.0, 0.0, 0.5, 1.0, 2.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert ease(0.01) < 1e-4
    assert ease(0.99) > 1 - 1e-4


def test_a_swell_goes_up_stays_and_goes_down() -> None:
    assert swell(-1.0, 100.0, 200.0) == 0.0
    assert swell(100.0, 100.0, 200.0) == 1.0
    assert swell(140.0, 100.0, 200.0, hold_ms=50.0) == 1.0
    assert swell(350.0, 100.0, 200.0, hold_ms=50.0) == 0.0


def test_chance_is_even_and_the_same_each_time() -> None:
    draws = np.array([chance(5, key) for key in range(20_000)])
    assert np.histogram(draws, 10, (0.0, 1.0))[0].min() > 1_850
    assert chance(5, 3) == draws[3]
    assert chance(6, 3) != draws[3]
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 0.03


def test_waves_stay_in_their_range_and_band_after_a_day() -> None:
    waves = Waves(2, 1, ((0.1, 0.5), (1.0, 2.0)))
    for start_ms in (0.0, 86_400_000.0):
        values = np.array([waves.at(start_ms + 10.0 * i) for i in range(6_000)])
        assert np.abs(values).max() <= 1.0
        assert values.std(axis=0).min() > 0.15
        speed = np.abs(np.diff(values, axis=0)).max(axis=0) * 100.0
        assert (speed < 2.0 * np.pi * np.array([0.5, 2.0])).all()
    assert waves.at(5.0) != Waves(3, 1, ((0.1, 0.5), (1.0, 2.0))).at(5.0)


def test_gaps_are_log_normal_and_keep_their_limits() -> None:
    gaps = np.diff(_schedule().between(0.0, 20_000_000.0))
    assert gaps.min() >= 1_000
    assert np.mean(gaps) == pytest.approx(4_000, rel=0.08)
    assert np.median(gaps) < 0.92 * np.mean(gaps)
    assert (gaps > 15_000).mean() < 0.002


def test_a_schedule_is_the_same_from_wherever_one_asks() -> None:
    whole = _schedule().between(-200_000.0, 900_000.0)
    pieces = _schedule()
    asked = [instant for block in (3, -2, 7, 0) for instant in pieces.between(block * 1e5, block * 1e5 + 1e5)]
    assert set(asked) <= set(whole)
    for index in range(2, len(whole)):
        t_ms = 0.5 * (whole[index - 1] + whole[index])
        assert pieces.around(t_ms) == (whole[index - 2], whole[index - 1], whole[index])


def test_gaps_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="gaps"):
        Schedule(1, 1, mean_ms=500, spread=0.5, least_ms=600, most_ms=900)
