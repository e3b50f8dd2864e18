"""Words as they are written, and what becomes of a text that no voice should see as it is."""

from __future__ import annotations

import random

import pytest

from agent.engines.voice.written import encodable, joined, speakable, written_words


@pytest.mark.parametrize(
    "text",
    [
        "Hello, Dr. Smith: it is 9.30!",
        "  two  spaces\tand\na line ",
        "“Quoted” (aside) — dash … 50% & more",
        "Ünïcödé naïve 👍🏽 e\u0301",
        "",
        "   ",
    ],
)
def test_words_are_what_stands_between_spaces(text: str) -> None:
    words = written_words(text)

    assert [word.text for word in words] == text.split()
    assert all(text[word.start : word.end] == word.text for word in words)


def test_chinese_and_japanese_are_cut_at_each_character_with_its_marks() -> None:
    assert [w.text for w in written_words("你好，世界。")] == ["你", "好，", "世", "界。"]
    assert [w.text for w in written_words("「ラーメン」 OK店")] == ["「ラー", "メ", "ン」", "OK", "店"]


@pytest.mark.parametrize("text", ["你好，世界。", "「ラーメン」です", "plain words here", "no"])
def test_words_join_to_the_text_again(text: str) -> None:
    assert joined(word.text for word in written_words(text)) == text


def test_a_lone_dash_is_not_spoken_but_a_sign_with_a_name_is() -> None:
    assert [w.spoken for w in written_words("a — ... & 9 😀 (")] == [True, False, False, True, True, True, False]


def test_a_pause_follows_punctuation_also_inside_quotes() -> None:
    assert [w.pause for w in written_words('Yes, she said "stop." Then 9.30')] == [1, 0, 0, 2, 0, 0]


def test_longer_words_weigh_more() -> None:
    weights = [w.units for w in written_words("a strengths hello extraordinary 1984 NATO")]

    assert weights[0] < weights[1] < weights[2] < weights[3]
    assert min(weights[4:]) > weights[2]


def test_what_is_no_writing_becomes_a_space_and_nothing_moves() -> None:
    chaos = random.Random(7)
    text = "".join(chr(chaos.randrange(0x110000)) for _ in range(5000)) + "a\x00b\x0150sc\ud800d\ue001e"

    clean = speakable(text)

    assert len(clean) == len(text)
    assert clean.endswith("a b 50sc d e")
    clean.encode()


def test_unpaired_surrogates_can_be_stored_as_words() -> None:
    assert [word.text for word in written_words("a\ud800b \udfff")] == ["a\ufffdb", "\ufffd"]
    assert encodable("ok 😀") == "ok 😀"
