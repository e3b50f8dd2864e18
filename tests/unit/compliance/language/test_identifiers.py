from __future__ import annotations

import pytest

from compliance.language.identifiers import birth_dates, iban_is_right, ibans, is_phone, luhn, numbers, secrets
from compliance.language.spoken_forms import atoms


def found_numbers(text: str, language: str = "en") -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in numbers(atoms(text, language), language)]


@pytest.mark.parametrize(
    ("language", "text", "kind", "part"),
    [
        (
            "en",
            "it's plus four nine three oh one two three four five",
            "phone",
            "plus four nine three oh one two three four five",
        ),
        (
            "en",
            "my card is four two four two 4242 4242, uh, 4242 okay",
            "card",
            "four two four two 4242 4242, uh, 4242",
        ),
        ("en", "try (212) 555-0187 please", "phone", "(212) 555-0187"),
        ("en", "order 8837261 is late", "number", "8837261"),
        ("en", "oh one seven two then comes, hm, three four five six", "number", "oh one seven two"),
        ("de", "null eins sieben sechs dreiundzwanzig fünfundvierzig siebenundsechzig", "phone", ""),
        ("fr", "le zéro six douze trente-quatre cinquante-six soixante-dix-huit", "phone", ""),
        ("ja", "番号は〇九〇一二三四五六七八です", "phone", "〇九〇一二三四五六七八"),
    ],
)
def test_numbers_spoken_written_and_mixed(language: str, text: str, kind: str, part: str) -> None:
    found = found_numbers(text, language)
    assert found[0][0] == kind
    assert found[0][1].startswith(part)


@pytest.mark.parametrize(
    "text",
    [
        "It costs one hundred and twenty three thousand euros.",
        "That is $1,250,000 or 1.250.000 Euro.",
        "We meet at 10:30 on 12.05.2026.",
        "In 2019, 2020 and 2021 it rained.",
        "One of them said oh, one more thing.",
        "Twenty or thirty people came for two hours.",
        "The range is 2026-11-22 to 2026-11-25.",
    ],
)
def test_quantities_dates_and_years_stay_readable(text: str) -> None:
    assert found_numbers(text) == []


def test_a_number_that_goes_on_after_some_words_is_covered_to_its_end() -> None:
    text = "oh one seven two, and after that, three four five six"
    spans = list(numbers(atoms(text, "en"), "en"))
    assert [text[s.start : s.end] for s in spans] == ["oh one seven two", "three four five six"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "DE89 3704 0044 0532 0130 00"),
        ("en", "d e eighty nine thirty seven oh four oh oh four four oh five three two oh one three oh oh oh"),
        ("en", "delta echo 89 370400440532013000"),
        ("de", "D wie Dora E wie Emil neunundachtzig 3704 0044 0532 0130 00"),
        ("en", "gb29nwbk60161331926819"),
        ("en", "G B two nine N W B K six oh one six one three three one nine two six eight one nine"),
        ("fr", "fr 14 2004 1010 0505 0001 3026 06"),
    ],
)
def test_ibans_however_they_are_said(language: str, text: str) -> None:
    said = f"so {text}, right"
    assert [said[s.start : s.end] for s in ibans(atoms(said, language))] == [text]


def test_an_iban_with_a_digit_misheard_is_an_iban_still() -> None:
    assert len(list(ibans(atoms("DE88 3704 0044 0532 0130 00", "en")))) == 1


def test_words_that_begin_like_a_country_are_no_iban() -> None:
    assert list(ibans(atoms("at 10 in the morning, be 20 minutes early, it 5", "en"))) == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("the pin is four seven one one", "four seven one one"),
        ("card ending in 4242", "4242"),
        ("the code, one moment, 883 201", "883 201"),
    ],
)
def test_short_secrets_are_covered_when_they_are_named(text: str, part: str) -> None:
    assert [text[s.start : s.end] for s in secrets(atoms(text, "en"))] == [part]


@pytest.mark.parametrize(
    ("language", "text", "part"),
    [
        ("en", "I was born on the third of May nineteen eighty four.", "third of May nineteen eighty four"),
        ("en", "date of birth 03/05/1984", "03/05/1984"),
        ("de", "Ich bin am 3. Mai 1984 geboren.", "3. Mai 1984"),
        ("fr", "née le 3 mai 1984 à Lyon", "3 mai 1984"),
    ],
)
def test_dates_of_birth(language: str, text: str, part: str) -> None:
    assert [text[s.start : s.end] for s in birth_dates(text, atoms(text, language))] == [part]


def test_other_dates_are_not_dates_of_birth() -> None:
    text = "I was born in a small village. The meeting is on the 3rd."
    assert list(birth_dates(text, atoms(text, "en"))) == []


def test_check_digits() -> None:
    assert luhn("4242424242424242")
    assert not luhn("4242424242424243")
    assert iban_is_right("DE89370400440532013000")
    assert not iban_is_right("DE88370400440532013000")
    assert is_phone("0612345678", "fr")
    assert not is_phone("12", "fr")
