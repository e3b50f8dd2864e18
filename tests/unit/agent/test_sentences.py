from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest

from agent.engines.base import Piece
from agent.sentences import Sentences, cut, speakable


def cut_whole(text: str) -> list[str]:
    sentences = Sentences()
    return sentences.feed(text) + sentences.flush()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello. How are you? Fine!", ["Hello.", "How are you?", "Fine!"]),
        ("Dr. Smith comes at 9.30 a.m. on Monday.", ["Dr. Smith comes at 9.30 a.m. on Monday."]),
        ("He left at 5 p.m. Then he slept.", ["He left at 5 p.m.", "Then he slept."]),
        ("It costs 1,000.50 pounds. J. Smith paid.", ["It costs 1,000.50 pounds.", "J. Smith paid."]),
        ("See https://a.example/b?c=d.e now. Bye.", ["See https://a.example/b?c=d.e now.", "Bye."]),
        ("Write to x.y@z.example. Thanks.", ["Write to x.y@z.example.", "Thanks."]),
        ("That was in 1999. You too?", ["That was in 1999.", "You too?"]),
        ('He said: "Go." Then he went.', ['He said: "Go."', "Then he went."]),
        ("Really?! Yes… no.", ["Really?!", "Yes…", "no."]),
        ("今天天气很好！我们走吧？好。", ["今天天气很好！", "我们走吧？", "好。"]),
        ("Wir öffnen um 9 Uhr, z.B. am Montag. Gut.", ["Wir öffnen um 9 Uhr, z.B. am Montag.", "Gut."]),
        ("One line\nanother line", ["One line", "another line"]),
        ("", []),
        ("  ... !? \n", []),
    ],
)
def test_a_text_is_cut_where_its_sentences_end(text: str, expected: list[str]) -> None:
    assert cut_whole(text) == expected


def test_a_long_first_clause_is_cut_at_its_comma_and_later_ones_are_not() -> None:
    text = "We are open from nine to half past five, and on Saturday. After that we rest for a long while, mostly."
    assert cut_whole(text) == [
        "We are open from nine to half past five,",
        "and on Saturday.",
        "After that we rest for a long while, mostly.",
    ]


def test_a_sentence_is_given_as_soon_as_the_character_after_its_end_is_there() -> None:
    sentences = Sentences()
    assert sentences.feed("We open at nine.") == []
    assert sentences.feed(" ") == ["We open at nine."]


def test_a_stop_within_a_number_that_arrives_in_two_pieces_does_not_end_the_sentence() -> None:
    sentences = Sentences()
    assert sentences.feed("It costs 9.") == []
    assert sentences.feed("50 today. ") == ["It costs 9.50 today."]


def test_a_run_on_without_punctuation_is_cut_at_a_space_within_the_limit() -> None:
    parts = cut_whole("word " * 500)
    assert max(map(len, parts)) <= 240
    assert " ".join(parts).split() == ["word"] * 500


def test_a_word_without_end_is_cut_too() -> None:
    assert [len(part) for part in cut_whole("a" * 600)] == [240, 240, 120]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**Bold** and *light* and `code`.", "Bold and light and code."),
        ("# Prices", "Prices"),
        ("- a first thing", "a first thing"),
        ("2. a second thing", "a second thing"),
        ("> quoted", "quoted"),
        ("See [our site](https://a.example/x_y).", "See our site."),
        ("snake_case and 3 _emphasised_ words", "snake_case and 3 emphasised words"),
        ("~~gone~~ | cell", "gone cell"),
        ("two apples", "two apples"),
    ],
)
def test_markdown_is_not_spoken(text: str, expected: str) -> None:
    assert speakable(text) == expected


def test_a_markdown_list_becomes_one_sentence_per_item() -> None:
    assert cut_whole("**Prices**\n\n1. A visit\n2. A plan\n- and more") == [
        "Prices",
        "A visit",
        "A plan",
        "and more",
    ]


ALPHABET = ["a", "b.", "Mr.", "p.m.", " ", " ", ",", ". ", "! ", "?", "\n", "9", "1.", "。", '"', "**", "- ", "—"]
ALPHABET += ["\t", "\r\n", "word "]


@pytest.mark.parametrize("seed", range(20))
def test_the_sentences_do_not_depend_on_how_the_text_arrives(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(50):
        text = "".join(chance.choices(ALPHABET, k=chance.randrange(60)))
        sentences = Sentences(first_chars=6, max_chars=24)
        whole = sentences.feed(text) + sentences.flush()
        arrived: list[str] = []
        at = 0
        while at < len(text):
            size = chance.randrange(1, 7)
            arrived += sentences.feed(text[at : at + size])
            at += size
        assert arrived + sentences.flush() == whole


@pytest.mark.parametrize("seed", range(20))
def test_nothing_that_is_spoken_is_lost(seed: int) -> None:
    chance = random.Random(seed)
    alphabet = [part for part in ALPHABET if part not in ("1.", "- ", "\n", "\r\n")]
    for _ in range(50):
        text = "x" + "".join(chance.choices(alphabet, k=chance.randrange(60)))
        spoken = "".join(cut_whole(text))
        assert [ch for ch in spoken if ch.isalnum()] == [ch for ch in text if ch.isalnum()]


async def test_a_sentence_never_mixes_two_provenances() -> None:
    async def pieces() -> AsyncIterator[Piece]:
        yield Piece("The house was built in nine", "model")
        yield Piece("... Sorry, I lost my thread. ", "notice")
        yield Piece("We open at nine.", "fact")

    assert [(piece.text, piece.provenance) async for piece in cut(pieces(), Sentences())] == [
        ("The house was built in nine", "model"),
        ("Sorry, I lost my thread.", "notice"),
        ("We open at nine.", "fact"),
    ]


def test_limits_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="first_chars"):
        Sentences(first_chars=500, max_chars=100)
