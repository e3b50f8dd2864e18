"""Who speaks among many: meetings in virtual time."""

from __future__ import annotations

import random

from agent.meeting.policy import (
    NOISY_MS,
    WAITING,
    WORDS_MS,
    Action,
    Answer,
    Began,
    Event,
    Fell,
    Hold,
    Lines,
    MeetingPolicy,
    Raise,
    Resume,
    Ruled,
    Say,
    Tick,
    Twin,
    TwinBegan,
    TwinEnded,
    Wordless,
    Words,
    Yield,
)
from agent.meeting.settings import MeetingSettings
from agent.turns.settings import TurnSettings

SETTINGS = MeetingSettings(gap_ms=300, hold_s=8, wait_s=10, disclose_within_s=8)
TURNS = TurnSettings(decide_ms=500)
GAP_MS = 300.0


class Meeting:
    """Events at times, ticks when the policy asked for them."""

    def __init__(self, *, alone: bool = False) -> None:
        self.policy = MeetingPolicy(SETTINGS, TURNS)
        self.policy.alone = alone
        self.now_ms = 10_000.0

    def wait(self, milliseconds: float) -> list[Action]:
        """Time passes; returns what was decided meanwhile."""
        until, decided, ticks = self.now_ms + milliseconds, list[Action](), 0
        while (due := self.policy.deadline_ms) is not None and due <= until:
            self.now_ms = max(self.now_ms, due)
            actions = self.policy.on(Tick(), self.now_ms)
            ticks += 1
            assert actions or self.policy.deadline_ms != due, "a tick that leads nowhere would come for ever"
            assert ticks < 100, "ticks for ever"
            decided += actions
        self.now_ms = until
        return decided

    def on(self, *events: Event) -> list[Action]:
        return [action for event in events for action in self.policy.on(event, self.now_ms)]

    def says(self, who: str, text: str = "words", *, ms: float = 1_000) -> list[Action]:
        """Somebody speaks; what they said is not yet known to be for anybody."""
        actions = self.on(Began(who), Words(who, text))
        actions += self.wait(ms)
        return [*actions, *self.on(Fell(who, 192))]

    def speaking(self, who: str = "anna", item: int = 1) -> None:
        """The twin answers somebody, and sounds."""
        self.on(Ruled(who, "answer", item))
        self.wait(GAP_MS)
        self.on(TwinBegan())
        assert self.policy.twin is Twin.SPEAKING


def test_what_is_meant_for_the_twin_is_answered_at_once_when_all_are_silent() -> None:
    here = Meeting()
    assert here.says("anna") == []
    assert here.wait(500) == []
    assert here.on(Ruled("anna", "answer", 7)) == [Answer(7)]


def test_the_twin_does_not_begin_while_somebody_speaks() -> None:
    here = Meeting()
    here.says("anna")
    here.on(Began("bob"))
    assert here.on(Ruled("anna", "answer", 7)) == []
    assert here.wait(2_000) == []
    here.on(Fell("bob", 192))
    assert here.wait(100) == []
    assert here.wait(10) == [Answer(7)]


def test_words_that_are_for_others_change_nothing() -> None:
    here = Meeting()
    here.says("anna")
    assert here.on(Ruled("anna", "nothing")) == []
    assert here.policy.deadline_ms is None


def test_without_a_gap_the_hand_goes_up() -> None:
    here = Meeting()
    here.on(Began("bob"), Words("bob", "so"), Ruled("anna", "answer", 3))
    assert here.wait(9_990) == []
    assert here.wait(20) == [Raise(3)]
    here.on(Fell("bob"))
    assert here.wait(60_000) == [], "it is not answered unasked later"


def test_anybody_who_speaks_holds_the_twin_and_a_mm_hmm_lets_it_go_on() -> None:
    here = Meeting()
    here.speaking()
    assert here.on(Began("bob")) == [Hold()]
    here.on(Words("bob", "mm hmm"))
    here.wait(200)
    here.on(Fell("bob", 192))
    assert here.wait(GAP_MS) == [Resume()]
    assert here.policy.twin is Twin.SPEAKING


