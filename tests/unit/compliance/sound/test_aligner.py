"""Where the caller's sound is laid: jitter absorbed, drift followed, losses filled, surplus named."""

from __future__ import annotations

import random

import pytest

from compliance.sound.aligner import WAIT_MS, Aligner, Placement

RATE = 8_000
TICK = 160
WAIT = WAIT_MS * RATE // 1000


def placements(aligner: Aligner, now: float, laid: float | None, *, ending: bool = False) -> list[Placement]:
    found = []
    while placement := aligner.next(now, laid, ending=ending):
        found.append(placement)
        laid = placement.gap + (aligner.lag if laid is None else laid)
    return found


def test_a_piece_waits_until_a_late_one_can_be_told_from_a_lost_one() -> None:
    aligner = Aligner(RATE)
    aligner.arrived(TICK, now=TICK)
    assert aligner.next(TICK + WAIT - 1, None) is None
    assert aligner.next(TICK + WAIT, None) == Placement(TICK)


def test_at_the_end_nothing_waits() -> None:
    aligner = Aligner(RATE)
    aligner.arrived(TICK, now=TICK)
    assert aligner.next(TICK, None, ending=True) == Placement(TICK)


def test_pieces_on_time_are_laid_together_without_a_change() -> None:
    aligner = Aligner(RATE)
    for number in range(1, 11):
        aligner.arrived(TICK, now=number * TICK)
    assert placements(aligner, 10 * TICK, 0.0, ending=True) == [Placement(10 * TICK)]


def test_a_stall_and_the_burst_after_it_are_not_a_loss() -> None:
    aligner = Aligner(RATE)
    for number in range(1, 11):
        aligner.arrived(TICK, now=number * TICK)
    for _ in range(50):
        aligner.arrived(TICK, now=60 * TICK)
    found = placements(aligner, 60 * TICK, 0.0, ending=True)
    assert sum(placement.frames for placement in found) == 60 * TICK
    assert all(placement.gap == 0 and placement.surplus == 0 for placement in found)


def test_a_loss_is_filled_at_its_place() -> None:
    aligner = Aligner(RATE)
    for number in (*range(1, 11), *range(21, 60)):
        aligner.arrived(TICK, now=number * TICK)
    found = placements(aligner, 60 * TICK, 0.0, ending=True)
    assert [placement.gap for placement in found] == [0, 10 * TICK]
    assert [placement.frames for placement in found] == [10 * TICK, 39 * TICK]


def test_jitter_below_a_step_changes_the_pace_by_less_than_can_be_heard() -> None:
    aligner = Aligner(RATE)
    jitter = random.Random(4)
    for number in range(1, 500):
        aligner.arrived(TICK, now=number * TICK + jitter.choice((0, 160, 320, 480)))
    found = placements(aligner, 500 * TICK, 0.0, ending=True)
    assert all(abs(placement.pace) <= 0.005 and not placement.gap for placement in found)


def test_an_outlet_that_stood_still_leaves_a_surplus_to_be_cut_from_pauses() -> None:
    aligner = Aligner(RATE)
    for number in range(1, 11):
        aligner.arrived(TICK, now=number * TICK)
    for number in range(1, 41):
        aligner.arrived(TICK, now=10 * TICK)
        if number > 20:
            aligner.arrived(TICK, now=(number - 10) * TICK)
    surplus = [placement for placement in placements(aligner, 40 * TICK, 0.0, ending=True) if placement.surplus]
    assert surplus
    assert not any(placement.cut for placement in surplus)
    assert all(placement.pace < 0 for placement in surplus)


def test_a_surplus_of_seconds_is_cut_at_once() -> None:
    aligner = Aligner(RATE)
    aligner.arrived(TICK, now=TICK)
    for _ in range(150):
        aligner.arrived(TICK, now=TICK)
    assert any(placement.cut for placement in placements(aligner, TICK, 0.0, ending=True))


@pytest.mark.parametrize("ppm", [-200, 0, 200])
def test_the_lag_follows_the_other_clock(ppm: int) -> None:
    """Ten minutes of the aligner alone; `tests.soak.drift` goes on for hours."""
    aligner = Aligner(RATE)
    jitter = random.Random(ppm)
    laid: float | None = None
    worst = 0.0
    for number in range(1, 600 * 50):
        true_s = number * 0.02 * (1 + ppm / 1e6)
        now = int((true_s + abs(jitter.gauss(0, 0.015))) / 0.02) * TICK
        aligner.arrived(TICK, now)
        while placement := aligner.next(now, laid):
            assert not placement.gap
            assert not placement.surplus
            laid = (aligner.lag if laid is None else laid) + placement.frames * placement.pace
        if laid is not None and number > 1_000:
            worst = max(worst, abs(laid - (true_s * RATE - number * TICK)))
    assert worst < 0.021 * RATE, "one tick of the clock, however long the call"
