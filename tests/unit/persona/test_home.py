from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from compliance.errors import PersonaError
from persona import home


def test_the_demo_twin_has_enough_to_talk_about() -> None:
    persona = home.demo()
    assert persona.profile.name == "Martin Alder"
    assert len(persona.facts) >= 25
    assert len(persona.statements) >= 15
    assert {"anyone", "known", "nobody"} < {fact.tell for fact in persona.facts}
    assert persona.people.find("+447700900214")
    assert persona.documents


def test_the_demo_twin_has_facts_that_newer_ones_supersede() -> None:
    ledger = home.demo().ledger
    old, new = ledger.history("hourly rate")
    assert (old.holds(date(2026, 5, 5)), new.holds(date(2026, 5, 5))) == (False, True)
    assert old in ledger.at(date(2024, 5, 5))


def test_the_example_is_written_and_can_be_read_as_it_is(tmp_path: Path) -> None:
    paths = home.write_example(tmp_path / "new" / "twin")
    assert [path.name for path in paths] == [
        "profile.toml",
        "facts.toml",
        "statements.md",
        "people.toml",
        "examples.jsonl",
        "pronunciation.toml",
        "how-we-work.md",
    ]
    persona = home.load(tmp_path / "new" / "twin")
    assert persona.profile.name == "Your Name"
    assert persona.facts
    assert persona.statements
    assert persona.people.names == {"Anna Example"}
    assert {passage.title for passage in persona.documents} == {"How we work"}
    assert ("Anna Example",) in {fact.tell for fact in persona.facts}


def test_the_example_overwrites_nothing_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "facts.toml").write_text("mine")
    with pytest.raises(PersonaError, match=r"facts\.toml: already exists"):
        home.write_example(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["facts.toml"]
    assert (tmp_path / "facts.toml").read_text() == "mine"


def test_an_example_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PersonaError, match="choose another folder"):
        home.write_example(tmp_path / "file" / "twin")


def test_statements_may_be_missing_and_facts_may_not(tmp_path: Path) -> None:
    home.write_example(tmp_path)
    (tmp_path / "statements.md").unlink()
    shutil.rmtree(tmp_path / "documents")
    assert home.load(tmp_path).statements == ()
    assert home.load(tmp_path).documents == ()
    (tmp_path / "facts.toml").unlink()
    with pytest.raises(PersonaError, match=r"facts\.toml: not found; `twin init"):
        home.load(tmp_path)


def test_whoever_may_hear_something_must_be_in_people_toml(tmp_path: Path) -> None:
    home.write_example(tmp_path)
    (tmp_path / "people.toml").unlink()
    with pytest.raises(PersonaError, match=r"facts\.toml:\d+: 'tell' is 'anyone'.* people\.toml"):
        home.load(tmp_path)
