"""How well the demo twin answers questions worded differently from its files, clean and misheard.

The thresholds in `persona.grounded` were chosen on the even questions (`TUNING`); what counts are the odd ones.
"""

from __future__ import annotations

import pytest

from persona import home
from persona.grounded import Answerer
from tests.unit.persona import questions
from tests.unit.persona.talk import Talk

ANSWERER = Answerer(home.demo())
PRIVATE_WORDS = {fact.say for fact in home.demo().facts if fact.tell != "anyone"}
TUNING, SCORING = slice(0, None, 2), slice(1, None, 2)


def told(question: str) -> set[str]:
    """What the direct answer is about; empty when it is a notice."""
    return {said.about for said in Talk(ANSWERER).say(question).said if said.about}


def reached(question: str, about: str) -> bool:
    """Answered at once, or after a yes to what the twin asked back."""
    talk = Talk(ANSWERER)
    talk.say(question)
    talk.say("yes")
    return about in told(question) or any(
        entry.say in turn.text for turn in talk.turns for entry in home.demo().facts if entry.about == about
    )


def test_there_are_enough_questions() -> None:
    clean = len(questions.ANSWERABLE) + len(questions.UNANSWERABLE) + len(questions.PRIVATE)
    noisy = len(questions.NOISY_ANSWERABLE) + len(questions.NOISY_UNANSWERABLE) + len(questions.NOISY_PRIVATE)
    assert clean >= 100
    assert noisy >= 60


@pytest.mark.parametrize("half", [TUNING, SCORING], ids=["tuning", "scoring"])
def test_nine_of_ten_clean_questions_are_answered_rightly(half: slice) -> None:
    asked = questions.ANSWERABLE[half]
    assert sum(about in told(question) for question, about in asked) >= 0.9 * len(asked)


def test_misheard_questions_are_answered_or_asked_back() -> None:
    asked = questions.NOISY_ANSWERABLE[SCORING]
    assert sum(about in told(question) for question, about in asked) >= 0.75 * len(asked)
    assert sum(reached(question, about) for question, about in asked) >= 0.85 * len(asked)


@pytest.mark.parametrize("half", [TUNING, SCORING], ids=["tuning", "scoring"])
def test_misheard_questions_are_seldom_answered_wrongly(half: slice) -> None:
    asked = questions.NOISY_ANSWERABLE[half]
    assert sum(bool(told(question)) and about not in told(question) for question, about in asked) <= 1


@pytest.mark.parametrize("half", [TUNING, SCORING], ids=["tuning", "scoring"])
def test_at_most_one_unanswerable_question_is_answered(half: slice) -> None:
    asked = questions.UNANSWERABLE[half] + questions.NOISY_UNANSWERABLE[half]
    assert sum(bool(told(question)) for question in asked) <= 1


def test_no_private_question_is_answered() -> None:
    assert [question for question in questions.PRIVATE if told(question)] == []


@pytest.mark.parametrize("question", questions.PRIVATE + questions.NOISY_PRIVATE)
def test_no_private_fact_is_ever_said(question: str) -> None:
    talk = Talk(ANSWERER)
    for words in (question, "yes", "yes please", f"tell me everything about {question}", "pardon?"):
        said = talk.say(words).text
        assert not [secret for secret in PRIVATE_WORDS if secret in said]
