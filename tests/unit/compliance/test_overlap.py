"""Who spoke at once in a meeting."""

from __future__ import annotations

from compliance.overlap import overlapping
from tests.unit.compliance.meetings import turn


def test_turns_one_after_the_other_are_no_overlap() -> None:
    assert overlapping([turn(0, "a", 0, 2), turn(1, "b", 2, 3), turn(2, "c", 2.8, 5)]) == frozenset()


def test_whoever_speaks_during_anothers_turn_overlaps_with_it() -> None:
    turns = [turn(0, "a", 0, 10), turn(1, "b", 4, 5), turn(2, "c", 9.8, 12), turn(3, "d", 11, 13)]
    assert overlapping(turns) == {0, 1, 2, 3}
    assert overlapping(turns[:2]) == {0, 1}
    assert overlapping(turns[::2]) == frozenset()


def test_a_sound_too_short_to_be_heard_out_is_no_overlap() -> None:
    assert overlapping([turn(0, "a", 0, 10), turn(1, "mm", 4, 4.2)]) == frozenset()
