from __future__ import annotations

import numpy as np
import pytest

from avatar.controls import Control
from avatar.visemes import CLOSES, CLOSURES, GRIPS, MOUTH, SHAPES, TARGETS, VOWEL, shapes_of, stressed
from tests.unit.avatar.saying import sentences


def names(ipa: str) -> list[str]:
    return [SHAPES[shape] for shape, _ in shapes_of(ipa)]


def test_every_sound_of_nine_languages_has_a_shape() -> None:
    phones = {phone.ipa for sentence in sentences() for phone in sentence.phones}
    assert len(phones) > 120
    assert [ipa for ipa in phones if not shapes_of(ipa) and ipa != "ʲ"] == []


@pytest.mark.parametrize("ipa", ["p", "b", "m", "pʰ", "bʲ", "mː", "m̩", "ɓ", "ʘ", "k͡p"])
def test_lips_close(ipa: str) -> None:
    assert CLOSURES.index("lips") in [CLOSES[shape] for shape, _ in shapes_of(ipa)]


@pytest.mark.parametrize("ipa", ["f", "v", "ɱ", "fː", "p͡f", "pf"])
def test_teeth_meet_the_lip(ipa: str) -> None:
    assert CLOSURES.index("teeth") in [CLOSES[shape] for shape, _ in shapes_of(ipa)]


@pytest.mark.parametrize("ipa", ["t", "n", "k", "w", "β", "ɸ", "a", "ə", "s", "l", "h"])
def test_other_sounds_close_nothing(ipa: str) -> None:
    assert all(CLOSES[shape] < 0 for shape, _ in shapes_of(ipa))


def test_diphthongs_glide() -> None:
    assert names("ˈaɪ") == ["a", "ɪ"]
    assert names("ɔø") == ["ɔ", "ø"]
    assert names("ˈuai") == ["u", "a", "i"]


def test_an_affricate_is_short_before_its_release() -> None:
    ((_, stop), (_, release)) = shapes_of("tʃ")
    assert names("t͡ʃ") == names("tʃ") == ["ridge", "hush"]
    assert release == pytest.approx(2 * stop)


def test_shares_make_a_whole() -> None:
    for ipa in ("aɪ", "tʃ", "aʊɚ", "oːɪ", "kʷ", "əl"):
        assert sum(share for _, share in shapes_of(ipa)) == pytest.approx(1.0)


@pytest.mark.parametrize("marked", ["ˈa", "ˌa", "aː", "ã", "a˥", "ˈa˨˩˦", "a̞", "aˑ", "a-"])
def test_what_cannot_be_seen_is_ignored(marked: str) -> None:
    assert names(marked) == ["a"]


@pytest.mark.parametrize(
    ("ipa", "shape"),
    [
        ("ɖ", "ridge"),
        ("ᶎ", "hiss"),
        ("ᶀ", "lips"),
        ("ꞗ", "lips"),
        ("ŋ̊", "back"),
        ("ç", "hiss"),
        ("ɺ", "side"),
        ("中", "ə"),
    ],
)
def test_a_rare_letter_counts_as_one_that_is_known(ipa: str, shape: str) -> None:
    assert names(ipa) == [shape]


@pytest.mark.parametrize("ipa", ["", "ˈ", "˥˩", "ː", " ", "|", "7", "ʰ"])
def test_marks_alone_are_no_sound(ipa: str) -> None:
    assert shapes_of(ipa) == ()


def test_rhotic_vowels_are_rounded() -> None:
    assert names("ɚ") == names("ə˞") == ["ɜ"]


def test_stress_is_known() -> None:
    assert stressed("ˈa")
    assert not stressed("ˌa")


def test_the_table_is_whole() -> None:
    assert TARGETS.shape == GRIPS.shape == (len(SHAPES), len(MOUTH))
    assert np.all((TARGETS >= 0) & (TARGETS <= 1) & (GRIPS > 0) & (GRIPS <= 1))
    assert sum(VOWEL) == 17
    assert all(TARGETS[shape, 0] <= 0.62 for shape in range(len(SHAPES)))


@pytest.mark.parametrize(("ipa", "round_"), [("ɥ", True), ("ʂ", True), ("ʐ", True), ("ɯ", False), ("ɨ", False)])
def test_lips_are_round_for_what_is_round(ipa: str, round_: bool) -> None:
    ((shape, _),) = shapes_of(ipa)
    columns = [MOUTH.index(control) for control in (Control.LIPS_PUCKER, Control.LIPS_FUNNEL)]
    assert bool(TARGETS[shape, columns].max() > 0.3) is round_
