from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest

from compliance.errors import PersonaError
from persona import facts
from persona.caller import STRANGER, Caller
from persona.facts import Fact, Ledger

DAY = date(2026, 5, 5)


def load(folder: Path, text: str) -> tuple[Fact, ...]:
    path = folder / "facts.toml"
    path.write_text(text, encoding="utf-8")
    return facts.load(path)


def test_a_fact_needs_a_subject_and_a_sentence(tmp_path: Path) -> None:
    (fact,) = load(tmp_path, '[[fact]]\nabout = "hours"\nsay = """\nWe open\n  at nine."""\n')
    assert fact.say == "We open at nine."
    assert fact.may_hear(STRANGER)
    assert fact.holds(DAY)


def test_no_facts_at_all_are_fine(tmp_path: Path) -> None:
    assert load(tmp_path, "# nothing yet\n") == ()


@pytest.mark.parametrize(
    ("tell", "stranger", "known"), [("anyone", True, True), ("known", False, True), ("nobody", False, False)]
)
def test_who_may_hear_it(tell: str, stranger: bool, known: bool) -> None:
    fact = Fact.model_validate({"about": "a", "say": "b", "tell": tell})
    assert (fact.may_hear(STRANGER), fact.may_hear(Caller(known=True))) == (stranger, known)


def test_a_fact_holds_from_its_first_to_its_last_day() -> None:
    fact = Fact(about="a", say="b", valid_from=date(2026, 5, 1), valid_to=date(2026, 5, 5))
    assert [fact.holds(date(2026, *day)) for day in ((4, 30), (5, 1), (5, 5), (5, 6))] == [
        False,
        True,
        True,
        False,
    ]


def test_a_later_value_may_follow_an_earlier_one(tmp_path: Path) -> None:
    both = load(
        tmp_path,
        '[[fact]]\nabout = "price"\nsay = "Ninety."\nvalid_to = 2026-05-31\n'
        '[[fact]]\nabout = "Price"\nsay = "A hundred."\nvalid_from = 2026-06-01\n',
    )
    assert [fact.say for fact in both if fact.holds(DAY)] == ["Ninety."]


