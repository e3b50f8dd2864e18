"""Who speaks now: conversations in virtual time."""

from __future__ import annotations

import os
import random

import pytest

from agent.turns.policy import (
    LONG_BACKCHANNEL_MS,
    Action,
    Answer,
    Event,
    Finish,
    Hold,
    Offset,
    Onset,
    Resume,
    Said,
    TurnPolicy,
    Twin,
    TwinBegan,
    TwinEnded,
    Typed,
    Words,
    Yield,
)
from agent.turns.policy import Tick as PolicyTick
from agent.turns.settings import TurnSettings

SETTINGS = TurnSettings(end_of_turn_ms=650, complete_ms=450, decide_ms=500, offset_ms=192)


class Talk:
    """A conversation: events at times, ticks when the policy asked for them."""

    def __init__(self, settings: TurnSettings = SETTINGS) -> None:
        self.policy = TurnPolicy(settings)
        self.now_ms = 0.0
        self.actions: list[tuple[float, Action]] = []

    def wait(self, milliseconds: float) -> list[Action]:
        """Time passes; returns what was decided meanwhile."""
        until = self.now_ms + milliseconds
        decided: list[Action] = []
        while (due := self.policy.deadline_ms) is not None and due <= until:
            self.now_ms = max(self.now_ms, due)
            actions = self._on(PolicyTick())
            assert actions or self.policy.deadline_ms != due, "a tick that leads nowhere would come for ever"
            decided += actions
        self.now_ms = until
        return decided

    def on(self, *events: Event) -> list[Action]:
        return [action for event in events for action in self._on(event)]

    def _on(self, event: Event) -> list[Action]:
        actions = self.policy.on(event, self.now_ms)
        self.actions += [(self.now_ms, action) for action in actions]
        return actions

    def speaking(self) -> Talk:
        """The twin speaks."""
        self.on(Typed("hello"), TwinBegan())
        self.actions.clear()
        return self


def test_a_question_is_answered_after_the_silence() -> None:
    talk = Talk()
    talk.on(Onset(), Words("when are you"))
    talk.wait(2_000)
    talk.on(Words("when are you open"), Offset(192))
    assert talk.wait(650 - 192 - 1) == []
    assert talk.wait(1) == [Finish()]
    assert talk.on(Said("When are you open?")) == [Answer("When are you open?")]
    assert talk.policy.twin is Twin.THINKING


def test_a_sentence_that_sounds_complete_waits_less() -> None:
    talk = Talk()
    talk.on(Onset(), Words("When are you open?"), Offset(192))
    assert talk.wait(450 - 192) == [Finish()]


def test_a_breath_does_not_end_the_turn() -> None:
    talk = Talk()
    talk.on(Onset(), Words("I would like"), Offset(192))
    assert talk.wait(300) == []
    talk.on(Onset())
    assert talk.wait(5_000) == []
    talk.on(Words("I would like to book"), Offset(192))
    assert talk.wait(600) == [Finish()]


def test_nothing_said_is_not_answered() -> None:
    talk = Talk()
    talk.on(Onset(), Offset(192))
    assert talk.wait(1_000) == [Finish()]
    assert talk.on(Said("")) == []
    assert talk.wait(60_000) == []
    assert talk.policy.deadline_ms is None


