"""Who holds the floor."""

from __future__ import annotations

import math
import random

import numpy as np

from avatar.floor import HANG_MS, Cue, Floor


def _sound(floor: Floor, start_ms: int, end_ms: int, *people: str, dbfs: float = -22.0) -> None:
    for t_ms in range(start_ms, end_ms, 20):
        for person in people:
            floor.other(t_ms, person, dbfs, True, 0.0)


def _quiet(floor: Floor, start_ms: int, end_ms: int, *people: str) -> None:
    for t_ms in range(start_ms, end_ms, 20):
        for person in people:
            floor.other(t_ms, person, -70.0, False, 0.0)


def _holders(floor: Floor) -> list[str]:
    return [turn.person for turn in floor.turns]


def test_a_cough_takes_no_floor() -> None:
    floor = Floor()
    _sound(floor, 1_000, 1_080, "a")
    _quiet(floor, 1_080, 2_000, "a")
    assert not floor.turns


def test_who_speaks_holds_the_floor_until_a_while_after() -> None:
    floor = Floor()
    _sound(floor, 1_000, 3_000, "a")
    turn = floor.holder(3_000)
    assert turn is not None
    assert 1_100 <= turn.start_ms <= 1_160
    assert turn.end_ms == 2_980 + HANG_MS
    assert floor.holder(2_980 + HANG_MS + 1) is None


def test_a_breath_does_not_end_a_turn() -> None:
    floor = Floor()
    for start_ms in range(0, 8_000, 2_000):
        _sound(floor, start_ms, start_ms + 1_600, "a")
        _quiet(floor, start_ms + 1_600, start_ms + 2_000, "a")
    assert _holders(floor) == ["a"]


def test_a_mm_hmm_does_not_take_the_floor() -> None:
    floor = Floor()
    _sound(floor, 0, 2_000, "a")
    _sound(floor, 2_000, 2_500, "a", "b")
    _sound(floor, 2_500, 4_000, "a")
    assert _holders(floor) == ["a"]


def test_of_two_who_talk_at_once_the_first_holds_the_floor() -> None:
    floor = Floor()
    _sound(floor, 0, 1_000, "a")
    _sound(floor, 1_000, 6_000, "a", "b")
    assert _holders(floor) == ["a"]


def test_who_goes_on_louder_takes_it_at_last() -> None:
    floor = Floor()
    _sound(floor, 0, 1_000, "a", dbfs=-34.0)
    for t_ms in range(1_000, 6_000, 20):
        floor.other(t_ms, "a", -34.0, True, 0.0)
        floor.other(t_ms, "b", -18.0, True, 0.0)
    assert _holders(floor) == ["a", "b"]
    assert floor.turns[0].end_ms == floor.turns[1].start_ms > 3_400


def test_the_floor_passes_on_when_its_holder_falls_silent() -> None:
    floor = Floor()
    _sound(floor, 0, 2_000, "a", "b")
    _sound(floor, 2_000, 4_000, "b")
    assert _holders(floor) == ["a", "b"]
    assert 2_350 <= floor.turns[1].start_ms <= 2_500


def test_a_person_who_is_heard_no_more_holds_nothing() -> None:
    floor = Floor()
    _sound(floor, 0, 2_000, "a")
    assert floor.holder(10_000) is None
    _sound(floor, 10_000, 11_000, "b")
    assert _holders(floor) == ["a", "b"]


def test_without_a_flag_the_level_tells_speech_from_a_noisy_room() -> None:
    floor, chance = Floor(), random.Random(1)
    for t_ms in range(0, 20_000, 20):
        floor.other(t_ms, "a", -56.0 + chance.uniform(-2.0, 2.0), None, 0.0)
    assert not floor.turns
    for t_ms in range(20_000, 22_000, 20):
        floor.other(t_ms, "a", -30.0 + chance.uniform(-5.0, 5.0), None, 0.0)
    assert _holders(floor) == ["a"]


def test_levels_that_are_no_numbers_are_silence() -> None:
    floor = Floor()
    for t_ms in range(0, 3_000, 20):
        floor.other(t_ms, "a", (math.nan, -math.inf)[t_ms // 20 % 2], None, math.inf)
    assert not floor.turns


def test_who_moves_on_the_screen_is_followed() -> None:
    floor = Floor()
    for t_ms in range(0, 3_000, 20):
        floor.other(t_ms, "a", -20.0, True, -0.5 if t_ms < 1_500 else 0.5)
    assert [turn.bearing for turn in floor.turns] == [-0.5, 0.5]
    assert floor.turns[0].end_ms == floor.turns[1].start_ms == 1_500


def test_growing_louder_is_noticed_once() -> None:
    floor = Floor()
    _sound(floor, 0, 4_000, "a", dbfs=-32.0)
    _sound(floor, 4_000, 6_000, "a", dbfs=-18.0)
    assert len(floor.rises) == 1
    assert 4_000 < floor.rises[0] < 4_300


def test_places_to_nod_are_pauses_and_not_many() -> None:
    floor = Floor()
    told: list[Cue] = []
    for start_ms in range(0, 600_000, 3_000):
        _sound(floor, start_ms, start_ms + 2_600, "a")
        _quiet(floor, start_ms + 2_600, start_ms + 3_000, "a")
        if floor.cues and (not told or floor.cues[-1] is not told[-1]):
            told.append(floor.cues[-1])
    assert all(cue.pause_ms % 3_000 == 2_580 and cue.told_ms - cue.pause_ms <= 220 for cue in told)
    times = np.array([cue.told_ms for cue in told])
    assert max(((times >= at) & (times < at + 60_000)).sum() for at in times) <= 8
    assert len(told) > 40
    assert np.diff(times).std() > 1_000


def test_memory_is_bounded() -> None:
    floor = Floor()
    for second in range(1_000):
        _sound(floor, second * 1_000, second * 1_000 + 300, f"person {second}")
    assert len(floor.turns) < 120
    assert len(floor._voices) <= 64
