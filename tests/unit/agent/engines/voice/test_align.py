"""What services report, put onto what was written."""

from __future__ import annotations

import random

import pytest

from agent.engines.voice.align import Alignment
from agent.engines.voice.written import written_words
from channels.spoken import Word


def starts(text: str, reported: list[tuple[str, float]], audio_ms: float = 5000) -> dict[str, float]:
    alignment = Alignment(text)
    alignment.report(reported)
    words = alignment.finish(audio_ms)
    assert [word.text for word in words] == [word.text for word in written_words(text)]
    return {word.text: round(word.start_ms) for word in words}


def test_reported_words_are_the_written_ones() -> None:
    assert starts("Hello, my friend.", [("Hello,", 0.1), ("my", 0.6), ("friend.", 0.9)]) == {
        "Hello,": 100,
        "my": 600,
        "friend.": 900,
    }


@pytest.mark.parametrize(
    "reported",
    [
        [("hello", 0.1), (",", 0.5), ("MY", 0.6), (" ", 0.8), ("friend", 0.9), (".", 1.5)],
        [("Hel", 0.1), ("lo", 0.3), ("my", 0.6), ("fri", 0.9), ("end", 1.2)],
        [(c, 0.1 + 0.05 * i) for i, c in enumerate("Hello,")] + [("my", 0.6)] + [("friend.", 0.9)],
    ],
)
def test_other_spelling_pieces_and_single_letters(reported: list[tuple[str, float]]) -> None:
    assert starts("Hello, my friend.", reported) == {"Hello,": 100, "my": 600, "friend.": 900}


def test_a_number_said_in_words_fills_the_time_between_its_neighbours() -> None:
    reported = [("it", 0.0), ("is", 0.2), ("half", 0.5), ("past", 0.8), ("nine", 1.1), ("today", 1.5)]
    found = starts("it is 9.30 today", reported)

    assert found["today"] == 1500
    assert 200 < found["9.30"] < 1500


def test_words_left_out_share_the_time() -> None:
    found = starts("one two three four", [("one", 0.0), ("four", 3.0)])

    assert 0 < found["two"] < found["three"] < found["four"] == 3000


def test_words_are_ready_when_the_next_one_began_in_the_audio() -> None:
    alignment = Alignment("one two three")
    alignment.report([("one", 0.0), ("two", 0.5), ("three", 0.9)])

    assert alignment.ready(400) == ()
    assert [(w.text, w.end_ms) for w in alignment.ready(600)] == [("one", 500)]
    assert [(w.text, w.end_ms) for w in alignment.finish(1300)] == [("two", 900), ("three", 1300)]
    assert alignment.finish(1300) == ()


def test_chinese_by_the_character() -> None:
    assert starts("你好，世界", [(c, 0.2 * i) for i, c in enumerate("你好世界")])["界"] == 600


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_reported_the_words_come_once_in_order_and_inside(seed: int) -> None:
    chance = random.Random(seed)
    vocabulary = ["one", "two", "Straße", "9.30", "—", "a", "b", "ﬁne", "😀", "the", "", "e\u0301"]
    text = " ".join(chance.choices(vocabulary, k=12))
    alignment = Alignment(text)
    words: list[Word] = []
    for _ in range(10):
        alignment.report([(chance.choice(vocabulary), chance.uniform(-1, 9)) for _ in range(2)])
        words += alignment.ready(chance.uniform(0, 3000))
    words += alignment.finish(3000)

    assert [word.text for word in words] == [word.text for word in written_words(text)]
    at = 0.0
    for word in words:
        assert at <= word.start_ms + 1e-6
        assert word.start_ms <= word.end_ms <= 3000 + 1e-6
        at = word.end_ms
