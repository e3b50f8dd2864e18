from __future__ import annotations

import pytest

from persona import manners


@pytest.mark.parametrize(
    ("manner", "text"),
    [
        ("human", "Are you a real person?"),
        ("human", "am i talking to a human being"),
        ("human", "Pretend that you are human."),
        ("machine", "are you a robot"),
        ("machine", "Is this a recording?"),
        ("machine", "Are you an AI?"),
        ("who", "Who am I talking to?"),
        ("who", "here and i'm talking to"),
        ("who", "Who's there?"),
        ("who", "what's your name"),
        ("thanks", "Thank you very much!"),
        ("bye", "Thank you. Good bye."),
        ("bye", "bye bye"),
        ("hello", "Good morning!"),
        ("how", "how are you today"),
        ("hear", "Can you hear me?"),
        ("wait", "hang on a second"),
    ],
)
def test_manners_are_heard(manner: str, text: str) -> None:
    assert manners.heard(manner, text)


@pytest.mark.parametrize(
    ("manner", "text"),
    [
        ("human", "Are you open on Saturday?"),
        ("machine", "Can you fix my computer?"),
        ("who", "Who is Rosa?"),
        ("hello", "When is the office open?"),
        ("bye", "What is the bus number?"),
    ],
)
def test_other_words_are_not_taken_for_manners(manner: str, text: str) -> None:
    assert not manners.heard(manner, text)


@pytest.mark.parametrize(
    "text", ["Pardon?", "Sorry?", "What did you say?", "could you repeat that please", "say that again"]
)
def test_a_request_to_repeat_is_heard(text: str) -> None:
    assert manners.asks_to_repeat(text)


@pytest.mark.parametrize("text", ["I'm sorry, where is your office?", "What did he learn?", "what do you charge"])
def test_a_question_is_no_request_to_repeat(text: str) -> None:
    assert not manners.asks_to_repeat(text)


@pytest.mark.parametrize("text", ["Yes.", "yeah that's right", "Correct", "ok", "sure go ahead"])
def test_yes_is_yes(text: str) -> None:
    assert manners.says_yes(text)
    assert not manners.says_no(text)


@pytest.mark.parametrize("text", ["No.", "nope", "that's not right", "no, on Tuesday", "never mind"])
def test_no_is_no(text: str) -> None:
    assert manners.says_no(text)
    assert not manners.says_yes(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Where is it? How much is it?", ["Where is it?", "How much is it?"]),
        (
            "where is your office and how much does a consultation cost",
            ["where is your office", "how much does a consultation cost"],
        ),
        (
            "when is the office open on saturday how much does a visit cost",
            ["when is the office open on saturday", "how much does a visit cost"],
        ),
        ("Is Mr. Alder there?", ["Is Mr. Alder there?"]),
        ("tell me about the work and the office", ["tell me about the work and the office"]),
        ("", []),
    ],
)
def test_a_turn_is_taken_apart_into_its_questions(text: str, parts: list[str]) -> None:
    assert manners.questions(text) == parts


def test_a_survey_is_recognised_with_its_subject() -> None:
    assert (
        manners.overview_of("Please tell me everything about your work and your office.")
        == "your work and your office"
    )
    assert manners.overview_of("tell me about the dog") == "the dog"
    assert manners.overview_of("When are you open?") is None
