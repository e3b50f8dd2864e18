from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from compliance.errors import PersonaError
from persona import facts
from persona.facts import Fact

DAY = date(2026, 5, 5)


def load(folder: Path, text: str) -> tuple[Fact, ...]:
    path = folder / "facts.toml"
    path.write_text(text, encoding="utf-8")
    return facts.load(path)


def test_a_fact_needs_a_subject_and_a_sentence(tmp_path: Path) -> None:
    (fact,) = load(tmp_path, '[[fact]]\nabout = "hours"\nsay = """\nWe open\n  at nine."""\n')
    assert fact.say == "We open at nine."
    assert fact.may_hear(known=False)
    assert fact.holds(DAY)


def test_no_facts_at_all_are_fine(tmp_path: Path) -> None:
    assert load(tmp_path, "# nothing yet\n") == ()


@pytest.mark.parametrize(
    ("tell", "stranger", "known"), [("anyone", True, True), ("known", False, True), ("nobody", False, False)]
)
def test_who_may_hear_it(tell: str, stranger: bool, known: bool) -> None:
    fact = Fact.model_validate({"about": "a", "say": "b", "tell": tell})
    assert (fact.may_hear(known=False), fact.may_hear(known=True)) == (stranger, known)


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
