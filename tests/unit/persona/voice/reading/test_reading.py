"""What is written, and how people say it."""

from __future__ import annotations

import random

import pytest

from persona.voice.reading import Replacement, read
from persona.voice.reading.language import language
from persona.voice.reading.names import roman_value

SAID = {
    "en": {
        "Call me at 9:30 am.": "Call me at nine thirty A M.",
        "at 14:05, 8 o'clock": "at fourteen oh five, eight o'clock",
        "9 a.m. to 5 p.m.": "nine A M to five P M.",
        "It is 3 a.m.": "It is three A M.",
        "10:30-11:45, 1939-1945, 2024-25": "ten thirty to eleven forty-five, nineteen thirty-nine to nineteen "
        "forty-five, 2024-25",
        "Call 911 or 1-800-555-0199": "Call nine one one or one, eight zero zero, five five five, zero one "
        "nine nine",
        "It is open 9-5.": "It is open nine to five.",
        "10–12 kg and 3-4 days": "ten to twelve kilograms and three to four days",
        "March 3, 2025": "March third, twenty twenty-five",
        "on 2025-03-14 or 3/14/2025": "on March fourteenth, twenty twenty-five or March "
        "fourteenth, twenty twenty-five",
        "In 1998 we sold 1,234 units.": "In nineteen ninety-eight we sold one thousand two hundred and "
        "thirty-four units.",
        "1500 people came in 2005": "one thousand five hundred people came in two thousand and five",
        "the 1990s and the 80s": "the nineteen nineties and the eighties",
        "$5.50, $5 million, £3.00, 5 EUR": "five dollars and fifty cents, five million dollars, three pounds, "
        "five euros",
        "3.14% of -5 °C": "three point one four percent of minus five degrees Celsius",
        "anna.k@example.com": "anna dot K at example dot com",
        "see https://www.example.org/help.": "see W W W dot example dot org slash help.",
        "+1 (555) 123-4567 or 555-0100": "plus one, five five five, one two three, four five six seven or "
        "five five five, zero one zero zero",
        "Dr. Smith, Main St., St. Paul": "Doctor Smith, Main Street, Saint Paul",
        "We meet, e.g. at 10, etc.": "We meet, for example at ten, et cetera.",
        "Room 204, Suite 1210": "Room two oh four, Suite twelve ten",
        "Louis XIV, Chapter IV, I am": "Louis the fourteenth, Chapter four, I am",
        "version 2.10 and v1.2.3": "version two point ten and version one point two point three",
        "1/2, 2 1/2 and 3/4": "one half, two and one half and three quarters",
        "the 1st and the 22nd": "the first and the twenty-second",
        "PIN 4821, code is 0042": "PIN four eight two one, code is zero zero four two",
        "#5, No. 7": "number five, number seven",
        "No. Never.": "No. Never.",
        "COVID-19, A4, MP3, 3D": "COVID-19, A4, MP3, 3D",
    },
    "de": {
        "Am 3. Mai 2024 um 9:30 Uhr": "Am dritten Mai zweitausendvierundzwanzig um neun Uhr dreißig",
        "Der 14.03.2025, am 14.3.": "Der vierzehnte März zweitausendfünfundzwanzig, am vierzehnten März",
        "Montag, den 3. Mai": "Montag, den dritten Mai",
        "9-17 Uhr, 14.30 Uhr, 1 Uhr": "neun bis siebzehn Uhr, vierzehn Uhr dreißig, ein Uhr",
        "1 h, 21 Std.": "eine Stunde, einundzwanzig Stunden.",
        "1.234,56 € und 3 Mio. €": "eintausendzweihundertvierunddreißig Euro und sechsundfünfzig Cent und drei "
        "Millionen Euro",
        "5 % und -3,5 °C": "fünf Prozent und minus drei Komma fünf Grad Celsius",
        "Tel. +49 30 1234567": "Telefon plus vier neun, drei null, eins zwei drei, vier fünf, sechs sieben",
        "im 3. Stock, z. B. bei Dr. Kurz": "im dritten Stock, zum Beispiel bei Doktor Kurz",
        "Seit 1998, im Jahr 2024": "Seit neunzehnhundertachtundneunzig, im Jahr zweitausendvierundzwanzig",
        "Karl V. kam, Ludwig XIV.": "Karl der Fünfte kam, Ludwig der Vierzehnte.",
        "info@firma.de": "info ät firma Punkt D E",
        "§ 5, Nr. 7": "Paragraf fünf, Nummer sieben",
        "So. Fr. Kurz kommt.": "So. Frau Kurz kommt.",
    },
    "fr": {
        "Le 1er mars 2025 à 14h30": "Le premier mars deux mille vingt-cinq à quatorze heures trente",
        "5,50 € et 3 millions d'euros": "cinq euros et cinquante centimes et trois millions d'euros",
        "le 01 42 68 53 00": "le zéro un, quarante-deux, soixante-huit, cinquante-trois, zéro zéro",
        "Louis XIV, XIXe siècle, 2e étage": "Louis quatorze, dix-neuvième siècle, deuxième étage",
        "Me voilà, Me Dupont": "Me voilà, Maître Dupont",
        "M. Dupont, 1,5 km, 80 %": "Monsieur Dupont, un virgule cinq kilomètre, quatre-vingts pour cent",
    },
    "es": {
        "El 14 de marzo de 2025": "El catorce de marzo de dos mil veinticinco",
        "21 km y 200 £": "veintiún kilómetros y doscientas libras",
        "Sr. García, p. ej., siglo XXI": "Señor García, por ejemplo, siglo veintiuno",
        "Felipe VI y Juan XXIII": "Felipe sexto y Juan veintitrés",
        "912 34 56 78": "nueve uno dos, tres cuatro, cinco seis, siete ocho",
    },
    "it": {
        "Il 14 marzo 2025 alle 9.30": "Il quattordici marzo duemilaventicinque alle nove e trenta",
        "1 € e 3 milioni di euro": "un euro e tre milioni di euro",
        "Sig. Rossi, 2º piano": "Signor Rossi, secondo piano",
    },
    "pt": {
        "14 de março de 2025 às 14h30": "catorze de março de dois mil e vinte e cinco às catorze horas e trinta",
        "R$ 5,50 e R$ 2 milhões": "cinco reais e cinquenta centavos e dois milhões de reais",
        "2ª vez, 1h, Dom João VI": "segunda vez, uma hora, Dom João sexto",
    },
    "en-GB": {
        "March 14, 2025": "the fourteenth of March twenty twenty-five",
        "3/4/2025": "the third of April twenty twenty-five",
    },
}  # fmt: skip
PIECES = [
    "hello", "(5", "km)", "9:30", "am,", "$5.50", "3.", "Mai", "z.", "B.", "1/2", "anna@example.org", "+49", "30",
    "1234567", "—", "Dr.", "2025-03-14", "XIV", "Louis", "v1.2.3", "1,234.5", "12.345,6", "\u00a05\u00a0%", "你好",
    "#5", "1990s", "100", "-5", "°C", "€", "9-5", "0", "1er", "…", "\t", "  ", "№", "½", "3½", "1e5", "a5b", "5,",
]  # fmt: skip


