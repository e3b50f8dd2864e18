"""A yes is heard only where one was given."""

from __future__ import annotations

import os
import random

import pytest

from compliance.language.answers import answer
from tests.unit.compliance.said import FRONTS, HEADS, NOT_YES, SPOILERS, YES, adversarial, held_out

MEASURED = ("en", "de", "fr")
"""The languages with a thousand answers; the others have some fifty each."""
SAMPLES = int(os.environ.get("TWIN_SOAK_ANSWERS", "3000"))

WHY_NOT = ("why not", "warum nicht", "pourquoi pas")
"""After a yes it is a yes; chance puts it together from two spoilers."""


def test_no_adversarial_answer_of_three_thousand_is_a_yes() -> None:
    tried = [(text, language) for language in MEASURED for text in adversarial(language)]
    assert len(tried) >= 3_000
    assert [(text, language) for text, language in tried if answer(text, language) == "yes"] == []


@pytest.mark.parametrize("language", NOT_YES)
def test_no_answer_written_by_hand_passes_for_a_yes(language: str) -> None:
    assert [text for text in NOT_YES[language] if answer(text, language) == "yes"] == []


@pytest.mark.parametrize("language", MEASURED)
def test_a_natural_yes_is_missed_at_most_once_in_twenty(language: str) -> None:
    for half in (False, True):
        given = [text for text in YES[language] if held_out(text) is half]
        missed = [text for text in given if answer(text, language) != "yes"]
        assert len(missed) <= 0.05 * len(given), missed


@pytest.mark.parametrize("language", sorted(set(YES) - set(MEASURED)))
def test_the_other_languages_understand_a_yes(language: str) -> None:
    missed = [text for text in YES[language] if answer(text, language) != "yes"]
    assert len(missed) <= 0.15 * len(YES[language]), missed


def test_the_sets_are_as_large_as_is_claimed() -> None:
    assert sum(len(YES[language]) for language in MEASURED) >= 300
    assert all(len(adversarial(language)) >= 900 for language in MEASURED)


@pytest.mark.parametrize("language", MEASURED)
def test_two_additions_take_a_yes_back_as_well_as_one(language: str) -> None:
    chance = random.Random(f"answers {language}")
    for _ in range(SAMPLES):
        parts = [chance.choice(HEADS[language]), chance.choice(SPOILERS[language])]
        if chance.random() < 0.5:
            parts.insert(chance.randrange(3), chance.choice(SPOILERS[language]))
        if chance.random() < 0.3:
            parts.insert(0, chance.choice(FRONTS[language]))
        text = chance.choice((" ", ", ")).join(parts)
        if not any(idiom in text.replace(",", "") for idiom in WHY_NOT):
            assert answer(text, language) != "yes", text


@pytest.mark.parametrize("language", MEASURED)
def test_one_strange_word_leaves_an_answer_unclear(language: str) -> None:
    for text in YES[language]:
        said = text.split()
        for at in range(len(said) + 1):
            assert answer(" ".join([*said[:at], "zebra", *said[at:]]), language) != "yes", text


@pytest.mark.parametrize(
    ("text", "language", "meaning"),
    [
        ("no", "en", "no"),
        ("no thank you", "en", "no"),
        ("please don't record", "en", "no"),
        ("nein, lieber nicht", "de", "no"),
        ("non merci", "fr", "no"),
        ("いいえ", "ja", "no"),
        ("不行", "zh", "no"),
        ("yes but no", "en", "unclear"),
        ("no, no problem", "en", "unclear"),
        ("no problem", "en", "yes"),
        ("kein Problem", "de", "yes"),
        ("yes?", "en", "unclear"),
        ("はい？", "ja", "unclear"),
        ("", "en", "unclear"),
        ("maybe", "en", "unclear"),
        ("yes", "xx", "unclear"),
        ("Ja, gern", "de-CH", "yes"),
        ("sim", "pt_BR", "yes"),
    ],
)
def test_what_some_answers_mean(text: str, language: str, meaning: str) -> None:
    assert answer(text, language) == meaning


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("you may record", "en"),
        ("Sie dürfen aufnehmen", "de"),
        ("vous pouvez enregistrer", "fr"),
        ("可以录音", "zh"),
    ],
)
def test_a_yes_to_one_purpose_is_none_to_the_other(text: str, language: str) -> None:
    assert answer(text, language, "recording") == "yes"
    assert answer(text, language, "transcription") != "yes"


def test_a_yes_to_writing_is_none_to_recording() -> None:
    assert answer("yes, write it down", "en", "transcription") == "yes"
    assert answer("yes, write it down", "en", "recording") != "yes"


def test_a_very_long_answer_is_unclear_and_quickly_so() -> None:
    assert answer("yes " * 100_000, "en") == "unclear"
    assert answer("好" * 100_000, "zh") == "unclear"
