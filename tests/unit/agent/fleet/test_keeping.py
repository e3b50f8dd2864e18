"""Who is lost, which rooms are orphans, how often one is served again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.fleet.keeping import (
    AGAIN_S,
    ATTEMPT,
    BEAT_S,
    LOST_AFTER_S,
    NOBODY_CAME_S,
    STEADY_S,
    Claims,
    Pulse,
    Wish,
    next_attempt,
    orphans,
)

TAKEN = Wish("d1", "standup", workers=("w1",), jobs=("j1",), age_s=30, served_s=29)


# ---- signs of life


def after(pulse: Pulse, stamps: dict[str, int], *, begin_s: float, for_s: float) -> frozenset[str]:
    """Look twice a second; what was found last."""
    lost: frozenset[str] = frozenset()
    for step in range(int(for_s / BEAT_S) + 1):
        lost = pulse.seen(stamps, begin_s + step * BEAT_S)
    return lost


def test_a_worker_whose_sign_does_not_change_is_lost_after_a_while() -> None:
    pulse = Pulse()
    assert after(pulse, {"w1": 5, "w2": 7}, begin_s=0.0, for_s=LOST_AFTER_S - BEAT_S) == frozenset()
    assert pulse.seen({"w1": 5, "w2": 8}, LOST_AFTER_S) == {"w1"}


def test_one_that_beats_again_is_not_lost_any_more() -> None:
    pulse = Pulse()
    assert after(pulse, {"w1": 5}, begin_s=0.0, for_s=3.0) == {"w1"}
    assert pulse.seen({"w1": 6}, 3.5) == frozenset()


def test_what_clocks_of_other_machines_say_does_not_matter() -> None:
    pulse = Pulse()
    for step in range(20):
        stamps = {"far ahead": 10**15 + step, "long ago": step}
        assert pulse.seen(stamps, 100.0 + step * BEAT_S) == frozenset()


def test_a_keeper_that_has_just_begun_gives_everybody_time() -> None:
    assert Pulse().seen({"dead for an hour": 5}, 1_000.0) == frozenset()


def test_a_keeper_that_was_asleep_itself_gives_everybody_time() -> None:
    pulse = Pulse()
    after(pulse, {"w1": 5}, begin_s=0.0, for_s=1.0)
    assert pulse.seen({"w1": 5}, 60.0) == frozenset()
    assert pulse.seen({"w1": 6}, 60.5) == frozenset()


def test_one_that_said_goodbye_is_forgotten() -> None:
    pulse = Pulse()
    after(pulse, {"w1": 5}, begin_s=0.0, for_s=2.0)
    pulse.seen({}, 2.5)
    assert pulse.seen({"w1": 5}, 3.0) == frozenset()


# ---- orphans


@pytest.mark.parametrize(
    ("wish", "lost", "ended", "orphan"),
    [
        (TAKEN, (), (), False),
        (TAKEN, ("w1",), (), True),
        (TAKEN, ("w2",), (), False),
        (TAKEN, (), ("j1",), True),
        (TAKEN, (), ("j2",), False),
        (replace(TAKEN, workers=("w1", "w2"), jobs=("j1", "j2")), ("w1",), (), False),
        (replace(TAKEN, workers=(), jobs=(), age_s=NOBODY_CAME_S - 0.1), (), (), False),
        (replace(TAKEN, workers=(), jobs=(), age_s=NOBODY_CAME_S), (), (), True),
    ],
)
def test_a_room_is_an_orphan_when_nobody_serves_it(
    wish: Wish, lost: tuple[str, ...], ended: tuple[str, ...], orphan: bool
) -> None:
    assert (orphans([wish], lost, ended) == [wish]) is orphan


def test_a_worker_of_whom_nothing_is_known_is_another_installations() -> None:
    assert orphans([replace(TAKEN, workers=("unknown",))], ("w1", "w2")) == []


# ---- again and again


def test_a_room_that_kills_whoever_serves_it_is_given_up() -> None:
    wish = replace(TAKEN, served_s=2.0)
    counted = []
    while (attempt := next_attempt(wish, 3)) is not None:
        counted.append(attempt)
        wish = replace(wish, attributes={ATTEMPT: str(attempt)})
    assert counted == [1, 2, 3]


def test_a_twin_that_lasted_did_not_die_of_its_room() -> None:
    wish = replace(TAKEN, served_s=STEADY_S, attributes={ATTEMPT: "3"})
    assert next_attempt(wish, 3) == 1


def test_waiting_for_a_worker_is_no_attempt() -> None:
    wish = replace(TAKEN, workers=(), jobs=(), attributes={ATTEMPT: "3"})
    assert next_attempt(wish, 3) == 3


def test_a_count_that_is_none_counts_from_the_start() -> None:
    assert replace(TAKEN, attributes={ATTEMPT: "many"}).attempt == 0


# ---- claims


def test_all_keepers_claim_the_same_name_and_another_when_it_was_in_vain() -> None:
    one, other = Claims(), Claims()
    assert one.name(TAKEN, 0.0) == other.name(TAKEN, 77.0)
    assert one.name(TAKEN, AGAIN_S - 0.1) == other.name(TAKEN, 77.0)
    assert one.name(TAKEN, AGAIN_S) != one.name(replace(TAKEN, id="d2"), AGAIN_S)
    assert one.name(TAKEN, AGAIN_S) == other.name(TAKEN, 77.0 + AGAIN_S)


def test_claims_of_wishes_that_are_gone_are_forgotten() -> None:
    claims = Claims()
    first = claims.name(TAKEN, 0.0)
    claims.only(())
    assert claims.name(TAKEN, 100.0) == first