class TestInterruption:
    """The caller speaks while the twin does."""

    def test_the_twin_falls_silent_at_once(self) -> None:
        assert Talk().speaking().on(Onset()) == [Hold()]

    def test_words_take_the_turn(self) -> None:
        talk = Talk().speaking()
        talk.on(Onset())
        talk.wait(200)
        assert talk.on(Words("no wait")) == [Yield()]
        assert talk.policy.twin is Twin.SILENT

    def test_persistence_takes_the_turn_also_without_words(self) -> None:
        talk = Talk().speaking()
        talk.on(Onset())
        assert talk.wait(499) == []
        assert talk.wait(1) == [Yield()]

    def test_a_cough_does_not(self) -> None:
        talk = Talk().speaking()
        talk.on(Onset())
        talk.wait(150)
        talk.on(Offset(192))
        assert talk.wait(349) == []
        assert talk.wait(1) == [Resume(), Finish()]
        assert talk.on(Said("")) == []
        assert talk.policy.twin is Twin.SPEAKING
        assert talk.wait(60_000) == []

    @pytest.mark.parametrize("text", ["Mm-hmm.", "yeah", "Okay, sure", "I see.", "genau, ja"])
    def test_words_of_listening_do_not(self, text: str) -> None:
        talk = Talk().speaking()
        talk.on(Onset())
        assert talk.on(Words(text)) == []
        talk.wait(200)
        talk.on(Offset(192))
        assert talk.wait(300) == [Resume(), Finish()]
        assert talk.on(Said(text)) == []
        assert talk.policy.said == ""

    @pytest.mark.parametrize("text", ["yes but", "Okay, stop!", "I see you", "no", "what"])
    def test_more_than_that_does(self, text: str) -> None:
        talk = Talk().speaking()
        talk.on(Onset())
        assert talk.on(Words(text)) == [Yield()]

    def test_a_yes_to_a_question_of_ours_is_a_turn(self) -> None:
        talk = Talk().speaking()
        talk.on(Onset())
        talk.policy.expecting = True
        assert talk.on(Words("Yes")) == [Yield()]

    def test_a_long_drawn_mm_hmm_has_a_second(self) -> None:
        talk = Talk().speaking()
        talk.on(Onset(), Words("mmm hmm"), Words("mm"))
        assert talk.wait(LONG_BACKCHANNEL_MS - 1) in ([], [Yield()])

    def test_a_listening_word_that_goes_on_takes_the_turn(self) -> None:
        talk = Talk().speaking()
        talk.on(Onset(), Words("yeah"))
        assert talk.wait(999) == []
        assert talk.wait(1) == [Yield()]

    def test_somebody_who_stutters_is_decided_by_the_first_onset(self) -> None:
        talk = Talk().speaking()
        assert talk.on(Onset()) == [Hold()]
        for _ in range(3):
            talk.wait(100)
            assert talk.on(Offset(64)) == []
            talk.wait(60)
            assert talk.on(Onset()) == []
        assert talk.wait(20) == [Yield()]

    def test_what_took_the_turn_is_answered(self) -> None:
        talk = Talk().speaking()
        talk.on(Onset(), Words("no, I meant Sunday"))
        talk.wait(400)
        talk.on(Offset(192))
        assert talk.wait(1_000) == [Finish()]
        assert talk.on(Said("No, I meant Sunday.")) == [Answer("No, I meant Sunday.")]

    def test_a_yes_over_the_twins_last_word_is_an_answer(self) -> None:
        talk = Talk().speaking()
        assert talk.on(Onset()) == [Hold()]
        talk.on(Words("yes"))
        assert talk.on(TwinEnded()) == [Yield()]
        talk.wait(100)
        talk.on(Offset(192))
        assert talk.wait(1_000) == [Finish()]
        assert talk.on(Said("Yes.")) == [Answer("Yes.")]

    def test_a_short_stop_that_the_recogniser_knows_late_still_takes_the_turn(self) -> None:
        talk = Talk().speaking()
        talk.on(Onset())
        talk.wait(150)
        talk.on(Offset(192))
        assert talk.wait(350) == [Resume(), Finish()]
        assert talk.on(Said("Stop.")) == [Yield(), Answer("Stop.")]

    def test_after_a_cough_the_next_one_is_held_again(self) -> None:
        talk = Talk().speaking()
        for _ in range(3):
            assert talk.on(Onset()) == [Hold()]
            talk.wait(100)
            talk.on(Offset(192))
            assert talk.wait(500) == [Resume(), Finish()]
            assert talk.on(Said("")) == []


