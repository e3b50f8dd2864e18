"""Where the milliseconds of a turn went."""

from __future__ import annotations

from agent.timing import TurnTimes, TurnTiming

STEPS = ("first_token", "first_sentence", "first_audio", "first_sound")


def turn(timing: TurnTiming, at_ms: float) -> None:
    for i, step in enumerate(STEPS):
        timing.reached(step, at_ms + (i + 1) * 10)


def test_each_step_counts_from_the_one_before() -> None:
    timing = TurnTiming()
    timing.caller_silent(1_000)
    timing.answered(1_650)
    timing.reached("first_token", 1_950)
    timing.reached("first_sentence", 2_000)
    timing.reached("first_audio", 2_090)
    timing.reached("first_sound", 2_100)
    assert list(timing.turns) == [TurnTimes(650, 300, 50, 90, 10)]
    assert timing.turns[0].total_ms == 1_100


def test_only_the_first_of_each_counts() -> None:
    timing = TurnTiming()
    timing.caller_silent(0)
    timing.answered(100)
    timing.reached("first_token", 110)
    timing.reached("first_token", 500)
    timing.reached("first_sound", 600)
    assert timing.turns[0].first_token_ms == 10


def test_a_step_that_did_not_happen_is_none_and_its_time_goes_to_the_next() -> None:
    timing = TurnTiming()
    timing.caller_silent(0)
    timing.answered(100)
    timing.reached("first_audio", 150)
    timing.reached("first_sound", 160)
    assert timing.turns[0] == TurnTimes(100, None, None, 50, 10)
    assert timing.turns[0].total_ms == 160


def test_the_disclosure_is_no_turn() -> None:
    timing = TurnTiming()
    turn(timing, 0)
    assert not timing.turns


def test_a_typed_turn_waited_for_nobody() -> None:
    timing = TurnTiming()
    timing.caller_silent(0)
    timing.answered(60_000, typed=True)
    turn(timing, 60_000)
    assert timing.turns[0] == TurnTimes(None, 10, 10, 10, 10)


def test_a_cough_while_the_twin_thinks_does_not_turn_the_wait_around() -> None:
    timing = TurnTiming()
    timing.caller_silent(0)
    timing.answered(600)
    timing.caller_silent(800)
    turn(timing, 900)
    assert timing.turns[0].wait_ms == 600


def test_a_turn_that_was_given_up_leaves_nothing_behind() -> None:
    timing = TurnTiming()
    timing.caller_silent(0)
    timing.answered(600)
    timing.reached("first_token", 700)
    timing.caller_silent(2_000)
    timing.answered(2_500)
    turn(timing, 2_500)
    assert list(timing.turns) == [TurnTimes(500, 10, 10, 10, 10)]


def test_the_last_200_are_kept() -> None:
    timing = TurnTiming()
    for i in range(250):
        timing.answered(i * 1_000)
        turn(timing, i * 1_000)
    assert len(timing.turns) == 200
