from __future__ import annotations

import pytest

from persona import mentions


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("Hello, my name is Anna Berg and I'm calling about the roof.", ["Anna Berg"]),
        ("hi this is tom from wrenford council", ["Tom"]),
        ("This is Anna.", ["Anna"]),
        ("Ich heiße Jonas Feld.", ["Jonas Feld"]),
        ("Guten Tag, hier spricht Maria Sommer", ["Maria Sommer"]),
        ("Mein Name ist Özlem", ["Özlem"]),
        ("I'm calling about the roof.", []),
        ("This is about money.", []),
        ("Ich bin Architekt.", []),
        ("I'm sorry, it's urgent.", []),
        ("My name is not important.", []),
    ],
)
def test_names_that_people_give(said: str, names: list[str]) -> None:
    assert mentions.names(said) == names


def test_a_name_alone_counts_when_it_was_asked_for() -> None:
    assert mentions.names("Anna Berg.", "Who may I say is calling?") == ["Anna Berg"]
    assert mentions.names("ja, Jonas Feld", "Darf ich Ihren Namen haben?") == ["Jonas Feld"]
    assert mentions.names("Anna Berg.", "What is it about?") == []
    assert mentions.names("Why do you want to know it?", "May I have your name?") == []


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        ("It's 01632 960 144.", ["01632 960 144"]),
        ("+44 (1632) 960-144 please", ["+44 (1632) 960-144"]),
        ("oh one six three two nine six oh", ["oh one six three two nine six oh"]),
        ("null eins sieben zwei fünf fünf drei", ["null eins sieben zwei fünf fünf drei"]),
        ("at nine or ten, house 14", []),
        ("two or three", []),
    ],
)
def test_numbers_that_people_give(said: str, numbers: list[str]) -> None:
    assert mentions.numbers(said) == numbers


def test_addresses_written_and_spoken() -> None:
    assert mentions.addresses("Write to anna@example.com.") == ["anna@example.com"]
    assert mentions.addresses("anna dot berg at example dot com") == ["anna dot berg at example dot com"]
    assert mentions.addresses("I am at home") == []


def test_days_times_and_wishes() -> None:
    assert mentions.says_when("on Tuesday at three")
    assert mentions.says_when("morgen um acht Uhr")
    assert not mentions.says_when("I like it")
    assert mentions.wishes("Could you tell him that I'm late")
    assert mentions.wishes("Ich möchte einen Termin")
    assert not mentions.wishes("The roof leaks")


def test_spelt_digits_are_digits() -> None:
    assert mentions.digits("oh one six-three 2, fünf") == "016325"


def test_long_nonsense_is_read_in_no_time() -> None:
    """No pattern may take more than linear time on what a caller can type."""
    for text in ("at " * 5000, "one " * 5000, "a." * 5000, "my name is " * 2000, "1-" * 5000, "x" * 20_000 + "@"):
        mentions.personal(text)
        mentions.wishes(text)
