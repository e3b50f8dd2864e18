"""Words as a recogniser might have written them, and the wordings of a pattern."""

from __future__ import annotations

import pytest

from compliance.language.plain import Phrases, phrases, words


@pytest.mark.parametrize(
    ("text", "language", "plain"),
    [
        ("Yes, that's FINE!", "en", ("yes", "that", "s", "fine")),
        ("Natürlich – gern.", "de", ("naturlich", "gern")),
        ("Ça ne me dérange pas…", "fr", ("ca", "ne", "me", "derange", "pas")),
        ("はい、ガス です。", "ja", ("は", "い", "ガ", "ス", "で", "す")),
        ("ＯＫ，可以", "zh", ("o", "k", "可", "以")),
        ("?!", "en", ()),
    ],
)
def test_capitals_accents_and_punctuation_do_not_matter(text: str, language: str, plain: tuple[str, ...]) -> None:
    assert words(text, language) == plain


def test_a_pattern_stands_for_all_its_wordings() -> None:
    made = {" ".join(wording) for wording in phrases("you (can|may) record[ it[ now]]", "en")}
    assert made == {
        f"you {may} record{rest}" for may in ("can", "may") for rest in ("", " it", " it now")
    }  # fmt: skip


@pytest.mark.parametrize("pattern", ["you (can", "you can)", "you [can", "you (can]"])
def test_half_a_bracket_is_an_error(pattern: str) -> None:
    with pytest.raises(ValueError, match="bracket was not"):
        list(phrases(pattern, "en"))


def test_phrases_are_found_where_they_begin() -> None:
    known = Phrases(["of course", "of course not"], "en")
    assert sorted(known.ends(("of", "course", "not"), 0)) == [2, 3]
    assert known.within(("well", "of", "course"))
    assert not known.within(("course", "of"))
