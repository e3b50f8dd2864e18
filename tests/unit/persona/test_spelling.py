from __future__ import annotations

import pytest

from persona.spelling import Compounds, Spellings

SPELLINGS = Spellings(["garden", "consultation", "kitchen", "fence", "camera"])


@pytest.mark.parametrize(
    ("heard", "meant"),
    [("consolation", "consultation"), ("kithcen", "kitchen"), ("gardden", "garden"), ("camra", "camera")],
)
def test_a_word_with_a_slip_is_known_again(heard: str, meant: str) -> None:
    near = SPELLINGS.nearest(heard)
    assert near is not None
    assert near[0] == meant
    assert 0.7 <= near[1] < 1


def test_letters_swapped_count_once() -> None:
    word, likeness = SPELLINGS.near("fecne")[0]
    assert word == "fence"
    assert likeness == pytest.approx(0.8)


def test_another_word_is_not_taken_for_a_known_one() -> None:
    assert SPELLINGS.nearest("elephant") is None
    assert SPELLINGS.nearest("cam") is None


def cut(word: str) -> tuple[str, ...]:
    known = dict.fromkeys(["dach", "fenster", "arbeit", "zimmer", "stadt"], 2)
    stems = {"arbeits": "arbeit"}
    return Compounds(known, lambda word: stems.get(word, word), short=("uhr",)).parts(word)


def test_a_compound_is_cut_into_known_words() -> None:
    assert cut("dachfenster") == ("dach", "fenster")
    assert cut("arbeitszimmer") == ("arbeit", "zimmer")


def test_where_only_the_last_part_is_known_that_is_taken() -> None:
    assert cut("nordfenster") == ("fenster",)


@pytest.mark.parametrize("word", ["fenster", "banane", "dachs", "verstadtlichung"])
def test_other_words_stay_whole(word: str) -> None:
    assert cut(word) == ()


def test_words_with_the_same_last_part_are_found() -> None:
    compounds = Compounds(dict.fromkeys(["dachfenster", "kellerfenster", "dach"], 1), str)
    assert sorted(compounds.ending_with("fenster")) == ["dachfenster", "kellerfenster"]
    assert compounds.ending_with("ter") == []
