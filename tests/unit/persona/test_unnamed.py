"""A stored name is told only as far as it was given."""

from __future__ import annotations

import pytest

from persona.unnamed import as_given, without_names


@pytest.mark.parametrize(
    ("said", "told"),
    [("Ana", "Anna"), ("Schmitt", "Schmidt"), ("Anna Schmitt", "Anna Schmidt"), ("Bobby", "Bobby")],
)
def test_what_they_said_is_told_in_the_stored_spelling(said: str, told: str) -> None:
    assert as_given(said, "Anna Schmidt") == told


@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        ("Anna Schmidt's son is ill.", "", "The caller's son is ill."),
        ("anna called about Schmidt & Co.", "", "The caller called about the caller & Co."),
        ("Anna Schmidt lives in Annaberg.", "", "The caller lives in Annaberg."),
        ("Anna Schmidt lives in Rome.", "Anna", "Anna lives in Rome."),
        ("Anna Schmidt lives in Rome.", "Anna Schmidt", "Anna Schmidt lives in Rome."),
        ("Nothing of a name.", "", "Nothing of a name."),
        ("", "", ""),
    ],
)
def test_names_in_memories_are_replaced(text: str, given: str, told: str) -> None:
    assert without_names(text, ["Anna Schmidt", ""], given=given, language="en") == told


def test_names_between_which_nothing_stands() -> None:
    assert "王伟" not in without_names("王伟住在北京", ["王伟"], given="", language="zh")


def test_marks_in_a_name_are_no_pattern() -> None:
    assert without_names("A.* (x) lives here.", ["A.*", r"\1"], given="", language="en") == "A.* (x) lives here."