def test_talk_among_others_lets_it_go_on_once_it_is_known_to_be_such() -> None:
    here = Meeting()
    here.speaking()
    assert here.says("bob", "could you close the window", ms=1_500) == [Hold()]
    assert here.wait(600) == [], "what they said may have been for the twin"
    assert here.on(Ruled("bob", "nothing")) == [Resume()]


def test_it_goes_on_when_no_words_come_of_it() -> None:
    here = Meeting()
    here.speaking()
    here.says("bob", "could you", ms=400)
    assert here.wait(WORDS_MS) == [Resume()]


def test_sound_without_words_is_noise_in_the_end() -> None:
    here = Meeting()
    here.speaking()
    assert here.on(Began("fan")) == [Hold()]
    assert here.wait(7_990) == []
    assert here.wait(20) == [Resume()]
    assert here.on(Words("fan", "oh and by the way")) == [Hold()], "it was somebody after all"


def test_of_whom_there_was_noise_before_it_is_noise_sooner() -> None:
    here = Meeting()
    here.on(Began("fan"), Fell("fan"), Wordless("fan"))
    here.wait(1_000)
    here.on(Began("fan"), Ruled("anna", "answer", 2))
    assert here.wait(NOISY_MS - 10) == []
    assert here.wait(20) == [Answer(2)]


def test_it_holds_until_the_last_one_is_silent() -> None:
    here = Meeting()
    here.speaking()
    assert here.on(Began("bob"), Words("bob", "yes"), Began("carla"), Words("carla", "hm")) == [Hold()]
    here.on(Fell("bob"))
    assert here.wait(1_000) == []
    here.on(Fell("carla"))
    assert here.wait(GAP_MS) == [Resume()]


def test_a_question_into_the_answer_takes_its_place() -> None:
    here = Meeting()
    here.speaking()
    assert here.says("bob", "and what about", ms=900) == [Hold()]
    assert here.wait(500) == []
    assert here.on(Ruled("bob", "answer", 9)) == [Yield(), Answer(9)]


def test_stop_ends_it() -> None:
    here = Meeting()
    here.speaking()
    here.on(Ruled("carla", "answer", 5))
    here.on(Began("bob"))
    assert here.on(Ruled("bob", "stop")) == [Yield()]
    here.on(Fell("bob"))
    assert here.wait(5_000) == [], "nothing that waited is said either"


def test_spoken_over_for_long_it_gives_up() -> None:
    here = Meeting()
    here.speaking()
    here.on(Began("bob"), Words("bob", "and so I said"))
    assert here.wait(7_990) == []
    assert here.wait(20) == [Yield()]
    here.on(Fell("bob"))
    assert here.wait(5_000) == []


def test_an_answer_that_has_not_begun_waits_for_the_gap() -> None:
    here = Meeting()
    here.says("anna")
    here.wait(500)
    assert here.on(Ruled("anna", "answer", 1)) == [Answer(1)]
    assert here.says("bob", "so anyway") == [Hold()]
    here.on(Ruled("bob", "nothing"))
    assert here.wait(GAP_MS) == [Resume()]


def test_an_answer_that_finds_no_gap_becomes_a_raised_hand() -> None:
    here = Meeting()
    here.on(Ruled("anna", "answer", 1))
    here.on(Began("bob"), Words("bob", "so"))
    assert here.wait(10_010) == [Yield(), Raise(1)]


def test_whoever_goes_on_before_the_answer_sounds_asks_one_question() -> None:
    here = Meeting()
    assert here.on(Ruled("anna", "answer", 1)) == [Answer(1)]
    assert here.says("anna", "I mean on monday") == [Hold()]
    here.wait(500)
    assert here.on(Ruled("anna", "answer", 2)) == [Yield(), Answer(2)]


def test_another_question_meanwhile_is_answered_next() -> None:
    here = Meeting()
    here.on(Ruled("anna", "answer", 1))
    here.says("bob")
    here.on(Ruled("bob", "answer", 2))
    assert here.wait(GAP_MS) == [Resume()]
    here.on(TwinBegan())
    assert here.on(TwinEnded()) == [Answer(2)]


def test_only_so_many_questions_wait() -> None:
    here = Meeting()
    here.on(Began("bob"), *(Ruled("anna", "answer", item) for item in range(1, WAITING + 3)))
    here.on(Fell("bob"))
    assert here.wait(GAP_MS) == [Answer(3)]


