"""The digest of scripted meetings, by rules."""

from __future__ import annotations

import pytest

from agent.meeting.minutes.digest import CHARS, MOST, digest
from compliance.entries import TurnEntry
from tests.unit.agent.meeting.minutes.scripted import OWNER, RATE_HZ, meetings, score


def said(*texts: str, speaker: str = "anna", name: str = "Anna") -> list[TurnEntry]:
    return [
        TurnEntry(at, "caller", text, at * RATE_HZ, (at + 1) * RATE_HZ, RATE_HZ, speaker=speaker, name=name)
        for at, text in enumerate(texts)
    ]


@pytest.mark.parametrize("which", ["tuning", "scoring"])
def test_the_digest_of_scripted_meetings_is_what_they_come_down_to(which: str) -> None:
    done = score(meetings(which))
    for kind in ("question", "decision", "action", "statement", "promise", "unknown"):
        assert done.precision(kind) >= 0.9, (kind, done.wrong)
        assert done.recall(kind) >= 0.9, (kind, done.missed)
    assert done.who == done.right["action"]
    assert done.due == done.right["action"]


def test_what_the_rules_were_never_fitted_to_is_not_made_up() -> None:
    assert score(meetings("unseen")).wrong == []


def test_a_question_for_the_owner_keeps_its_exact_words_and_who_asked() -> None:
    words = "Hm. So, does Martin know that? Anyway."
    (entry,) = digest(said(words), owner=OWNER, language="en")
    assert (entry.kind, entry.text, entry.speaker, entry.name) == ("question", words, "anna", "Anna")


def test_what_the_meeting_judged_to_be_for_the_owner_is_a_question_whatever_its_words() -> None:
    turns = said("And he, would he like that?")
    assert digest(turns, owner=OWNER, language="en") == ()
    (entry,) = digest(turns, owner=OWNER, language="en", noted=[0])
    assert entry.kind == "question"


def test_with_the_owner_in_the_room_nothing_waits_for_them() -> None:
    turns = said("Does Martin know that?") + said("I do.", speaker="martin@example.org", name="Martin")
    identities = ["martin@example.org"]
    assert digest(turns, owner=OWNER, language="en", owner_identities=identities) == ()


def test_an_action_names_who_and_by_when() -> None:
    (entry,) = digest(said("I'll send Ben the Contract by Friday."), owner=OWNER, language="en")
    assert (entry.who, entry.text, entry.due) == ("Anna", "send Ben the Contract by Friday", "by Friday")


@pytest.mark.parametrize(
    "words",
    [
        "We have not decided anything.",
        "Should we go with the first one?",
        "If we decided that, nobody would come.",
        "I'll be honest with you.",
        "I'll have another coffee.",
        "Is Martin here?",
        "Last year we decided the opposite.",
    ],
)
def test_what_only_sounds_like_it_is_nothing(words: str) -> None:
    assert digest(said(words), owner=OWNER, language="en") == ()


def test_an_unknown_language_and_nothing_said_do_no_harm() -> None:
    assert digest(said("Il faut demander à quelqu'un."), owner=OWNER, language="fr") == ()
    assert digest([], owner=(), language="") == ()


def test_a_meeting_without_end_gives_a_digest_with_one() -> None:
    turns = said(*(f"We decided on number {number}." for number in range(500)))
    assert len(digest(turns, owner=OWNER, language="en")) == MOST
    (entry,) = digest(said("We decided on " + "very " * 500 + "much."), owner=OWNER, language="en")
    assert len(entry.text) <= CHARS


def test_a_name_with_signs_of_patterns_in_it_is_a_name() -> None:
    turns = said("A.*[( will send the plan.", name="A.*[(")
    assert len(digest(turns, owner=("M(artin",), language="en")) <= 1
