"""What every caller hears first."""

from __future__ import annotations

import pytest

from compliance.disclosure import disclosure, languages

AI = {"en": "AI", "de": "KI", "fr": "IA", "es": "IA"}


@pytest.mark.parametrize("language", languages())
def test_it_says_that_it_is_a_machine_whose_and_what_is_kept(language: str) -> None:
    texts = disclosure(language, owner="Ada Lovelace")
    assert texts.language == language
    assert AI[language] in texts.text
    assert AI[language] in texts.human
    assert "Ada Lovelace" in texts.text
    assert "Ada Lovelace" in texts.human
    assert texts.apology
    for text in (texts.text, texts.apology, texts.human):
        assert "{" not in text


@pytest.mark.parametrize("language", languages())
def test_the_likeness_is_said_in_the_first_sentences_and_short(language: str) -> None:
    text = disclosure(language, owner="Ada Lovelace").text
    assert text.index(AI[language]) < text.index("Ada Lovelace") < 100
    assert len(text.split()) < 45


@pytest.mark.parametrize(
    ("asked", "given"),
    [("de", "de"), ("de-CH", "de"), ("DE", "de"), ("pt-BR", "en"), ("xx", "en"), ("dated", "en")],
)
def test_the_nearest_language_is_taken(asked: str, given: str) -> None:
    assert disclosure(asked, owner="Ada").language == given


def test_the_owners_name_is_never_a_template() -> None:
    texts = disclosure("en", owner="{0.__class__} {owner}")
    assert "the digital twin of {0.__class__} {owner}" in texts.text


def test_there_is_always_english() -> None:
    assert "en" in languages()
    assert "dated" not in languages()