class TestTurnThatGoesOn:
    """The recogniser closed it, the caller did not."""

    def test_before_the_final_words_came(self) -> None:
        talk = Talk()
        talk.on(Onset(), Words("I would like"), Offset(192))
        assert talk.wait(1_000) == [Finish()]
        talk.on(Onset())
        assert talk.on(Said("I would like")) == []
        assert talk.policy.said == "I would like"
        talk.on(Words("to book"), Offset(192))
        assert talk.wait(1_000) == [Finish()]
        assert talk.on(Said("to book.")) == [Answer("I would like to book.")]

    def test_and_was_silent_again_before_they_came(self) -> None:
        talk = Talk()
        talk.on(Onset(), Words("I would like"), Offset(192))
        assert talk.wait(1_000) == [Finish()]
        talk.on(Onset())
        talk.wait(300)
        talk.on(Offset(192))
        assert talk.on(Said("I would like")) == []
        assert talk.wait(1_000) == [Finish()]
        assert talk.on(Said("to book.")) == [Answer("I would like to book.")]

    def test_and_it_was_only_noise(self) -> None:
        talk = Talk()
        talk.on(Onset(), Offset(192))
        talk.wait(1_000)
        talk.on(Onset(), Said("I would like"), Offset(192))
        talk.wait(1_000)
        assert talk.on(Said("")) == [Answer("I would like")]

    def test_while_the_twin_thinks(self) -> None:
        talk = Talk()
        talk.on(Onset(), Offset(192))
        talk.wait(1_000)
        assert talk.on(Said("I would like")) == [Answer("I would like")]
        assert talk.on(Onset()) == [Hold()]
        assert talk.on(Words("to book")) == [Yield()]
        talk.on(Offset(192))
        assert talk.wait(1_000) == [Finish()]
        assert talk.on(Said("to book.")) == [Answer("to book.")]  # the conversation makes one turn of both

    def test_a_cough_while_the_twin_thinks_changes_nothing(self) -> None:
        talk = Talk()
        talk.on(Typed("hello"), Onset())
        talk.wait(100)
        talk.on(Offset(192))
        assert talk.wait(600) == [Resume(), Finish()]
        assert talk.on(Said("")) == []
        assert talk.policy.twin is Twin.THINKING


class TestTyped:
    """Keys instead of sound."""

    def test_is_answered_at_once(self) -> None:
        assert Talk().on(Typed("I pressed 1.")) == [Answer("I pressed 1.")]

    def test_interrupts_the_twin(self) -> None:
        assert Talk().speaking().on(Typed("stop")) == [Yield(), Answer("stop")]

    def test_releases_a_hold(self) -> None:
        talk = Talk().speaking()
        talk.on(Onset())
        assert talk.on(Typed("stop")) == [Yield(), Answer("stop")]
        talk.on(Offset(192))
        assert talk.wait(200) == []

    def test_takes_along_what_was_said_before_it(self) -> None:
        talk = Talk()
        talk.on(Onset(), Offset(192))
        talk.wait(1_000)
        talk.on(Onset(), Said("my number is"))
        assert talk.on(Typed("I pressed 5.")) == [Answer("my number is I pressed 5.")]

    def test_speech_that_was_still_being_recognised_takes_the_turn_from_its_answer(self) -> None:
        talk = Talk()
        talk.on(Onset(), Offset(192))
        assert talk.wait(1_000) == [Finish()]
        talk.on(Typed("hello"), TwinBegan())
        assert talk.on(Said("When are you open?")) == [Yield(), Answer("When are you open?")]

    def test_a_cough_over_it_does_not_lose_what_was_being_recognised(self) -> None:
        talk = Talk()
        talk.on(Onset(), Offset(192))
        talk.wait(1_000)
        talk.on(Typed("hello"), TwinBegan())
        assert talk.on(Onset()) == [Hold()]
        talk.on(Said("When are you open?"))
        talk.wait(100)
        talk.on(Offset(192))
        assert talk.wait(1_000) == [Yield(), Finish()]
        assert talk.on(Said("")) == [Answer("When are you open?")]


