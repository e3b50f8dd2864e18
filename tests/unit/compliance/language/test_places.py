from __future__ import annotations

import pytest

from compliance.language.places import addresses
from compliance.language.spoken_forms import atoms


@pytest.mark.parametrize(
    ("language", "text", "part"),
    [
        ("en", "I live at 221 b Baker Street, ring twice", "221 b Baker Street"),
        ("en", "send it to twenty one old mill lane please", "twenty one old mill lane"),
        ("en", "the post code is SW1A 1AA", "SW1A 1AA"),
        ("de", "ich wohne in der Goethestraße 12 a im dritten Stock", "Goethestraße 12"),
        ("de", "Lange Straße fünf ist es", "Lange Straße fünf"),
        ("de", "in 10115 Berlin", "10115 Berlin"),
        ("fr", "j'habite 12 bis rue de la Paix, troisième étage", "12 bis rue de la Paix"),
        ("fr", "au douze avenue Victor Hugo", "douze avenue Victor Hugo"),
    ],
)
def test_streets_with_numbers_and_post_codes(language: str, text: str, part: str) -> None:
    found = [text[s.start : s.end] for s in addresses(text, atoms(text, language))]
    assert any(place.startswith(part) for place in found)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Two of the seven windows don't close."),
        ("en", "It is 10 minutes on the way"),
        ("de", "Ich bin unterwegs, 10 Minuten noch"),
        ("fr", "il y a 3 places dans la salle"),
    ],
)
def test_ordinary_numbers_are_no_addresses(language: str, text: str) -> None:
    assert list(addresses(text, atoms(text, language))) == []