CASES = [(code, text, said) for code, row in SAID.items() for text, said in row.items()]


@pytest.mark.parametrize(("code", "text", "said"), CASES)
def test_it_is_read_as_people_say_it(code: str, text: str, said: str) -> None:
    assert read(text, code).text == said


@pytest.mark.parametrize("code", ["ja", "pl", "xx"])
def test_another_language_is_left_to_the_voice(code: str) -> None:
    result = read("9:30, 5 km", code)

    assert not result.changed
    assert result.text == "9:30, 5 km"


@pytest.mark.parametrize("code", ["en", "de", "fr", "es", "it", "pt", "en-gb", "pt-pt", "pl"])
def test_spans_cover_both_texts_without_gaps(code: str) -> None:
    chance = random.Random(code)
    for _ in range(250):
        text = chance.choice(["", " "]) + " ".join(chance.choices(PIECES, k=chance.randrange(0, 14)))
        result = read(text, code)

        assert "".join(result.written[s.written_start : s.written_end] for s in result.spans) == text
        assert "".join(result.text[s.spoken_start : s.spoken_end] for s in result.spans) == result.text
        # No word is cut in two, on either side.
        for span in result.spans[:-1]:
            for side, end in ((result.written, span.written_end), (result.text, span.spoken_end)):
                assert end in (0, len(side)) or side[end].isspace() or side[end - 1].isspace()


def test_what_is_fixed_goes_before_the_rules() -> None:
    assert (
        read("at 9:30 on 5 May", "en", [Replacement(3, 7, "half past nine")]).text
        == "at half past nine on May fifth"
    )


def test_replacements_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        read("one two", "en", [Replacement(0, 5, "x"), Replacement(4, 7, "y")])


def test_every_language_has_all_its_small_words() -> None:
    tables = {code: language(code) for code in ("en", "de", "fr", "es", "it", "pt")}
    english = tables["en"]
    assert english is not None
    for code, own in tables.items():
        assert own is not None
        assert set(own.words) >= set(english.words) - {"zero_room"}, code
        assert len(own.dates.months) == 12
        assert {"km", "kg", "°C", "MB"} - {"MB"} <= set(own.units)


@pytest.mark.parametrize(("roman", "value"), [("I", 1), ("IV", 4), ("XIV", 14), ("XLII", 42), ("MCMXCIX", 1999)])
def test_roman_numerals(roman: str, value: int) -> None:
    assert roman_value(roman) == value


def test_a_very_long_text_is_read_as_it_is() -> None:
    assert not read("5 " * 3000, "en").changed