def test_half_an_hour() -> None:
    """A turn every ten seconds, with a cough in every answer and every third one interrupted."""
    talk = Talk()
    answers = 0
    for turn in range(180):
        talk.on(Onset())
        talk.wait(2_000)
        talk.on(Words(f"question {turn}"), Offset(192))
        assert talk.wait(700) == [Finish()]
        assert talk.on(Said(f"Question {turn}?")) == [Answer(f"Question {turn}?")]
        answers += 1
        talk.wait(400)
        talk.on(TwinBegan())
        talk.wait(1_000)
        assert talk.on(Onset()) == [Hold()]
        talk.wait(200)
        talk.on(Offset(192))
        assert talk.wait(1_000) == [Resume(), Finish()]
        assert talk.on(Said("mm hmm")) == []
        if turn % 3 == 2:
            talk.on(Onset())
            assert talk.on(Words("but what about")) == [Yield()]
            talk.on(Offset(192))
            assert talk.wait(1_000) == [Finish()]
            talk.on(Said(""))
        else:
            talk.wait(3_000)
            talk.on(TwinEnded())
        talk.wait(3_000)
    assert sum(isinstance(action, Answer) for _, action in talk.actions) == answers == 180
    assert talk.now_ms > 30 * 60 * 1_000


@pytest.mark.parametrize("seed", range(int(os.environ.get("TWIN_SOAK_WALKS", "200"))))
def test_whatever_happens_the_floor_is_never_lost(seed: int) -> None:
    """Events in an order that a caller, a recogniser and an outlet could give, and some they could not."""
    chance = random.Random(seed)
    talk = Talk()
    seen = 0
    caller_speaks = finishing = held = False
    said = answered = 0
    for _ in range(300):
        talk.wait(chance.choice((0, 20, 100, 300, 700, 2_000)))
        kind = chance.choice(("voice", "voice", "words", "said", "typed", "twin"))
        match kind:
            case "voice":
                caller_speaks = not caller_speaks
                talk.on(Onset() if caller_speaks else Offset(192))
            case "words":
                talk.on(Words(chance.choice(("", "yeah", "mm hmm", "no wait", "when are you open?"))))
            case "said" if finishing:
                text = chance.choice(("", f"said{said}."))
                said += bool(text)
                talk.on(Said(text))
                finishing = False
            case "typed" if chance.random() < 0.2:
                said += 1
                talk.on(Typed(f"said{said - 1}."))
            case "twin" if talk.policy.twin is not Twin.SILENT:
                talk.on(TwinBegan() if talk.policy.twin is Twin.THINKING else TwinEnded())
        for _, action in talk.actions[seen:]:
            match action:
                case Hold():
                    assert not held, "held twice"
                    held = True
                case Resume():
                    assert held, "resumed what was not held"
                    held = False
                case Yield():
                    held = False
                case Finish():
                    assert not finishing, "asked twice for the final words"
                    finishing = True
                case Answer(text):
                    assert not held, "an answer that nobody would hear"
                    parts = text.split()
                    assert parts == [f"said{answered + i}." for i in range(len(parts))], "once, whole and in order"
                    answered += len(parts)
        seen = len(talk.actions)
    if caller_speaks:
        talk.on(Offset(192))
    if finishing:
        talk.on(Said(""))
    for action in talk.wait(10_000):
        if isinstance(action, Finish):
            talk.on(Said(""))
    released = [a for _, a in talk.actions if isinstance(a, (Hold, Resume, Yield))]
    assert not released or not isinstance(released[-1], Hold), "left on hold for ever"
    answers = [a.text.split() for _, a in talk.actions if isinstance(a, Answer)]
    assert [part for parts in answers for part in parts] == [f"said{i}." for i in range(said)], "a turn was lost"
