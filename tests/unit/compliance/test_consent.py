"""What may be kept of a call, event by event, and for whole random calls."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from compliance.consent import (
    Action,
    Answered,
    Ask,
    Consents,
    Disclosed,
    Event,
    Joined,
    KeepWords,
    Learnt,
    Leaving,
    Left,
    Method,
    Note,
    Purpose,
    Remember,
    Say,
    StartRecording,
    StopRecording,
    Withdrawn,
)
from compliance.disclosure import disclosure
from compliance.jurisdiction import Flow

NOTICE = Flow("notice", "off")
NOTICE_ASK = Flow("notice", "ask")
ASK_ASK = Flow("ask", "ask")
OFF_ASK = Flow("off", "ask")


def take(consents: Consents, *events: Event) -> list[Action]:
    """All that follows, without the notes."""
    return [action for event in events for action in consents.take(event) if not isinstance(action, Note)]


def notes(consents: Consents, *events: Event) -> list[str]:
    return [action.kind for event in events for action in consents.take(event) if isinstance(action, Note)]


def yes(purpose: Purpose = "recording", method: Method = "voice", who: str = "caller") -> Answered:
    return Answered(purpose, "yes", method, 2.0, who)


def no(purpose: Purpose = "recording", method: Method = "voice", who: str = "caller") -> Answered:
    return Answered(purpose, "no", method, 2.0, who)


def asked(flow: Flow = NOTICE_ASK) -> Consents:
    consents = Consents(flow)
    consents.take(Disclosed(1.0))
    return consents


def recording() -> Consents:
    consents = asked()
    consents.take(yes())
    assert consents.recording
    return consents


def test_before_the_disclosure_nothing_is_kept_or_asked() -> None:
    consents = Consents(NOTICE_ASK)
    assert take(consents, yes(), yes(method="key")) == []
    assert not consents.keeps_words_of()
    assert not consents.recording


def test_after_the_notice_words_are_kept_and_nothing_is_asked() -> None:
    consents = Consents(NOTICE)
    assert take(consents, Disclosed(1.0)) == [KeepWords(True, who="caller")]
    assert consents.pending is None


def test_a_yes_starts_the_recording_after_it_was_said() -> None:
    consents = Consents(NOTICE_ASK)
    assert take(consents, Disclosed(1.0)) == [KeepWords(True, who="caller"), Ask("recording")]
    assert take(consents, yes()) == [Say("recording_on"), StartRecording()]
    assert consents.recording


@pytest.mark.parametrize("answer", ["no", "unclear"])
def test_anything_else_is_a_no_and_the_call_goes_on(answer: Any) -> None:
    consents = asked()
    given = consents.take(Answered("recording", answer, "silence", 2.0))
    assert [note.kind for note in given if isinstance(note, Note)] == ["consent_refused"]
    assert [action for action in given if not isinstance(action, Note)] == [Say("recording_off")]
    assert not consents.recording
    assert consents.keeps_words_of()


def test_a_spoken_yes_counts_only_for_the_question_that_was_asked() -> None:
    consents = asked()
    take(consents, no())
    assert take(consents, yes()) == []
    assert take(consents, yes("transcription")) == []
    assert not consents.recording


def test_a_key_or_a_button_names_what_it_is_for() -> None:
    consents = asked()
    take(consents, no())
    assert take(consents, yes(method="button")) == [Say("recording_on"), StartRecording()]


def test_what_is_off_cannot_be_turned_on() -> None:
    consents = asked(NOTICE)
    assert take(consents, yes(method="button")) == [Say("recording_off")]
    assert not consents.recording


@pytest.mark.parametrize("method", ["voice", "key", "button"])
def test_withdrawal_stops_and_deletes_at_once(method: Method) -> None:
    consents = recording()
    given = consents.take(Withdrawn("recording", 9.0, method))
    assert given[0] == StopRecording(delete=True)
    assert Say("recording_stopped") in given
    assert not consents.recording
    assert consents.keeps_words_of(), "the words are another question"


def test_a_no_by_button_after_a_yes_is_a_withdrawal() -> None:
    assert take(recording(), no(method="button"))[0] == StopRecording(delete=True)


def test_stopping_what_does_not_run_answers_and_is_remembered() -> None:
    consents = asked()
    assert take(consents, Withdrawn("recording", 3.0)) == [Say("recording_off")]
    assert consents.pending is None
    assert take(consents, yes()) == []


def test_whoever_wants_nothing_written_is_not_recorded_either() -> None:
    consents = recording()
    assert take(consents, Withdrawn("transcription", 9.0)) == [
        StopRecording(delete=True), KeepWords(False, delete=True), Say("writing_stopped"),
    ]  # fmt: skip
    assert not consents.keeps_words_of()


def test_an_objection_while_asked_for_a_recording_ends_the_question() -> None:
    consents = asked()
    take(consents, Withdrawn("transcription", 3.0))
    assert consents.pending is None
    assert take(consents, yes()) == []


def test_words_may_be_asked_for_first_then_sound() -> None:
    consents = Consents(ASK_ASK)
    assert take(consents, Disclosed(1.0)) == [Ask("transcription")]
    assert take(consents, yes("transcription")) == [
        Say("writing_on"), KeepWords(True, who="caller"), Ask("recording"),
    ]  # fmt: skip
    assert take(consents, yes())[-1] == StartRecording()


def test_a_no_to_words_ends_the_questions() -> None:
    consents = Consents(ASK_ASK)
    take(consents, Disclosed(1.0))
    assert take(consents, no("transcription")) == [KeepWords(False, delete=True), Say("writing_off")]
    assert consents.pending is None


def test_where_words_are_off_that_is_said_once_and_noted() -> None:
    consents = Consents(OFF_ASK)
    given = consents.take(Disclosed(1.0))
    assert given[0] == KeepWords(False)
    assert isinstance(given[1], Note)
    assert given[1].kind == "words_kept_not"
    assert not consents.keeps_words_of()


# ---- more people


def test_who_comes_later_stops_the_recording_until_they_agree() -> None:
    consents = recording()
    assert take(consents, Joined(5.0, "bea")) == [
        StopRecording(delete=False), KeepWords(False, who="bea"), Say("short"),
    ]  # fmt: skip
    assert consents.keeps_words_of("caller")
    assert not consents.keeps_words_of("bea")
    assert take(consents, Disclosed(6.0, "bea")) == [KeepWords(True, who="bea"), Ask("recording", "bea")]
    assert take(consents, yes(who="bea")) == [Say("recording_on"), StartRecording()]


def test_their_no_leaves_it_stopped_and_what_was_before_stays() -> None:
    consents = recording()
    take(consents, Joined(5.0, "bea"), Disclosed(6.0, "bea"))
    assert take(consents, no(who="bea")) == [Say("recording_off")]
    assert not consents.recording


def test_their_leaving_does_not_start_it_again_by_itself() -> None:
    consents = recording()
    take(consents, Joined(5.0, "bea"), Disclosed(6.0, "bea"), no(who="bea"))
    assert take(consents, Left(9.0, "bea")) == [KeepWords(False, who="bea")]
    assert not consents.recording
    assert take(consents, yes(method="button"))[-1] == StartRecording()


def test_anybody_may_stop_it_for_all_even_who_just_came() -> None:
    consents = recording()
    take(consents, Joined(5.0, "bea"))
    assert take(consents, Withdrawn("recording", 5.5, who="bea"))[0] == StopRecording(delete=True)


def test_one_objection_to_writing_holds_for_all_and_after_leaving() -> None:
    consents = asked(NOTICE)
    take(consents, Joined(5.0, "bea"), Disclosed(6.0, "bea"))
    assert KeepWords(False, delete=True) in take(consents, Withdrawn("transcription", 7.0, who="bea"))
    take(consents, Left(8.0, "bea"))
    assert not consents.keeps_words_of("caller")
    assert take(consents, Joined(9.0, "cem"), Disclosed(10.0, "cem")) == [Say("short")]


def test_a_stricter_place_makes_the_flow_stricter_and_never_looser() -> None:
    consents = recording()
    given = take(consents, Joined(5.0, "bea", Flow("ask", "off")))
    assert StopRecording(delete=True) in given or StopRecording(delete=False) in given
    assert KeepWords(False) in given
    take(consents, Learnt(6.0, NOTICE_ASK))
    assert consents.flow.transcription == "ask"
    assert consents.flow.recording == "off"


def test_learning_of_a_place_that_asks_stops_the_words_until_a_yes() -> None:
    consents = asked(NOTICE)
    assert take(consents, Learnt(4.0, ASK_ASK)) == [KeepWords(False), Ask("transcription")]
    assert KeepWords(True, who="caller") in take(consents, yes("transcription"))


def test_when_all_have_left_it_stops_and_keeps() -> None:
    assert take(recording(), Left(9.0, "caller")) == [StopRecording(delete=False), KeepWords(False, who="caller")]


def test_a_room_begins_empty() -> None:
    consents = Consents(NOTICE_ASK, caller=None)
    assert not consents.recording
    assert take(consents, Joined(1.0, "ada")) == [Say("short")]
    assert take(consents, Disclosed(2.0, "ada")) == [KeepWords(True, who="ada"), Ask("recording", "ada")]


def leaving(level: Any) -> Consents:
    consents = Consents(NOTICE)
    consents.memory = level
    consents.take(Disclosed(1.0))
    return consents


def test_whoever_leaves_is_asked_whether_they_may_be_remembered_once() -> None:
    consents = leaving("ask")
    assert take(consents, Leaving(2.0)) == [Ask("memory")]
    assert take(consents, yes("memory")) == [Remember(True), Say("memory_on")]
    assert take(consents, Leaving(3.0)) == []


def test_a_no_or_nothing_clear_is_not_remembered() -> None:
    for answer in ("no", "unclear"):
        consents = leaving("ask")
        consents.take(Leaving(2.0))
        answered = Answered("memory", answer, "voice", 3.0)
        assert take(consents, answered) == [Remember(False), Say("memory_off")]


def test_a_yes_to_something_else_is_no_yes_to_be_remembered() -> None:
    consents = leaving("ask")
    consents.take(Leaving(2.0))
    assert take(consents, yes("recording")) == []
    assert consents.pending == ("memory", "caller")


def test_what_is_not_written_down_cannot_be_remembered() -> None:
    consents = leaving("ask")
    consents.take(Withdrawn("transcription", 2.0))
    assert take(consents, Leaving(3.0)) == []


def test_who_agreed_before_is_remembered_until_they_want_nothing_written() -> None:
    consents = Consents(NOTICE)
    consents.memory = "given"
    assert Remember(True) in take(consents, Disclosed(1.0))
    assert take(consents, Leaving(2.0)) == []
    assert Remember(False) in take(consents, Withdrawn("transcription", 3.0))


def test_who_agreed_before_may_change_their_mind() -> None:
    consents = leaving("given")
    assert take(consents, Withdrawn("memory", 2.0)) == [Remember(False), Say("memory_off")]


def test_where_nobody_is_remembered_nobody_is_asked_and_a_yes_means_nothing() -> None:
    consents = leaving("off")
    assert take(consents, Leaving(2.0), yes("memory")) == []


def test_the_evidence_says_who_how_and_under_which_rules() -> None:
    consents = Consents(Flow("notice", "ask", ("DE",), "2026-11-22"))
    (note,) = (action for action in consents.take(Disclosed(1.0)) if isinstance(action, Note))
    assert note.kind == "consent_asked"
    assert note.detail == {"purpose": "recording", "who": "caller", "policy": "2026-11-22"}
    (note,) = (action for action in consents.take(yes()) if isinstance(action, Note))
    assert (note.kind, note.at) == ("consent_given", 2.0)
    assert note.detail == {"purpose": "recording", "answer": "yes", "method": "voice", "who": "caller"}


# ---- whole calls


@dataclass
class Kept:
    """What a shell that obeys has stored, and by whose leave."""

    running: bool = False
    stored: bool = False
    words: set[str] = field(default_factory=set)

    def obey(self, actions: tuple[Action, ...]) -> None:
        for action in actions:
            match action:
                case StartRecording():
                    self.running = self.stored = True
                case StopRecording(delete=delete):
                    self.running, self.stored = False, self.stored and not delete
                case KeepWords(keep=keep, who=None):
                    assert not keep
                    self.words = set()
                case KeepWords(keep=True, who=str(who)):
                    self.words.add(who)
                case KeepWords(keep=False, who=str(who)):
                    self.words.discard(who)
                case Say(key=key):
                    assert hasattr(disclosure("en", owner="Ada"), key)
                case _:
                    pass


def test_in_any_order_of_events_nothing_is_kept_without_leave() -> None:
    chance = random.Random(5)
    flows = [Flow(t, r) for t in ("notice", "ask", "off") for r in ("ask", "off")]
    people = ("caller", "bea", "cem")
    recorded = 0
    for _ in range(3_000):
        consents, kept = Consents(chance.choice(flows)), Kept()
        here, told, agreed = {"caller"}, set[str](), set[str]()
        for at in range(chance.randrange(30)):
            event = some_event(chance, float(at), people, flows)
            pending, running = consents.pending, kept.running
            actions = consents.take(event)
            kept.obey(actions)
            match event:
                case Joined(who=who):
                    told, agreed = (told, agreed) if who in here else (told - {who}, agreed - {who})
                    here.add(who)
                case Left(who=who):
                    here, told, agreed = here - {who}, told - {who}, agreed - {who}
                case Disclosed(who=who) if who in here:
                    told.add(who)
                case Withdrawn(who=who):
                    agreed.discard(who)
                    assert not kept.stored
                case Answered(purpose="recording", answer=answer, method=method, who=who):
                    counts = who in told and (pending == ("recording", who) or method in ("key", "button"))
                    if counts and answer == "yes" and consents.flow.recording == "ask":
                        agreed.add(who)
                    elif counts:
                        agreed.discard(who)
                case Answered(purpose="transcription", answer=answer, method=method, who=who):
                    counts = who in told and (pending == ("transcription", who) or method in ("key", "button"))
                    if counts and answer != "yes":
                        agreed.discard(who)
                case _:
                    pass
            assert not kept.running or (here and here <= told and here <= agreed), event
            assert kept.running == consents.recording
            assert kept.words <= told
            assert kept.words == {who for who in people if consents.keeps_words_of(who)}
            assert not kept.running or consents.flow.recording == "ask"
            assert not kept.words or consents.flow.transcription != "off"
            assert sum(isinstance(action, Ask) for action in actions) <= 1
            recorded += kept.running and not running
    assert recorded > 100, "the calls of this test must record something"


def some_event(chance: random.Random, at: float, people: tuple[str, ...], flows: list[Flow]) -> Event:
    who = chance.choice(people)
    purpose: Purpose = chance.choice(["recording", "recording", "transcription"])
    method: Method = chance.choice(["voice", "voice", "key", "button", "silence"])
    kinds: list[Event] = [
        Disclosed(at, who), Disclosed(at, "caller"), Joined(at, who, chance.choice([None, None, *flows])),
        Left(at, who), Withdrawn(purpose, at, method, who), Learnt(at, chance.choice(flows)),
    ]  # fmt: skip
    kinds += [Answered(purpose, chance.choice(["yes", "yes", "yes", "no", "unclear"]), method, at, who)] * 6
    return chance.choice(kinds)
