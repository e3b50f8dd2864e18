"""Which words are stressed."""

from __future__ import annotations

from itertools import pairwise

from avatar.emphasis import beats
from avatar.timeline import Said
from tests.unit.avatar.talk import said


def test_the_word_that_carries_the_sentence_is_stressed_and_the_little_ones_are_not() -> None:
    found = beats(said("it is a wonderful day"), 1_000.0)
    assert [beat.t_ms for beat in found] == [1_000.0 + said("it is a wonderful day")[3].start_ms]
    assert 0.3 < found[0].strength <= 1.0


def test_stressed_words_keep_apart() -> None:
    words = said("absolutely extraordinary circumstances notwithstanding everybody participated enthusiastically")
    times = [beat.t_ms for beat in beats(words, 0.0)]
    assert len(times) >= 3
    assert min(b - a for a, b in pairwise(times)) >= 450.0


def test_a_word_without_time_or_letters_is_never_stressed() -> None:
    assert beats([Said("extraordinary", 0.0, 0.0), Said("—", 0.0, 900.0), Said("", 0.0, 900.0)], 0.0) == ()


def test_a_shout_and_a_number_weigh_more() -> None:
    plain, shout, number = (beats([Said(text, 0.0, 500.0)], 0.0) for text in ("nothing", "NOTHING!", "1234567"))
    assert plain[0].strength < shout[0].strength
    assert plain[0].strength < number[0].strength


def test_two_characters_of_chinese_are_a_whole_word() -> None:
    assert beats([Said("重要", 0.0, 420.0)], 0.0)
