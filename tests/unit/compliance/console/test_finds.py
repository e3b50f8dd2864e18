from __future__ import annotations

import pytest

from compliance.console.finds import AROUND, Find, find


def test_the_passage_is_found_whatever_case_and_accents() -> None:
    assert find("The Café is open.", "cafe") == Find("The ", "Café", " is open.")


@pytest.mark.parametrize("words", ["phone", "name", "555"])
def test_what_is_hidden_is_not_found_and_neither_is_its_kind(words: str) -> None:
    assert find("Call [name] on [phone].", words) is None


def test_a_word_that_stands_open_beside_a_hidden_one_is_found() -> None:
    assert find("My phone is [phone].", "phone") == Find("My ", "phone", " is [phone].")


def test_words_are_found_at_their_beginning() -> None:
    assert find("It is unopened.", "open") is None
    found = find("It opens at nine.", "open")
    assert found is not None
    assert found.found == "open"


def test_scripts_without_spaces_are_found_anywhere() -> None:
    assert find("明日東京へ行きます", "東京") == Find("明日", "東京", "へ行きます")


def test_a_long_text_is_cut_at_words_on_both_sides() -> None:
    text = "before " * 40 + "HERE" + " after" * 40
    found = find(text, "here")

    assert found is not None
    assert found.before.startswith("… before")
    assert found.after.endswith("after …")
    assert len(found.before) <= AROUND + 4


@pytest.mark.parametrize("words", ["", "   ", "?!", "nothing like it"])
def test_nothing_is_found_where_nothing_is(words: str) -> None:
    assert find("Some words.", words) is None
