from __future__ import annotations

import pytest

from compliance.language.mail_addresses import emails, sites
from compliance.language.spoken_forms import atoms


@pytest.mark.parametrize(
    ("language", "before", "address", "after"),
    [
        ("en", "my email is ", "john dot smith at gmail dot com", " thanks"),
        ("en", "it is ", "j o h n at s m i t h dot co dot uk", ", got it?"),
        ("en", "write to ", "john smith at outlook dot com", "."),
        ("en", "that's ", "anna underscore b 84 at t dash online dot de", "."),
        ("en", "mail me: ", "john.smith @ gmail.com", " ok"),
        ("en", "it's ", "john dot smith at gmail", " as always"),
        ("de", "schreiben Sie an ", "max Punkt mustermann ät gmx Punkt de", ", danke"),
        ("de", "das ist ", "m Punkt müller Klammeraffe mueller minus bau Punkt de", "."),
        ("de", "an ", "info at web punkt d e", " bitte"),
        ("fr", "c'est ", "jean point dupont arobase orange point fr", " merci"),
        ("fr", "à ", "marie tiret du bas claire arobase laposte point net", "."),
    ],
)
def test_addresses_are_covered_from_the_first_word_to_the_ending(
    language: str, before: str, address: str, after: str
) -> None:
    text = before + address + after
    spans = [(s.start, s.end) for s in emails(atoms(text, language))]
    assert len(spans) == 1
    start, end = spans[0]
    assert start <= len(before)
    assert end == len(before) + len(address)
    assert len(before) - start <= len("is an ")


@pytest.mark.parametrize(
    "text",
    [
        "I'm at home. Call me later.",
        "we met at the point where it rained",
        "at nine. It was late",
        "look at him. At last",
        "er wohnt at the moment in Bonn",
    ],
)
def test_an_ordinary_at_is_no_address(text: str) -> None:
    assert list(emails(atoms(text, "en"))) == []


def test_web_addresses_that_were_said() -> None:
    text = "look at www dot smith minus partner dot de please"
    assert [text[s.start : s.end] for s in sites(atoms(text, "en"))] == ["www dot smith minus partner dot de"]
    assert list(sites(atoms("www is an abbreviation", "en"))) == []
