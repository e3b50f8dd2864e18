"""Which rooms a worker takes, and what it tells the server."""

from __future__ import annotations

import pytest

from agent.fleet.load import FULL, Burden, load, refusal, told
from agent.fleet.settings import WorkerSettings

FOUR = WorkerSettings(max_rooms=4, room_memory_mb=400)
TARGET_LOAD = 0.7
"""At which a LiveKit server stops offering rooms to a worker, unless it is configured otherwise."""


@pytest.mark.parametrize(
    ("burden", "why"),
    [
        (Burden(0), ""),
        (Burden(3), ""),
        (Burden(3, cpu=1.0), ""),
        (Burden(4), "full"),
        (Burden(2, coming=2), "full"),
        (Burden(0, memory_mb=399), "memory"),
        (Burden(0, coming=1, memory_mb=799), "memory"),
        (Burden(0, coming=1, memory_mb=800), ""),
        (Burden(0, draining=True), "draining"),
    ],
)
def test_a_room_is_taken_while_there_are_places_and_memory(burden: Burden, why: str) -> None:
    assert refusal(burden, FOUR) == why


def test_a_worker_that_takes_nothing_says_that_it_is_full() -> None:
    assert load(Burden(4), FOUR) == FULL
    assert load(Burden(0, draining=True), FOUR) == FULL
    assert told(FULL) == FULL


def test_a_worker_that_takes_rooms_is_offered_them_however_busy_its_machine_is() -> None:
    for rooms in range(4):
        for cpu in (0.0, 0.5, 1.0):
            assert told(load(Burden(rooms, cpu=cpu), FOUR)) < TARGET_LOAD


def test_who_has_fewer_rooms_and_a_calmer_machine_says_less() -> None:
    assert load(Burden(1), FOUR) < load(Burden(2), FOUR)
    assert load(Burden(1, cpu=0.2), FOUR) < load(Burden(1, cpu=0.8), FOUR)
