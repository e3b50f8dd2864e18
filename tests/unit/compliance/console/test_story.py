from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compliance.console.lines import lines
from compliance.console.story import note, story, title
from compliance.console.strip import strip
from compliance.entries import EventEntry, TurnEntry


@dataclass(frozen=True)
class Leaf:
    kind: str
    at_ms: int
    leaf: str = "ab12"
    detail: Mapping[str, Any] | None = None
    state: str = "proved"


def test_an_event_and_its_leaf_are_one_step_with_the_time_of_the_clock_and_the_proof() -> None:
    event = EventEntry("disclosure_played", 10_400, 80_000, 16_000, {"language": "de"})
    told = story(
        [event], [Leaf("disclosure_played", 10_900, detail={"method": "voice"})], started_ms=5_000, ended_ms=None
    )

    (step,) = told.during
    assert (step.at_s, step.leaf, step.tone) == (5.0, "ab12", "told")
    assert step.note == "language: de · method: voice"


def test_the_same_kind_much_later_is_another_step() -> None:
    events = [EventEntry("redisclosed", 1_000), EventEntry("redisclosed", 60_000)]
    told = story(events, [Leaf("redisclosed", 60_100, detail={})], started_ms=0, ended_ms=90_000)

    assert [(step.at_ms, bool(step.leaf)) for step in told.during] == [(1_000, False), (60_000, True)]


def test_who_looked_stands_apart_the_newest_first() -> None:
    leaves = [
        Leaf("viewed", 100_000, detail={"by": "ada"}),
        Leaf("unmasked", 200_000, detail={"reason": "a dispute"}),
    ]
    told = story([], leaves, started_ms=0, ended_ms=90_000)

    assert told.during == ()
    assert [step.kind for step in told.since] == ["unmasked", "viewed"]
    assert told.since[0].note == "reason: a dispute"
    assert told.since[0].at_s is None


def test_a_forgotten_leaf_says_so() -> None:
    leaf = Leaf("consent_given", 1_000, state="forgotten")
    (step,) = story([], [leaf], started_ms=0, ended_ms=None).during

    assert step.proof == "forgotten"
    assert step.note == ""


def test_an_unknown_kind_is_shown_in_its_own_words() -> None:
    assert title("moved_to_attic") == "Moved to attic"


def test_a_note_holds_no_more_than_a_page_may_show() -> None:
    assert note({"purpose": "recording", "secret": "x", "end": 5}) == "purpose: recording"


def test_the_picture_has_every_turn_in_its_place() -> None:
    turns = [
        TurnEntry(0, "twin", "a", 0, 16_000, 16_000, cut=True),
        TurnEntry(1, "caller", "b", 48_000, 64_000, 16_000),
    ]
    drawn = strip(lines(turns, None), (), [(1.0, 4.0)], length_s=4.0)

    assert [(bar.x, bar.width, bar.who, bar.cut) for bar in drawn.bars] == [
        (0, 25, "twin", True),
        (75, 25, "caller", False),
    ]
    assert [(bar.x, bar.width) for bar in drawn.recorded] == [(25, 75)]


def test_the_picture_marks_what_matters_and_labels_are_few() -> None:
    events = [EventEntry("disclosure_played", 0, 0, 16_000), EventEntry("dtmf", 5, 5, 16_000)]
    told = story(events, [], started_ms=0, ended_ms=None)
    for length_s in (0.0, 3.0, 59.0, 600.0, 7_200.0, 40_000.0):
        drawn = strip((), told.during, (), length_s=length_s)
        assert [mark.title for mark in drawn.marks] == [title("disclosure_played")]
        assert 1 <= len(drawn.ticks) <= 14
        assert all(0 <= x <= 100 for x, _ in drawn.ticks)


def test_what_begins_and_ends_says_which() -> None:
    events = [EventEntry("hand", 1_000, detail={"raised": raised}) for raised in (True, False)]
    events.append(EventEntry("muted", 2_000, detail={"muted": False}, speaker="anna"))
    told = story(events, [], started_ms=0, ended_ms=9_000)

    assert [step.title for step in told.during] == [
        "The twin raised its hand",
        "The twin lowered its hand",
        "Can be heard again",
    ]
    assert [step.speaker for step in told.during] == ["", "", "anna"]


def test_everybody_in_a_meeting_has_a_lane_and_the_twin_the_last() -> None:
    turns = [
        TurnEntry(0, "twin", "Hello.", 0, 10, 10),
        TurnEntry(1, "caller", "Hi.", 10, 30, 10, speaker="anna"),
        TurnEntry(2, "caller", "Ho.", 20, 40, 10, speaker="ben"),
    ]
    shown = lines(turns, None)
    drawn = strip(shown, [], [], length_s=4)

    assert drawn.lanes == ("anna", "ben")
    assert [bar.lane for bar in drawn.bars] == [2, 0, 1]
    assert [line.together for line in shown] == [False, True, True]