def test_two_facts_that_contradict_each_other_are_named_with_both_lines(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match=r"facts\.toml:6: a second fact about the same as on line 2"):
        load(tmp_path, '[[fact]]\nabout = "price"\nsay = "Ninety."\n\n[[fact]]\nabout = "Price "\nsay = "Ten."\n')


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            '[[fact]]\nabout = "a"\nsay = "b"\n[[fact]]\nabout = "c"\nsay = "d"\nsya = "e"\n',
            ":7: unknown key 'sya'",
        ),
        ('[[fact]]\nabout = "a"\nsay = "b"\n\n[[fact]]\nabout = "c"\n', ":5: 'say' is missing; add it"),
        ('[[fact]]\nabout = "a"\nsay = "b"\ntell = "friends"\n', ":4: 'tell':"),
        ('[[fact]]\nabout = "a"\nsay = " "\n', ":3: 'say':"),
        (
            '[[fact]]\nabout = "a"\nsay = "b"\nvalid_from = 2026-02-01\nvalid_to = 2026-01-01\n',
            ":1: 'valid_to' is before",
        ),
        ('[[facts]]\nabout = "a"\n', ":1: unknown key 'facts'; write facts as [[fact]]"),
        ('[fact]\nabout = "a"\n', ":1: write [[fact]] with two brackets"),
        ('[[fact]]\nabout = "a\n', ":2: broken TOML:"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(PersonaError) as error:
        load(tmp_path, text)
    assert error.value.message.startswith(f"{tmp_path / 'facts.toml'}{complaint}")


def test_a_complaint_never_repeats_what_a_fact_says(tmp_path: Path) -> None:
    with pytest.raises(PersonaError) as error:
        load(tmp_path, '[[fact]]\nabout = "a"\nsay = "my secret"\ntell = "my neighbour"\n')
    assert "secret" not in error.value.message
    assert "neighbour" not in error.value.message


PRICES = """
[[fact]]
about = "price"
say = "Ninety."
recorded = 2024-01-10

[[fact]]
about = "Price"
say = "A hundred."
valid_from = 2026-06-01
recorded = 2026-04-02

[[fact]]
about = "price "
say = "A hundred and ten."
valid_from = 2026-07-01
recorded = 2026-05-20
"""


def said(facts: tuple[Fact, ...]) -> list[str]:
    return [fact.say for fact in facts]


def test_a_newer_value_holds_from_its_first_day_on_and_the_old_one_before(tmp_path: Path) -> None:
    ledger = Ledger(load(tmp_path, PRICES))
    assert said(ledger.at(date(2026, 5, 31))) == ["Ninety."]
    assert said(ledger.at(date(2026, 6, 1))) == ["A hundred."]
    assert said(ledger.at(date(2026, 7, 1))) == ["A hundred and ten."]


def test_what_was_known_on_a_day_can_be_asked(tmp_path: Path) -> None:
    ledger = Ledger(load(tmp_path, PRICES))
    august = date(2026, 8, 1)
    assert said(ledger.at(august, known_on=date(2026, 4, 1))) == ["Ninety."]
    assert said(ledger.at(august, known_on=date(2026, 4, 2))) == ["A hundred."]
    assert said(ledger.at(august, known_on=date(2023, 1, 1))) == []
    assert said(ledger.at(august)) == ["A hundred and ten."]


def test_the_history_of_a_subject_is_told_oldest_first(tmp_path: Path) -> None:
    facts = load(tmp_path, PRICES)
    assert said(Ledger(reversed(facts)).history(" PRICE")) == ["Ninety.", "A hundred.", "A hundred and ten."]
    assert Ledger(facts).history("weather") == ()


def test_a_correction_recorded_later_takes_all_days_from_the_old_value(tmp_path: Path) -> None:
    wrong, right = load(
        tmp_path,
        '[[fact]]\nabout = "a"\nsay = "Wrong."\nvalid_from = 2026-01-01\n'
        '[[fact]]\nabout = "a"\nsay = "Right."\nrecorded = 2026-03-01\n',
    )
    assert not wrong.holds(date(2026, 2, 1))
    assert right.holds(date(2026, 2, 1))


def test_the_order_in_the_file_decides_nothing(tmp_path: Path) -> None:
    blocks = PRICES.strip().split("\n\n")
    turned = Ledger(load(tmp_path, "\n\n".join(reversed(blocks))))
    assert said(turned.at(date(2026, 6, 15))) == ["A hundred."]


def test_a_value_that_ended_leaves_nothing_behind(tmp_path: Path) -> None:
    ledger = Ledger(load(tmp_path, PRICES.replace("valid_from = 2026-07-01", "valid_to = 2026-07-31")))
    assert said(ledger.at(date(2026, 8, 1))) == []


def test_two_values_written_on_the_same_day_for_the_same_days_contradict_each_other(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match=r":6: a second fact about the same as on line 2, and nothing tells"):
        load(
            tmp_path,
            '[[fact]]\nabout = "a"\nsay = "b"\nrecorded = 2026-01-01\n'
            '[[fact]]\nabout = "A"\nsay = "c"\nrecorded = 2026-01-01\n',
        )


def test_a_fact_may_be_for_people_by_name(tmp_path: Path) -> None:
    path = tmp_path / "facts.toml"
    path.write_text('[[fact]]\nabout = "a"\nsay = "b"\ntell = ["Anna Berg"]\n', encoding="utf-8")
    (fact,) = facts.load(path, names={"Anna Berg"})
    assert fact.may_hear(Caller(known=True, person="Anna Berg"))
    assert not fact.may_hear(Caller(name="Anna Berg", known=True))
    assert not fact.may_hear(Caller(known=True, person="Otto Berg"))
    with pytest.raises(
        PersonaError, match=r":4: 'tell' is .* people\.toml; correct it, or add them there"
    ) as error:
        facts.load(path, names={"Otto Berg"})
    assert "Anna" not in error.value.message


@pytest.mark.parametrize(("tell", "complaint"), [("[]", "an empty list"), ('[" "]', "a name is empty")])
def test_a_list_that_means_nobody_is_a_mistake(tmp_path: Path, tell: str, complaint: str) -> None:
    with pytest.raises(PersonaError, match=complaint):
        load(tmp_path, f'[[fact]]\nabout = "a"\nsay = "b"\ntell = {tell}\n')


@pytest.mark.parametrize("seed", range(20))
def test_no_two_facts_about_the_same_ever_hold_on_the_same_day(seed: int) -> None:
    chance = random.Random(seed)
    days = [None, *(date(2026, month, 1) for month in range(1, 8))]
    drawn: list[Fact] = []
    for number in range(12):
        fact = Fact(about="a", say=f"value {number}", valid_from=chance.choice(days), recorded=chance.choice(days))
        if fact.age not in {other.age for other in drawn}:
            drawn.append(fact)
    for month in range(1, 13):
        assert len(Ledger(drawn).at(date(2026, month, 15))) <= 1
        assert len(Ledger(drawn).at(date(2026, month, 15), known_on=date(2026, 4, 1))) <= 1
