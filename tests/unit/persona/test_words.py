from __future__ import annotations

import pytest

from persona.words import language, language_of, plain, terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What does it cost?", "how much is it"),
        ("Where are you located?", "where is the address"),
        ("your opening hours", "the office hours"),
        ("e-mail address", "email"),
        ("cell phone number", "mobile"),
        ("Do you repair roofs", "do you renovate a roof"),
        ("on Saturdays", "on saturday"),
    ],
)
def test_different_words_for_the_same_become_the_same(one: str, other: str) -> None:
    assert set(terms(one)) & set(terms(other))


def test_little_words_do_not_count() -> None:
    assert terms("Could you please tell me about this, and that?") == []


def test_plain_words_have_no_case_accents_or_punctuation() -> None:
    assert plain("  Café — “Ça va?” It's OK!") == "cafe ca va it's ok"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Küche", "kueche"),
        ("Straße", "Strasse"),
        ("Häuser", "Haus"),
        ("angerufen", "anrufen"),
        ("repariert", "Reparatur"),
        ("gefahren", "fuhr"),
        ("Versicherungen", "versichert"),
        ("Was kostet das?", "Preis"),
    ],
)
def test_german_forms_of_a_word_have_one_stem(one: str, other: str) -> None:
    german = language("de")
    assert set(german.terms(one)) & set(german.terms(other))


def test_german_little_words_do_not_count() -> None:
    assert language("de").terms("Könntest du mir bitte etwas darüber sagen?") == []


def test_a_language_is_read_once_whatever_its_code() -> None:
    assert language("de-AT") is language("de")
    assert language("EN_gb") is language("en")


@pytest.mark.parametrize(
    ("text", "expected", "code"),
    [
        ("Where is the key to the garden?", ("de", "en"), "en"),
        ("Wo ist der Schlüssel für den Garten?", ("en", "de"), "de"),
        ("Der Schlüssel liegt unter der Matte, und die Tür ist offen.", ("en",), "de"),
        ("Schlüssel", ("en", "de"), "en"),
        ("Où est la clé?", ("fr",), "fr"),
    ],
)
def test_the_language_of_a_text_is_known_by_its_little_words(
    text: str, expected: tuple[str, ...], code: str
) -> None:
    assert language_of(text, expected).code == code


@pytest.mark.parametrize("code", ["en", "de"])
def test_every_described_word_is_written_as_texts_are_read(code: str) -> None:
    described = language(code)
    assert {word for word in described.lexicon if plain(word) != word or " " in word} == set()
    assert len(described.lexicon) > 500
