"""What is added and deleted for a job, whatever a killed one has done of it before."""

from __future__ import annotations

from persona.memory.changes import Drop, Keep, Replace
from persona.memory.delta import Delta, delta
from tests.unit.persona.memory.library_helpers import memory

REX, LUNA, JOB = (
    memory("a", "Her dog is called Rex.", at_ms=1, about="dog"),
    memory("b", "Her dog is called Luna.", at_ms=2, about="dog"),
    memory("c", "She works at the town hall.", at_ms=3, about="employer"),
)


def test_what_is_new_is_added() -> None:
    assert delta([("1", REX)], [Keep(JOB)], most=10) == Delta((JOB,), ())


def test_a_job_done_before_does_nothing() -> None:
    assert delta([("1", REX)], [Keep(REX)], most=10) == Delta((), ())


def test_a_newer_value_takes_the_place_of_the_old() -> None:
    assert delta([("1", REX)], [Replace("a", LUNA)], most=10) == Delta((LUNA,), ("1",))


def test_a_job_killed_between_adding_and_deleting_is_finished() -> None:
    assert delta([("1", REX), ("2", LUNA)], [Replace("a", LUNA)], most=10) == Delta((), ("1",))


def test_what_a_repeated_job_left_twice_is_there_once() -> None:
    assert delta([("1", REX), ("2", REX)], [Keep(REX)], most=10) == Delta((), ("2",))


def test_what_is_no_longer_so_goes() -> None:
    assert delta([("1", REX), ("2", JOB)], [Drop("a"), Drop("unknown")], most=10) == Delta((), ("1",))


def test_something_kept_and_dropped_in_one_call_is_never_stored() -> None:
    assert delta([], [Keep(REX), Drop("a")], most=10) == Delta((), ())


def test_a_memory_does_not_replace_itself_away() -> None:
    assert delta([("1", REX)], [Replace("a", REX)], most=10) == Delta((), ())


def test_over_the_limit_what_a_newer_one_is_about_goes_before_the_oldest() -> None:
    oldest = memory("0", "She has a blue car.", at_ms=0)
    stored = [("0", oldest), ("1", REX), ("2", LUNA)]
    assert delta(stored, [Keep(JOB)], most=3) == Delta((JOB,), ("1",))
    assert delta(stored, [Keep(JOB)], most=2) == Delta((JOB,), ("1", "0"))


def test_of_two_people_on_a_line_neither_supersedes_the_other() -> None:
    hers = memory("1", "Eva's dog is called Rex.", at_ms=1, about="dog", person="Eva")
    his = memory("2", "Jan's dog is called Luna.", at_ms=2, about="dog", person="Jan")
    old = memory("0", "Jan has a blue car.", at_ms=0, person="Jan")
    assert delta([("1", hers), ("2", his), ("0", old)], [Keep(JOB)], most=3) == Delta((JOB,), ("0",))
