"""The conversation as it was heard."""

from __future__ import annotations

import pytest

from agent.conversation import Conversation, HeardTurn
from channels.heard import HeardWord


class Record:
    """A listener that keeps what it was told at the moment it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, str]] = []

    def grew(self, turn: HeardTurn) -> None:
        self.told.append(("grew", turn.number, turn.text))

    def closed(self, turn: HeardTurn) -> None:
        self.told.append(("closed", turn.number, turn.text))


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
def talk(record: Record) -> Conversation:
    return Conversation(record)


def words(text: str, *, start: int = 0, provenance: str = "fact") -> list[HeardWord]:
    return [
        HeardWord(2, word, start + i * 100, start + i * 100 + 100, True, provenance)
        for i, word in enumerate(text.split())
    ]


def prompt(talk: Conversation, last: int = 40) -> list[tuple[str, str, bool]]:
    return [(turn.who, turn.text, turn.cut) for turn in talk.for_prompt(last)]


def test_both_sides_in_order(talk: Conversation) -> None:
    talk.twin_heard(words("Hello there."), epoch=0)
    talk.twin_stopped(cut=False)
    talk.caller_says("when", start=500, end=600, epoch=0)
    talk.caller_says("when are you open", start=500, end=900, epoch=0)
    talk.caller_said("When are you open?", start=500, end=1_000, epoch=0)
    talk.twin_heard(words("At nine.", start=1_200), epoch=0)
    talk.twin_stopped(cut=True)
    assert prompt(talk) == [
        ("twin", "Hello there.", False),
        ("caller", "When are you open?", False),
        ("twin", "At nine.", True),
    ]
    assert [(turn.start, turn.end) for turn in talk.turns] == [(0, 200), (500, 1_000), (1_200, 1_400)]


def test_the_listener_is_told_of_every_word_and_of_the_end(talk: Conversation, record: Record) -> None:
    talk.twin_heard(words("One two"), epoch=0)
    talk.twin_heard(words("three", start=200), epoch=0)
    talk.twin_stopped(cut=False)
    talk.twin_stopped(cut=True)
    assert record.told == [("grew", 0, "One two"), ("grew", 0, "One two three"), ("closed", 0, "One two three")]
    assert not talk.turns[0].cut


def test_a_partial_that_says_the_same_is_not_told_again(talk: Conversation, record: Record) -> None:
    for end in (100, 200, 300):
        talk.caller_says("when", start=0, end=end, epoch=0)
    assert len(record.told) == 1


def test_both_sides_may_grow_at_once(talk: Conversation, record: Record) -> None:
    talk.twin_heard(words("One"), epoch=0)
    talk.caller_says("no", start=50, end=80, epoch=0)
    talk.twin_heard(words("two", start=100), epoch=0)
    talk.caller_says("no wait", start=50, end=180, epoch=0)
    assert [(turn.who, turn.text) for turn in talk.turns] == [("twin", "One two"), ("caller", "no wait")]


def test_a_word_of_listening_stays_out_of_the_prompt(talk: Conversation) -> None:
    talk.twin_heard(words("One"), epoch=0)
    talk.caller_says("mm hmm", start=50, end=80, epoch=0)
    talk.caller_aside()
    talk.twin_heard(words("two", start=100), epoch=0)
    assert prompt(talk) == [("twin", "One two", False)]
    assert talk.turns[1].aside


def test_a_turn_that_went_on_is_one_in_the_prompt_and_two_in_the_record(talk: Conversation) -> None:
    talk.caller_said("I would like", start=0, end=100, epoch=0)
    talk.caller_said("to book a table.", start=200, end=300, epoch=1)
    assert prompt(talk) == [("caller", "I would like to book a table.", False)]
    assert [turn.text for turn in talk.turns] == ["I would like", "to book a table."]


def test_the_prompt_ends_with_the_turn_that_was_closed_last(talk: Conversation) -> None:
    talk.caller_says("uh", start=0, end=10, epoch=0)  # opened before the twin spoke, by a late partial
    talk.twin_heard(words("At nine."), epoch=0)
    talk.twin_stopped(cut=False)
    talk.caller_said("And on Sunday?", start=300, end=400, epoch=0)
    assert prompt(talk)[-1] == ("caller", "And on Sunday?", False)


def test_also_when_a_word_that_was_cut_would_have_ended_later(talk: Conversation) -> None:
    talk.twin_heard(words("At nine."), epoch=0)
    talk.twin_stopped(cut=True)
    talk.caller_said("Stop.", start=100, end=150, epoch=1)
    assert prompt(talk)[-1] == ("caller", "Stop.", False)


def test_only_the_last_turns_are_in_the_prompt(talk: Conversation) -> None:
    for i in range(30):
        talk.caller_said(f"question {i}", start=i * 1_000, end=i * 1_000 + 100, epoch=i)
        talk.twin_heard(words(f"answer {i}", start=i * 1_000 + 200), epoch=i)
        talk.twin_stopped(cut=False)
    talk.caller_said("the last", start=40_000, end=40_100, epoch=30)
    assert [text for _, text, _ in prompt(talk, 3)] == ["question 29", "answer 29", "the last"]


def test_the_end_closes_what_was_open(talk: Conversation, record: Record) -> None:
    talk.twin_heard(words("One"), epoch=0)
    talk.caller_says("good", start=50, end=80, epoch=0)
    talk.end()
    talk.end()
    assert [turn.cut for turn in talk.turns] == [True, True]
    assert record.told[2:] == [("closed", 0, "One"), ("closed", 1, "good")]


def test_where_the_words_come_from(talk: Conversation) -> None:
    talk.twin_heard(words("At nine.") + words("Sorry.", provenance="notice") + words("Yes."), epoch=0)
    talk.caller_said("Thanks.", start=0, end=1, epoch=0, typed=True)
    assert talk.turns[0].provenance.replace(",", "-") == "fact-notice"
    assert talk.turns[1].provenance == ""
    assert talk.turns[1].typed
