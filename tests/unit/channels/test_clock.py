"""The one clock."""

from __future__ import annotations

import pytest

from channels.clock import Clock


def test_the_position_is_the_sum_of_what_left() -> None:
    clock = Clock(8_000)
    for samples in (160, 0, 160, 7):
        clock.left(samples)
    assert clock.position == 327


def test_time_does_not_run_backwards() -> None:
    clock = Clock(8_000)
    with pytest.raises(ValueError, match="negative"):
        clock.left(-1)
    assert clock.position == 0


def test_heard_never_passes_what_left() -> None:
    clock = Clock(8_000)
    clock.left(160)
    clock.heard_until(10_000)
    assert clock.heard == 160


def test_a_late_report_takes_nothing_back() -> None:
    clock = Clock(8_000)
    clock.left(320)
    clock.heard_until(300)
    clock.heard_until(100)
    assert clock.heard == 300


def test_each_turn_has_its_epoch() -> None:
    clock = Clock(8_000)
    assert [clock.epoch, clock.next_epoch(), clock.next_epoch(), clock.epoch] == [0, 1, 2, 2]


@pytest.mark.parametrize(("rate_hz", "samples"), [(8_000, 160), (16_000, 320), (48_000, 960), (44_100, 882)])
def test_milliseconds_and_samples_are_the_same_thing(rate_hz: int, samples: int) -> None:
    clock = Clock(rate_hz)
    assert clock.samples(20) == samples
    assert clock.milliseconds(samples) == pytest.approx(20)
