from __future__ import annotations

from pathlib import Path

import pytest

from compliance.errors import PersonaError
from persona import people
from persona.people import People

ANNA = '[[person]]\nname = "Anna Berg"\nnumbers = ["(01632) 960-961"]\n'
TWO = """
[[person]]
name = "Anna Berg"
numbers = ["+44 1632 960961"]
addresses = ["Anna@Example.org"]
relation = "client"
formality = "formal"
shared = true

[[person]]
name = "Otto Berg"
called = "Otto"
numbers = ["+441632960961"]
shared = true
"""


def load(folder: Path, text: str) -> People:
    path = folder / "people.toml"
    path.write_text(text, encoding="utf-8")
    return people.load(path)


def test_there_may_be_no_such_file(tmp_path: Path) -> None:
    assert len(people.load(tmp_path / "people.toml")) == 0


@pytest.mark.parametrize("subject", ["+441632960961", "+44 1632 960 961", "00441632960961", "+44 (0)1632 960-961"])
def test_a_number_finds_everybody_who_shares_it(tmp_path: Path, subject: str) -> None:
    assert [person.name for person in load(tmp_path, TWO).find(subject)] == ["Anna Berg", "Otto Berg"]


def test_an_address_is_found_whatever_its_case(tmp_path: Path) -> None:
    (anna,) = load(tmp_path, TWO).find("anna@EXAMPLE.org ")
    assert (anna.relation, anna.formality, anna.short) == ("client", "formal", "Anna")
    assert load(tmp_path, TWO).find("otto@example.org") == ()


def test_a_name_is_found_whatever_its_case(tmp_path: Path) -> None:
    known = load(tmp_path, TWO)
    assert known.named("otto  berg") in list(known)
    assert known.named("Otto") is None
    assert known.names == {"Anna Berg", "Otto Berg"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[[person]]\nname = "A"\nnumbers = ["960961"]\n', ":3: 'numbers': write numbers with the country code"),
        ('[[person]]\nnumbers = ["+441632960961"]\n', ":1: 'name' is missing; add it"),
        ('[[person]]\nname = "A, B"\n', ":2: 'name': write the name without commas"),
        ('[[person]]\nname = "known"\n', ":2: 'name': write the name without commas"),
        ('[[person]]\nname = "A"\nrelation = "enemy"\n', ":3: 'relation':"),
        ('[[person]]\nname = "A"\naddresses = [" "]\n', ":3: 'addresses': an address is empty"),
        ('[[person]]\nname = "A"\n[[person]]\nname = "a"\n', ":4: the same name as on line 2"),
        ('[person]\nname = "A"\n', ":1: write [[person]] with two brackets"),
        ('[[people]]\nname = "A"\n', ":1: unknown key 'people'; write people as [[person]]"),
        (TWO.replace("shared = true\n\n", "\n"), ":12: one of these stands on line 4 too; write 'shared = true'"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(PersonaError) as error:
        load(tmp_path, text)
    assert error.value.message.startswith(f"{tmp_path / 'people.toml'}{complaint}")


def test_a_complaint_names_nobody(tmp_path: Path) -> None:
    with pytest.raises(PersonaError) as error:
        load(tmp_path, ANNA)
    assert "Anna" not in error.value.message
    assert "960-961" not in error.value.message
