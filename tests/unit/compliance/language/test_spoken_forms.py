from __future__ import annotations

from itertools import pairwise

import pytest
from num2words import num2words  # type: ignore[import-untyped]

from compliance.language.spoken_forms import atoms


def digits(text: str, language: str) -> str:
    return "".join(atom.value for atom in atoms(text, language) if atom.kind == "digits")


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_every_number_below_a_hundred_thousand_is_read_back(language: str) -> None:
    numbers = [*range(1000), *range(1000, 100_000, 373)]
    wrong = {n: digits(num2words(n, lang=language), language) for n in numbers}
    assert {n: read for n, read in wrong.items() if read != str(n)} == {}


@pytest.mark.parametrize(
    ("language", "said", "written"),
    [
        ("en", "oh one double seven", "0177"),
        ("en", "triple five nought", "5550"),
        ("en", "eight hundred five five five", "800555"),
        ("en", "twenty, three", "203"),
        ("de", "zwo null doppel drei", "2033"),
        ("de", "dreimal die sieben", "777"),
        ("de", "drei und zwanzig", "23"),
        ("fr", "quatre-vingt-dix-sept septante-deux", "9772"),
        ("fr", "soixante et onze quatre vingt douze", "7192"),
        ("es", "veintitrés treinta y uno", "2331"),
        ("it", "ventuno trentotto", "2138"),
        ("pt", "vinte e dois meia", "226"),
        ("zh", "我的电话是一三八零零", "13800"),
        ("ja", "〇九〇の一二三四", "0901234"),
        ("de", "one two drei", "123"),
    ],
)
def test_numbers_as_people_say_them(language: str, said: str, written: str) -> None:
    assert digits(said, language) == written


def test_every_atom_knows_its_place() -> None:
    text = "Call twenty-three, double oh seven at j-a-n dot Smith!"
    cut = atoms(text, "en")
    numbers = [text[atom.start : atom.end] for atom in cut if atom.kind == "digits"]
    assert numbers == ["twenty-three", "double oh", "seven"]
    assert [text[a.start : a.end] for a in cut if a.kind == "sign" and a.word] == ["at", "dot"]
    assert all(a.end <= b.start for a, b in pairwise(cut))


def test_words_of_a_spelling_alphabet_are_letters_only_where_something_is_spelled() -> None:
    spelled = [a.value for a in atoms("D for Delta Echo Delta", "en") if a.kind == "letter"]
    plain = [a.kind for a in atoms("Charlie went to the hotel in November", "en")]
    assert spelled == ["d", "e", "d"]
    assert "letter" not in plain


def test_an_unknown_language_is_read_as_english() -> None:
    assert digits("four two", "tlh") == "42"
