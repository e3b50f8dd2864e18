"""Numbers in words, against num2words; where that is known to be wrong, the rule stands in `_OWN`."""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import replace

import pytest
from num2words import num2words  # type: ignore[import-untyped]

from persona.voice.reading.language import Language, language
from persona.voice.reading.numbers import cardinal, decimal
from persona.voice.reading.ordinals import ordinal

LANGUAGES = ("en", "de", "fr", "es", "it", "pt")
# It leaves out what the grammars ask for: `veintiún mil`, `eintausend`, `deux centième`, `diciotto`,
# `centodecimo`, `undécimo`; puts an accent on every or no `tré`, and joins Portuguese millions by `e` otherwise.
_OWN = {
    "de": ((r"einstausend", "eintausend"), (r"hunderteins (?=[MB])", "hunderteine ")),
    "fr": ((r"centsième", "centième"), (r"vingtsième", "vingtième")),
    "es": (
        (r"veintiuno (?=mil)", "veintiún "), (r"uno (?=mil)", "un "), (r"quadr", "cuadr"),
        (r"cuadrige", "cuadringe"), (r"octig", "octing"), (r"septig", "septing"),
        (r"décimoprimero", "undécimo"), (r"décimosegundo", "duodécimo"), (r"punto", "coma"),
    ),
    "it": ((r"dicott", "diciott"), (r"diecesimo", "decimo")),
    "pt": ((r" e ", " "),),
}  # fmt: skip


def tables(code: str) -> Language:
    found = language(code)
    assert found is not None
    return found


def plain(words: str, code: str) -> str:
    words = words.replace(",", "")
    if code == "it":
        words = "".join(c for c in unicodedata.normalize("NFD", words) if not unicodedata.combining(c))
    for pattern, own in _OWN.get(code, ()):
        words = re.sub(pattern, own, words)
    return words


def oracle(number: object, code: str, to: str = "cardinal") -> str:
    return plain(num2words(number, lang="pt_BR" if code == "pt" else code, to=to), code)


@pytest.mark.parametrize("code", LANGUAGES)
def test_ten_thousand_numbers_are_spelt_as_the_oracle_spells_them(code: str) -> None:
    chance = random.Random(20261122)
    numbers = [*range(-20, 1101)]
    numbers += [chance.randrange(-(10**6), 10 ** chance.randrange(2, 13)) for _ in range(10_000 - len(numbers))]

    wrong = {n for n in numbers if plain(cardinal(n, tables(code).numerals), code) != oracle(n, code)}

    assert wrong == set()


@pytest.mark.parametrize("code", LANGUAGES)
def test_ordinals_are_spelt_as_the_oracle_spells_them(code: str) -> None:
    own = tables(code)

    wrong = {
        n
        for n in range(1, 2000)
        if plain(ordinal(n, own.numerals, own.ordinals), code) != oracle(n, code, "ordinal")
    }

    assert wrong == set()


@pytest.mark.parametrize("code", ["en", "de", "fr", "es", "pt"])
def test_decimals_read_by_digits_are_spelt_as_the_oracle_spells_them(code: str) -> None:
    chance = random.Random(7)
    by_digits = replace(tables(code).numerals, fraction="digits")
    for _ in range(1000):
        whole, part = str(chance.randrange(10**5)), str(chance.randrange(10**3)).rjust(chance.randrange(1, 4), "0")
        part = part.rstrip("0") or "5"

        assert plain(decimal(whole, part, by_digits), code) == oracle(f"{whole}.{part}", code)


def test_a_romance_fraction_is_said_as_a_number() -> None:
    assert decimal("3", "14", tables("fr").numerals) == "trois virgule quatorze"
    assert decimal("3", "05", tables("fr").numerals) == "trois virgule zéro cinq"
    assert decimal("-1", "5", tables("it").numerals) == "meno uno virgola cinque"
    assert decimal("0", "1415926", tables("es").numerals) == "cero coma uno cuatro uno cinco nueve dos seis"


def test_a_number_too_long_to_count_is_read_digit_by_digit() -> None:
    assert cardinal(10**16, tables("en").numerals) == " ".join(["one", *["zero"] * 16])
    assert cardinal(-(10**16), tables("de").numerals).startswith("minus eins null")


def test_genders_and_cases() -> None:
    german, spanish = tables("de"), tables("es")

    assert ordinal(3, german.numerals, german.ordinals, "dative") == "dritten"
    assert ordinal(21, german.numerals, german.ordinals, "alone") == "einundzwanzigster"
    assert ordinal(22, spanish.numerals, spanish.ordinals, "feminine") == "vigésima segunda"
    assert german.number("101", "f") == "einhunderteine"
    assert spanish.number("21", "m") == "veintiún"
    assert spanish.number("200", "f") == "doscientas"
    assert spanish.number("1.234,5") == "mil doscientos treinta y cuatro coma cinco"


def test_portugal_counts_otherwise_than_brazil() -> None:
    assert cardinal(2 * 10**9, tables("pt-PT").numerals) == "dois mil milhões"
    assert cardinal(2 * 10**9, tables("pt-BR").numerals) == "dois bilhões"


@pytest.mark.parametrize("code", ["ja", "xx", "", "../en", "en-xx", "EN_us"])
def test_a_code_is_a_language_or_none(code: str) -> None:
    assert (language(code) is not None) == code.lower().startswith("en")
