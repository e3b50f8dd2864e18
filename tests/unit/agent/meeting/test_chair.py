"""What an utterance means for the twin, in each mode."""

from __future__ import annotations

from typing import Any

import pytest

from agent.meeting.addressee.said import Heard, Judgement, Mode, Scene
from agent.meeting.chair import Chair, Decision, Ruling

MANY, ALONE = Scene((), ("Bob",)), Scene((), ())


def rule(
    scene: Scene = MANY,
    *,
    mode: Mode = "on_request",
    decided: Decision = "silent",
    typed: bool = False,
    may_command: bool = False,
    awaited: bool = False,
    **judged: Any,
) -> Ruling:
    found = {"target": "other", "for_twin": 0.1, "wants": "answer", "in_field": False, **judged}
    chair = Chair(lambda heard, scene: Judgement(**found), lambda judgement, mode, scene: decided, mode)
    heard = Heard("anna", "Anna", "words", 0.0, 1.0, typed)
    ruling = chair.rule(heard, scene, may_command=may_command, awaited=awaited)
    if ruling.verdict == "switch":
        assert chair.mode == ruling.mode
    else:
        assert chair.mode == mode
    return ruling


@pytest.mark.parametrize(
    ("decided", "verdict"),
    [("speak", "answer"), ("raise_hand", "raise_hand"), ("note", "note"), ("silent", "nothing")],
)
def test_what_the_mode_makes_of_it(decided: Decision, verdict: str) -> None:
    assert rule(decided=decided).verdict == verdict


def test_alone_everything_is_answered_unless_it_is_silent() -> None:
    assert rule(ALONE).verdict == "answer"
    assert rule(ALONE).for_twin
    assert rule(ALONE, mode="silent").verdict == "nothing"


def test_an_answer_that_is_awaited_is_for_the_twin() -> None:
    assert rule(awaited=True).verdict == "answer"
    assert not rule(awaited=True, typed=True).written


def test_what_is_typed_is_answered_where_it_was_typed_but_alone() -> None:
    assert rule(decided="speak", typed=True).written
    assert not rule(ALONE, typed=True).written
    assert rule(ALONE, typed=True, mode="silent", for_twin=0.9).written


@pytest.mark.parametrize("decided", ["silent", "note"])
def test_a_silent_twin_answers_what_is_typed_to_it(decided: Decision) -> None:
    assert rule(mode="silent", decided=decided, typed=True, for_twin=0.9).verdict == "answer"
    assert rule(mode="silent", decided=decided, typed=False, for_twin=0.9).verdict != "answer"
    assert rule(mode="silent", decided=decided, typed=True, for_twin=0.1).verdict != "answer"


@pytest.mark.parametrize("mode", ["silent", "on_request", "active"])
def test_only_who_may_switches_it(mode: Mode) -> None:
    assert rule(command=mode, may_command=True) == Ruling("switch", "other", mode)
    assert rule(command=mode).verdict == "refuse"


@pytest.mark.parametrize("command", ["stop", "leave"])
@pytest.mark.parametrize("scene", [MANY, ALONE])
def test_anybody_stops_it_and_sends_it_away(command: str, scene: Scene) -> None:
    assert rule(scene, command=command, mode="silent").verdict == command


def test_a_hand_is_called_on_and_lowered_only_while_it_is_up() -> None:
    up = Scene((), ("Bob",), hand_raised=True)
    assert rule(up, command="speak").verdict == "called"
    assert rule(up, command="lower_hand").verdict == "lower_hand"
    assert rule(command="speak").verdict == "nothing"
