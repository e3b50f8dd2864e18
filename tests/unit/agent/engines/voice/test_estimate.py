"""Estimated times: made-up audio whose true times are known, cut in every way."""

from __future__ import annotations

import random

import numpy as np
import pytest

from agent.engines.voice.estimate import Estimate, Pace, unspoken
from agent.engines.voice.written import written_words
from channels.spoken import Word

RATE_HZ = 16000
WORDS = [
    "yes,",
    "a",
    "hello",
    "extraordinary",
    "9.30",
    "— ",
    "no.",
    "well;",
    "strengths",
    "IBM",
    "(aside)",
    "你好",
]


def sound(ms: float) -> bytes:
    n = int(RATE_HZ * ms / 1000)
    return bytes((5000 * np.sin(np.arange(n) * 0.2)).astype(np.int16).tobytes())


def silence(ms: float) -> bytes:
    return bytes(2 * int(RATE_HZ * ms / 1000))


def fed(estimate: Estimate, audio: bytes, piece_bytes: int) -> list[Word]:
    words: list[Word] = []
    for start in range(0, len(audio), piece_bytes):
        words += estimate.feed(audio[start : start + piece_bytes])
    return words + list(estimate.finish())


@pytest.mark.parametrize("seed", range(60))
def test_every_word_comes_once_in_order_inside_the_audio(seed: int) -> None:
    chance = random.Random(seed)
    text = " ".join(chance.choices(WORDS, k=chance.randrange(1, 30)))
    audio = b"".join(
        chance.choice((sound, sound, silence))(chance.randrange(1, 900)) for _ in range(chance.randrange(1, 12))
    )
    estimate = Estimate(text, Pace(chance.uniform(60, 500)), RATE_HZ)

    words = fed(estimate, audio, 2 * chance.randrange(1, 4000))

    assert [word.text for word in words] == [word.text for word in written_words(text)]
    at = 0.0
    for word in words:
        assert at <= word.start_ms + 1e-6
        assert word.start_ms <= word.end_ms
        at = word.end_ms
    assert at <= 1000 * len(audio) / 2 / RATE_HZ + 1e-6


def test_words_are_given_while_the_audio_arrives_and_only_once_they_sounded() -> None:
    estimate = Estimate("one two three four five six seven eight", Pace(), RATE_HZ)
    given = 0
    for piece in range(30):
        words = estimate.feed(sound(100))
        given += len(words)
        assert all(word.end_ms <= 100 * (piece + 1) for word in words)

    assert 4 <= given <= 7


def test_silence_before_and_after_belongs_to_no_word() -> None:
    words = fed(Estimate("one two", Pace(), RATE_HZ), silence(400) + sound(800) + silence(600), 3200)

    assert words[0].start_ms == pytest.approx(400, abs=20)
    assert words[-1].end_ms == pytest.approx(1200, abs=20)


@pytest.mark.parametrize("pace_ms", [180.0, 200.0, 260.0])
def test_a_pause_puts_the_words_right_at_the_comma(pace_ms: float) -> None:
    text = "one two three four, five six seven eight"
    words = fed(Estimate(text, Pace(pace_ms), RATE_HZ), sound(1200) + silence(300) + sound(1300), 640)

    assert words[3].end_ms == pytest.approx(1200, abs=250)
    assert words[4].start_ms == pytest.approx(1500, abs=250)


def test_a_stop_consonant_is_no_pause() -> None:
    audio = (sound(150) + silence(80)) * 8

    words = fed(Estimate("one, two, three, four", Pace(), RATE_HZ), audio, 640)

    assert [word.end_ms == word.start_ms for word in words] == [False] * 4


def test_longer_words_take_longer() -> None:
    a, long = fed(Estimate("a extraordinarily", Pace(), RATE_HZ), sound(1000), 640)

    assert long.end_ms - long.start_ms > 3 * (a.end_ms - a.start_ms)


def test_the_pace_is_learned_from_sentence_to_sentence() -> None:
    pace = Pace()
    text = "these are ten words that are said very slowly indeed"
    units = sum(word.units for word in written_words(text))
    for _ in range(6):
        fed(Estimate(text, pace, RATE_HZ), sound(units * 300), 3200)

    assert pace.ms_per_unit == pytest.approx(300, rel=0.05)


def test_nonsense_does_not_spoil_the_pace() -> None:
    pace = Pace()
    fed(Estimate("a whole sentence that broke off at once", pace, RATE_HZ), sound(20), 3200)
    fed(Estimate("Oh.", pace, RATE_HZ), sound(3000), 3200)

    assert pace.ms_per_unit == 200


def test_no_audio_gives_words_without_length() -> None:
    assert [(w.start_ms, w.end_ms) for w in Estimate("one two", Pace(), RATE_HZ).finish()] == [(0, 0), (0, 0)]


def test_a_text_without_sound_is_a_short_silence() -> None:
    chunk = unspoken("... —", RATE_HZ)

    assert chunk is not None
    assert [word.text for word in chunk.words] == ["...", "—"]
    assert chunk.pcm == bytes(len(chunk.pcm))
    assert unspoken("  ", RATE_HZ) is None
