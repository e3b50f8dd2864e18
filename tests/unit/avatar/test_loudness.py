from __future__ import annotations

import numpy as np
import pytest

from avatar.loudness import FLOOR_DBFS, Loudness

RATE = 22_050


def tone(length_ms: float, level_dbfs: float) -> bytes:
    t = np.arange(round(RATE * length_ms / 1000)) / RATE
    peak = 32_767 * 10 ** (level_dbfs / 20) * np.sqrt(2)
    pcm: bytes = (peak * np.sin(2 * np.pi * 400 * t)).astype(np.int16).tobytes()
    return pcm


def test_level_of_a_tone() -> None:
    loudness = Loudness(RATE)
    loudness.feed(tone(300, -20))
    assert loudness.peak_dbfs(50, 250) == pytest.approx(-20, abs=0.3)


def test_silence_is_the_floor() -> None:
    loudness = Loudness(RATE)
    loudness.feed(bytes(2 * RATE))
    assert loudness.peak_dbfs(100, 200) == FLOOR_DBFS


def test_no_sound_yet_has_no_level() -> None:
    loudness = Loudness(RATE)
    loudness.feed(tone(100, -20))
    assert loudness.peak_dbfs(150, 250) is None
    assert Loudness(RATE).peak_dbfs(0, 100) is None


def test_pieces_of_any_length_are_one_sound() -> None:
    whole, pieces = Loudness(RATE), Loudness(RATE)
    pcm = tone(200, -30) + tone(100, -12) + bytes(4_000) + tone(150, -20)
    whole.feed(pcm)
    for begin in range(0, len(pcm), 334):
        pieces.feed(pcm[begin : begin + 334])
    assert len(whole) == len(pieces)
    assert whole.peak_dbfs(0, 400) == pieces.peak_dbfs(0, 400)
    assert whole.dip(150, 450) == pieces.dip(150, 450)


def test_a_closure_is_found_where_it_is() -> None:
    loudness = Loudness(RATE)
    loudness.feed(tone(200, -15) + tone(50, -60) + tone(150, -18))
    dip = loudness.dip(120, 330)
    assert dip is not None
    assert dip[0] == pytest.approx(200, abs=10)
    assert dip[1] == pytest.approx(250, abs=10)


def test_an_even_sound_has_no_closure() -> None:
    loudness = Loudness(RATE)
    loudness.feed(tone(200, -15) + tone(60, -20) + tone(150, -16))
    assert loudness.dip(120, 330) is None


def test_a_closure_beyond_the_sound_is_none() -> None:
    loudness = Loudness(RATE)
    loudness.feed(tone(100, -15))
    assert loudness.dip(400, 500) is None
    assert loudness.dip(-80, 4) is None
