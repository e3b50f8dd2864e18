"""A model refines a digest, and can put words into nobody's mouth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from agent.meeting.minutes.model import ModelMinutes, merged
from compliance.entries import CallEntry, Conversation, MinuteEntry, TurnEntry, Who
from compliance.errors import EngineFailed

RATE_HZ = 48_000


def turn(at: int, text: str, name: str = "") -> TurnEntry:
    who: Who = "caller" if name else "twin"
    start, end = at * RATE_HZ, (at + 1) * RATE_HZ
    return TurnEntry(at, who, text, start, end, RATE_HZ, speaker=name.lower(), name=name)


TURNS = (
    turn(0, "Any objections? No? Then the old stove goes.", "Abe"),
    turn(1, "Somebody should tell the neighbours, I can drop by on Sunday.", "Bea"),
    turn(2, "I do not know."),
)
CALL = CallEntry("c", "room", None, 0, 9_000, "ended", "ended")
KEPT = Conversation(CALL, TURNS, (), ())


class Answers(ModelMinutes):
    """Answers what it is told to."""

    def __init__(self, reply: str) -> None:
        super().__init__(
            "http://127.0.0.1:9/v1", "none", owner="Martin", seen=lambda text: text.replace("stove", "X")
        )
        self.reply = reply

    async def _asked(self, turns: Sequence[TurnEntry]) -> str:
        return self.reply


def test_what_it_finds_is_the_words_of_the_turn() -> None:
    action = {"turn": 1, "who": "Abe", "task": "drop by", "due": "on sunday"}
    found = merged((), TURNS, {"decisions": [0], "actions": [action]})
    assert [(entry.kind, entry.text, entry.who, entry.due) for entry in found] == [
        ("decision", TURNS[0].text, "", ""),
        ("action", "drop by", "Abe", "on Sunday"),
    ]


@pytest.mark.parametrize(
    "reply",
    [
        None,
        [],
        {"decisions": "all"},
        {"decisions": [99, None, "0", {"turn": "x"}]},
        {"decisions": [2]},
        {"questions": {"turn": 0}},
    ],
)
def test_what_names_no_turn_of_a_person_is_dropped(reply: Any) -> None:
    assert merged((), TURNS, reply) == ()


def test_words_and_names_that_nobody_said_are_not_taken() -> None:
    made_up = {"turn": 1, "who": "Martin", "task": "pay a million", "due": "at once"}
    (entry,) = merged((), TURNS, {"actions": [made_up]})
    assert (entry.text, entry.who, entry.due) == (TURNS[1].text, "Bea", "")


def test_what_the_rules_found_stays_once() -> None:
    known = MinuteEntry("decision", "the old stove goes", 0, RATE_HZ, RATE_HZ, speaker="abe", name="Abe")
    assert merged((known,), TURNS, {"decisions": [0]}) == (known,)


async def test_a_reply_that_is_none_leaves_the_digest_to_the_rules() -> None:
    with pytest.raises(EngineFailed):
        await Answers("no json at all")(KEPT, ())
    assert len(await Answers(json.dumps({"decisions": [0]}))(KEPT, ())) == 1


async def test_a_model_that_is_not_there_is_a_failed_engine() -> None:
    absent = ModelMinutes("http://127.0.0.1:9/v1", "none", owner="Martin", seen=str)
    with pytest.raises(EngineFailed):
        await absent(KEPT, ())