def test_what_is_answered_in_the_chat_waits_for_no_gap() -> None:
    here = Meeting()
    here.on(Began("bob"))
    assert here.on(Ruled("anna", "answer", 4, written=True)) == [Answer(4, written=True)]
    assert here.on(Began("carla")) == [], "writing disturbs nobody"
    assert here.on(TwinEnded()) == []


def test_fixed_lines_wait_for_a_gap() -> None:
    here = Meeting()
    here.on(Began("bob"), Words("bob", "so"))
    assert here.on(Lines()) == []
    assert here.wait(60_000) == []
    here.on(Fell("bob"))
    assert here.wait(GAP_MS) == [Say()]


def test_what_is_urgent_is_said_into_the_talk_at_last() -> None:
    here = Meeting()
    here.on(Began("bob"), Words("bob", "so"), Lines(urgent=True))
    assert here.wait(7_990) == []
    assert here.wait(20) == [Say()]
    here.on(TwinBegan())
    assert here.on(Began("carla")) == [], "and goes on"
    here.on(TwinEnded())
    assert here.policy.twin is Twin.SILENT


def test_what_is_urgent_and_was_cut_into_goes_on_in_time() -> None:
    here = Meeting()
    assert here.on(Lines(urgent=True)) == [Say()]
    here.on(TwinBegan())
    assert here.on(Began("bob"), Words("bob", "so")) == [Hold()]
    assert here.wait(8_010) == [Resume()]
    assert here.on(Began("carla")) == []


def test_alone_with_one_person_words_take_the_turn_at_once() -> None:
    here = Meeting(alone=True)
    here.speaking()
    assert here.on(Began("anna")) == [Hold()]
    assert here.on(Words("anna", "no wait")) == [Yield()]


def test_alone_with_one_person_lasting_speech_takes_it_too() -> None:
    here = Meeting(alone=True)
    here.speaking()
    here.on(Began("anna"))
    assert here.wait(510) == [Yield()]


def test_alone_with_one_person_a_cough_is_nothing() -> None:
    here = Meeting(alone=True)
    here.speaking()
    here.on(Began("anna"))
    here.wait(250)
    here.on(Fell("anna", 192))
    assert here.wait(GAP_MS) == [Resume()]


def test_whoever_leaves_is_silent() -> None:
    here = Meeting()
    here.speaking()
    here.on(Began("bob"))
    here.on(Fell("bob"))
    assert here.wait(GAP_MS) == [Resume()]


def test_whatever_happens_nothing_begins_while_somebody_speaks_and_no_hold_lasts() -> None:
    chance = random.Random(6)
    for _ in range(300):
        here = Meeting(alone=chance.random() < 0.2)
        people, speaking, held = ["anna"] if here.policy.alone else ["anna", "bob", "carla"], set[str](), False
        for _ in range(60):
            who = chance.choice(people)
            events: list[Event] = [
                Began(who),
                Fell(who, 192),
                Words(who, chance.choice(["yes", "could you do it"])),
                Ruled(who, chance.choice(["answer", "stop", "nothing"]), 1, written=chance.random() < 0.1),
                Lines(),
                TwinBegan(),
                TwinEnded(),
            ]
            event = chance.choice(events)
            said = [Words(who, "well")] if isinstance(event, Began) else []
            if isinstance(event, TwinBegan) and here.policy.twin not in (Twin.THINKING,):
                continue
            if isinstance(event, Began):
                speaking.add(who)
            if isinstance(event, Ruled):
                here.on(Fell(who, 192))
            if isinstance(event, (Fell, Ruled)):
                speaking.discard(who)
            for action in [*here.on(event, *said), *here.wait(chance.choice([0, 50, 400, 3_000]))]:
                held = isinstance(action, Hold) or (held and not isinstance(action, (Resume, Yield)))
                begins = isinstance(action, Say) or (isinstance(action, Answer) and not action.written)
                assert not (begins and speaking)
                assert not (isinstance(action, Resume) and speaking and here.policy.twin is Twin.SPEAKING)
        here.on(*(Fell(who) for who in people))
        here.wait(60_000)
        assert not held or here.policy.deadline_ms is None
