"""Whether some words are others again."""

from __future__ import annotations

import pytest

from agent.meeting.hearing.words import MOST, share, tokens


def test_words_are_compared_without_case_and_marks() -> None:
    assert tokens("Don’t, DON'T -- Grüße! 24/7") == ("don't", "don't", "grüße", "24", "7")


@pytest.mark.parametrize(
    ("mine", "theirs", "least", "most"),
    [
        ("we are open until six", "We are open until six.", 1.0, 1.0),
        ("we are opened until sicks", "We are open until six.", 0.8, 0.8),
        ("open until six", "Well, we are open until six today.", 1.0, 1.0),
        ("six until open", "we are open until six", 0.0, 0.34),
        ("how much does it cost", "we are open until six", 0.0, 0.0),
        ("consultations cause", "a consultation costs", 0.5, 1.0),
        ("", "anything", 0.0, 0.0),
        ("anything", "", 0.0, 0.0),
    ],
)
def test_how_much_of_some_words_stands_in_others(mine: str, theirs: str, least: float, most: float) -> None:
    assert least <= share(tokens(mine), tokens(theirs)) <= most


def test_the_longest_speeches_are_compared_by_their_beginning() -> None:
    assert len(tokens("word " * 10_000)) == MOST
