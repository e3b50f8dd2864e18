from __future__ import annotations

import math

import numpy as np
import pytest

from avatar.gestures import BEGIN, CLOSURE, END, GAIN, KNOWN, OPENED, SHUT, UNTIL, Gestures, Level
from avatar.loudness import Loudness
from avatar.timeline import Phone

RATE = 16_000


def sound(*stretches: tuple[float, float]) -> Loudness:
    """Tones one after the other, each of a length in ms and a level in dBFS."""
    loudness = Loudness(RATE)
    for length_ms, level_dbfs in stretches:
        t = np.arange(round(RATE * length_ms / 1000))
        pcm = 46_339 * 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * 400 / RATE * t)
        loudness.feed(pcm.astype(np.int16).tobytes())
    return loudness


def added(*phones: Phone, loudness: Loudness | None = None) -> Gestures:
    gestures = Gestures(Level())
    gestures.add(phones, loudness or Loudness(RATE), known=0)
    return gestures


def test_a_stop_is_shut_while_its_hold_is_heard() -> None:
    # The event of the p is at its burst, as espeak-ng tells it; the hold before it is booked on the vowel.
    loudness = sound((150, -15), (50, -70), (30, -28), (120, -15))
    rows = added(Phone("a", 0, 200), Phone("p", 200, 230), loudness=loudness).around(200)
    row = rows[rows[:, CLOSURE] >= 0][0]
    assert row[SHUT] == pytest.approx(150, abs=8)
    assert row[OPENED] == pytest.approx(200, abs=8)


def test_a_stop_without_its_sound_is_shut_until_its_release() -> None:
    (row,) = added(Phone("b", 100, 180)).around(140)
    assert (row[SHUT], row[OPENED]) == (100, pytest.approx(156))


def test_a_nasal_is_shut_as_long_as_it_sounds() -> None:
    (row,) = added(Phone("m", 100, 200)).around(140)
    assert (row[SHUT], row[OPENED]) == (108, 192)


@pytest.mark.parametrize("ipa", ["p", "b", "m", "f", "v"])
def test_a_short_closure_lasts_as_long_as_a_frame(ipa: str) -> None:
    (row,) = added(Phone(ipa, 100, 118)).around(110)
    assert row[OPENED] - row[SHUT] >= 40
    assert abs((row[SHUT] + row[OPENED]) / 2 - 109) < 12


def test_a_diphthong_is_two_movements() -> None:
    first, second = added(Phone("aɪ", 0, 160)).around(80)
    assert (first[BEGIN], first[END], second[BEGIN], second[END]) == (0, 80, 80, 160)


def test_the_jaw_follows_the_loudness_of_vowels() -> None:
    loudness = sound((100, -12), (100, -24), (100, -12))
    loud, soft, stop = added(
        Phone("a", 0, 100), Phone("a", 100, 200), Phone("t", 200, 300), loudness=loudness
    ).around(150)
    assert loud[GAIN] > 1 > soft[GAIN] > 0.5
    assert stop[GAIN] == 1


def test_it_learns_how_loud_a_voice_is() -> None:
    level = Level()
    gains = [level.gain(-30.0) for _ in range(60)]
    assert gains[0] < 0.7
    assert gains[-1] == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("length_ms", [0.0, -20.0, math.nan, math.inf])
def test_phones_without_a_length_move_nothing(length_ms: float) -> None:
    assert len(added(Phone("a", 100, 100 + length_ms)).around(100)) == 0


def test_only_what_is_near_is_seen() -> None:
    phones = [Phone("a", 80.0 * i, 80.0 * i + 80) for i in range(200)]
    rows = added(*phones).around(8_000)
    assert len(rows) <= 24
    assert rows[-1][BEGIN] < 8_130
    assert rows[0][END] < 7_880


def test_phones_replace_guesses() -> None:
    gestures = Gestures(Level())
    gestures.guess([Phone("a", 0, 100), Phone("o", 400, 500)], Loudness(RATE), known=10)
    assert gestures.estimated
    gestures.add([Phone("m", 0, 120)], Loudness(RATE), known=50)
    first, second = (row for row in gestures.around(100) if row[KNOWN] in (10, 50))
    assert {first[UNTIL], second[UNTIL]} == {50, math.inf}
    assert gestures.estimated
    gestures.add([Phone("o", 400, 600)], Loudness(RATE), known=90)
    assert not gestures.estimated


def test_what_is_handed_out_is_a_copy() -> None:
    gestures = added(Phone("a", 0, 100))
    gestures.around(50)[:] = 7
    assert gestures.around(50)[0][BEGIN] == 0
