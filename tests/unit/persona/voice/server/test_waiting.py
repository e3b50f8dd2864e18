from __future__ import annotations

import pytest

from persona.voice.server.waiting import Full, Waiting


def filled(*jobs: str, most: int = 8) -> Waiting[str]:
    """Each job is its client's name and a number."""
    waiting: Waiting[str] = Waiting(most)
    for job in jobs:
        assert waiting.add(job[0], job) is None
    return waiting


def taken(waiting: Waiting[str]) -> list[str]:
    jobs = []
    while (job := waiting.take()) is not None:
        jobs.append(job)
    return jobs


def test_clients_take_turns_each_with_its_oldest() -> None:
    assert taken(filled("a1", "a2", "a3", "b1", "c1", "c2")) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_a_client_that_is_alone_may_use_every_place() -> None:
    waiting = filled("a1", "a2", "a3", most=3)
    with pytest.raises(Full):
        waiting.add("a", "a4")


def test_a_newcomer_takes_the_place_of_the_greediest_clients_newest() -> None:
    waiting = filled("a1", "a2", "a3", "b1", most=4)
    assert waiting.add("c", "c1") == "a3"
    assert taken(waiting) == ["a1", "b1", "c1", "a2"]


def test_no_one_is_robbed_by_somebody_with_as_much() -> None:
    waiting = filled("a1", "a2", "b1", "b2", most=4)
    with pytest.raises(Full):
        waiting.add("b", "b3")
    with pytest.raises(Full):
        filled("a1", "b1", most=2).add("c", "c1")
    assert len(waiting) == 4


def test_a_job_whose_client_is_gone_leaves_the_line() -> None:
    waiting = filled("a1", "b1", "b2")
    assert waiting.remove("b1")
    assert not waiting.remove("b1")
    assert waiting.remove("a1")
    assert waiting.jobs() == ["b2"]
    assert waiting.clear() == ["b2"]
    assert len(waiting) == 0
