from __future__ import annotations

import pytest

from persona.words import plain, terms


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
