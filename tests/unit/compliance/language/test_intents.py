"""What the twin understands itself, and what it must never say."""

from __future__ import annotations

import random
import re
import string
import time

import pytest

from compliance.language.intents import KINDS, Kind, claims_human, intent
from tests.unit.compliance.said import CLAIMS, HONEST, HUMAN, ORDINARY, OTHER

LANGUAGES = tuple(HUMAN)
OWNER = "Martin Alder"


def kind(text: str, language: str) -> Kind | None:
    found = intent(text, language, owner=OWNER)
    return found.kind if found else None


def unpunctuated(text: str) -> str:
    """As most recognisers write: no capitals, no punctuation."""
    return " ".join(re.sub(r"[^\w']+", " ", text.lower()).split())


def test_there_are_more_than_three_hundred_ways_to_ask() -> None:
    assert sum(len(asked) for asked in HUMAN.values()) >= 500
    assert sum(len(said) for said in ORDINARY.values()) >= 500


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_way_to_ask_for_a_human_is_understood(language: str) -> None:
    for text in HUMAN[language]:
        assert kind(text, language) == "human_question", text
        assert kind(unpunctuated(text), language) == "human_question", text


@pytest.mark.parametrize("language", LANGUAGES)
def test_ordinary_sentences_are_left_alone(language: str) -> None:
    false = [text for text in ORDINARY[language] if kind(text, language) or kind(unpunctuated(text), language)]
    assert false == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("meant", OTHER)
def test_what_people_want_of_the_recording_and_their_data(meant: Kind, language: str) -> None:
    for text in OTHER[meant][language]:
        assert kind(text, language) == meant, text
        assert kind(unpunctuated(text), language) == meant, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_twin_does_not_claim_to_be_human(language: str) -> None:
    assert [text for text in CLAIMS[language] if not claims_human(text, language)] == []
    assert [text for text in HONEST[language] if claims_human(text, language)] == []


@pytest.mark.parametrize(
    ("text", "language", "claims"),
    [
        ("I am Martin Alder.", "en", True),
        ("I'm Martin.", "en", True),
        ("This is Martin speaking.", "en", True),
        ("This is Martin's digital twin.", "en", False),
        ("I am the digital twin of Martin Alder.", "en", False),
        ("Ich bin Martin Alder.", "de", True),
        ("Hier spricht Martin Alder.", "de", True),
        ("Ich bin der digitale Zwilling von Martin Alder.", "de", False),
        ("Je suis Martin.", "fr", True),
        ("我是Martin Alder。", "zh", True),
    ],
)
def test_nor_to_be_its_owner(text: str, language: str, claims: bool) -> None:
    assert claims_human(text, language, owner=OWNER) is claims


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("I hate robots. Are you one?", "human_question"),
        ("are you a r o b o t", "human_question"),
        ("Are you an A.I.?", "human_question"),
        ("Thanks. And stop recording. Bye.", "stop_recording"),
        ("Are you human? Stop recording me and delete my data.", "forget_me"),
        ("Hello there. What do you know about me?", "what_do_you_know"),
        ("please don't forget me", None),
        ("", None),
        ("...", None),
    ],
)
def test_one_thing_among_others(text: str, meant: Kind | None) -> None:
    assert kind(text, "en") == meant


def test_a_language_without_words_is_read_as_english() -> None:
    assert kind("are you a robot", "nl") == "human_question"
    assert kind("você é um robô", "pt-BR") == "human_question"


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_that_is_said_takes_long_to_look_at(language: str) -> None:
    """Processor time, so that a busy machine does not matter; a bad pattern takes minutes here."""
    chance = random.Random(language)
    vocabulary = [word for text in HUMAN[language] for word in text.split()]
    texts = ["a" * 5_000, "are you " * 500, "not " * 1_000, "的" * 3_000, string.punctuation * 50]
    texts += [" ".join(chance.choices(vocabulary, k=250)) for _ in range(5)]
    began = time.process_time()
    for text in texts:
        intent(text, language, owner=OWNER)
        claims_human(text, language, owner=OWNER)
    assert time.process_time() - began < 5


def test_all_kinds_are_known_in_all_languages() -> None:
    assert set(OTHER) | {"human_question"} == set(KINDS)
