"""Which rules a call is under. Every row of the table is tested, and so is what happens where nothing is known."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Literal

import phonenumbers
import pytest

from compliance.jurisdiction import UNKNOWN, Flow, Party, Table, flow, law_of, place, stricter, table
from compliance.settings import ConsentSettings

TABLE = table()
ASK = ConsentSettings(recording="ask")
LEVELS = {"notice": 0, "ask": 1, "off": 2}
EU = (
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE",
    "IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
)  # fmt: skip
STATES = (
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS",
    "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC",
    "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY",
)  # fmt: skip
ALL_PARTY = ("CA", "CT", "DE", "FL", "IL", "MD", "MA", "MI", "MT", "NV", "NH", "OR", "PA", "WA")
"""The union of the lists that disagree, as compliance.md 1.3 has it."""


def strictness(one: Flow) -> tuple[int, int]:
    return LEVELS[one.transcription], LEVELS[one.recording]


def test_the_table_holds_what_it_promises() -> None:
    wanted = {*EU, "GB", "CH", "NO", "IS", "LI", "US", "CA", "CN", "JP", "AU", "IN", "BR", "KR", "NZ", "CA-QC"}
    assert wanted | {f"US-{state}" for state in STATES} <= set(TABLE.rows)
    assert {code for code, row in TABLE.rows.items() if code.startswith("US-") and row.consent == "all"} >= {
        f"US-{state}" for state in ALL_PARTY
    }


@pytest.mark.parametrize("code", TABLE.rows)
def test_every_row_is_sourced_dated_and_never_records_without_a_yes(code: str) -> None:
    row = TABLE.rows[code]
    assert row.source.strip()
    assert row.name.strip()
    assert type(row.dated) is date
    assert row.checked in ("read", "known")
    assert row.law in TABLE.laws
    assert row.transcription in ("notice", "ask", "off")
    assert row.recording in ("ask", "off")
    country, _, region = code.partition("-")
    for party in (place(code), Party(country=country, region=region or None), Party(stated=code.lower())):
        ruled = flow([party], place("DE"), ASK)
        assert code in ruled.rows
        assert ruled.version == TABLE.version
        assert strictness(ruled) >= (LEVELS[row.transcription], LEVELS[row.recording])
    law = law_of([place(code)])
    assert law == TABLE.laws[row.law]
    assert 0 < law.days <= 90
    assert law.extension_days >= 0


@pytest.mark.parametrize("code", [*EU, "NO", "IS", "LI"])
def test_in_the_eea_it_is_the_gdpr_and_a_month(code: str) -> None:
    law = law_of([place(code)])
    assert law.name == "GDPR"
    assert law.days <= 28, "a month that begins on 31 January is over on 28 February"


def test_california_has_forty_five_days_and_the_strictest_deadline_wins() -> None:
    assert law_of([place("US-CA")]).days == 45
    assert law_of([place("US-CA"), place("DE")]).name == "GDPR"
    assert law_of([place("US-CA")], owner=place("DE")).name == "GDPR"


def test_unknown_is_as_strict_as_the_strictest_row() -> None:
    unknown = flow([Party()], place("DE"), ASK)
    assert UNKNOWN in unknown.rows
    for code in TABLE.rows:
        known = flow([place(code)], place("DE"), ASK)
        assert all(a >= b for a, b in zip(strictness(unknown), strictness(known), strict=True)), code
    assert law_of([Party()]).days == min(law.days for law in TABLE.laws.values())
    assert law_of([Party()], owner=place("DE")).name == "GDPR", "the owner's law holds for everybody"


@pytest.mark.parametrize(
    "party", [Party(country="XX"), Party(stated="Atlantis"), place("ZZ-9"), Party(number="+88")]
)
def test_what_is_not_in_the_table_is_unknown(party: Party) -> None:
    assert UNKNOWN in TABLE.codes(party)


def test_a_row_that_asks_for_more_makes_unknown_places_ask() -> None:
    stricter_table = with_row("CN", transcription="ask")
    assert stricter_table.flow([Party()], place("DE"), ASK).transcription == "ask"
    assert stricter_table.flow([place("FR")], place("DE"), ASK).transcription == "notice"
    assert stricter_table.flow([place("FR"), place("CN")], place("DE"), ASK).transcription == "ask"
    assert stricter_table.flow([place("FR")], place(""), ASK).transcription == "ask"


def with_row(code: str, *, transcription: Literal["notice", "ask", "off"]) -> Table:
    rows = {**TABLE.rows, code: replace(TABLE.rows[code], transcription=transcription)}
    return Table(TABLE.version, rows, TABLE.laws, TABLE.area_codes)


# ---- numbers


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+14155550100", "US-CA"),
        ("+13035550100", "US-CO"),
        ("+12065550100", "US-WA"),
        ("+15145550100", "CA-QC"),
        ("+14165550100", "CA"),
        ("+493012345678", "DE"),
        ("+442071234567", "GB"),
        ("+8613812345678", "CN"),
    ],
)
def test_a_number_adds_a_row_and_takes_nothing_away(number: str, code: str) -> None:
    assert TABLE.codes(Party(number=number)) == (UNKNOWN, code)
    assert TABLE.codes(Party(country="FR", number=number)) == ("FR", code)
    asks_there = with_row(code, transcription="ask")
    assert asks_there.flow([Party(country="FR", number=number)], place("DE"), ASK).transcription == "ask"
    asks_home = with_row("FR", transcription="ask")
    assert asks_home.flow([Party(country="FR", number=number)], place("DE"), ASK).transcription == "ask"


@pytest.mark.parametrize("number", ["+18005550100", "anonymous", "", "+", "+999123", "sip:me@example.org"])
def test_a_number_that_says_nothing_leaves_the_place_unknown(number: str) -> None:
    assert TABLE.codes(Party(number=number))[0] == UNKNOWN


def test_what_somebody_says_of_themselves_counts_beside_what_is_known() -> None:
    assert TABLE.codes(Party(country="DE", stated="US-CA")) == ("DE", "US-CA")


def test_a_state_that_is_not_known_is_the_country() -> None:
    assert TABLE.codes(Party(country="US", region="ZZ")) == ("US",)
    assert TABLE.rows["US"].consent == "all"


@pytest.mark.parametrize("area", sorted(TABLE.area_codes))
def test_every_area_code_is_in_a_row_of_its_country(area: int) -> None:
    code = TABLE.area_codes[area]
    assert code in TABLE.rows
    country = phonenumbers.region_code_for_number(phonenumbers.parse(f"+1{area}2340100"))
    territories = {"US-PR": "PR", "US-VI": "VI", "US-GU": "GU", "US-AS": "AS", "US-MP": "MP"}
    assert country in (None, territories.get(code, code.partition("-")[0]))


# ---- many parties, and settings


def test_more_people_never_make_it_looser() -> None:
    chance = random.Random(29)
    codes = [*TABLE.rows, "XX"]
    tables = [TABLE, with_row("CN", transcription="ask"), with_row("US-IL", transcription="off")]
    for _ in range(2_000):
        rules = chance.choice(tables)
        parties = [place(chance.choice(codes)) for _ in range(chance.randrange(4))]
        one_more = Party(
            country=chance.choice(codes), number=chance.choice([None, "+14155550100", "+8613812345678"])
        )
        before = rules.flow(parties, place("FR"), ASK)
        after = rules.flow([*parties, one_more], place("FR"), ASK)
        assert all(a >= b for a, b in zip(strictness(after), strictness(before), strict=True))
        assert strictness(stricter(before, after)) == strictness(after)


@pytest.mark.parametrize("transcription", ["notice", "ask", "off"])
@pytest.mark.parametrize("recording", ["ask", "off"])
def test_settings_only_make_it_stricter(
    transcription: Literal["notice", "ask", "off"], recording: Literal["ask", "off"]
) -> None:
    settings = ConsentSettings(transcription=transcription, recording=recording)
    rules = with_row("CN", transcription="ask")
    for code in ("DE", "CN", "XX"):
        ruled = rules.flow([place(code)], place("DE"), settings)
        assert LEVELS[ruled.transcription] >= LEVELS[transcription]
        assert ruled.recording == recording
    assert rules.flow([place("CN")], place("DE"), ConsentSettings()).transcription == "ask"


def test_nothing_is_recorded_by_default() -> None:
    assert flow([place("DE")], place("DE"), ConsentSettings()) == Flow(
        "notice", "off", ("DE",), TABLE.version
    )  # fmt: skip
