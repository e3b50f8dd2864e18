"""Whether two microphones caught the same sound."""

from __future__ import annotations

import numpy as np
import pytest

from agent.meeting.hearing.sound import FLOOR_DBFS, is_same, loudness_dbfs, sameness
from tests.speech.make import TABLE
from tests.unit.agent.meeting.hearing.rooms import RATE_HZ, far, in_room, pcm, speech

NAMES = [name for name in TABLE if name != "mhm"]


def test_the_loudness_of_a_tone_is_what_it_is() -> None:
    tone = pcm(16_384 * np.sin(np.arange(RATE_HZ) * 0.3))
    assert loudness_dbfs(tone, RATE_HZ) == pytest.approx(-9.03, abs=0.2)
    assert loudness_dbfs(tone + bytes(len(tone)), RATE_HZ) == pytest.approx(-9.03, abs=0.2)
    assert loudness_dbfs(bytes(3_200), RATE_HZ) == FLOOR_DBFS
    assert loudness_dbfs(b"", RATE_HZ) == FLOOR_DBFS


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("long_s", [0.5, 1.0])
def test_one_mouth_in_two_microphones_of_a_room_is_one_sound(name: str, long_s: float) -> None:
    near = in_room(speech(name), seed=1)
    begin, length = int(0.3 * RATE_HZ), int(long_s * RATE_HZ)
    mine = far(in_room(speech(name), seed=2))[begin : begin + length]
    theirs = np.concatenate([np.zeros(RATE_HZ), near])[begin : begin + length + 2 * RATE_HZ]
    assert is_same(pcm(mine), pcm(theirs), RATE_HZ)


@pytest.mark.parametrize("long_s", [0.5, 1.0])
def test_two_mouths_are_two_sounds(long_s: float) -> None:
    begin, length = int(0.3 * RATE_HZ), int(long_s * RATE_HZ)
    found = [
        (one, other)
        for one in NAMES
        for other in NAMES
        if one != other and is_same(pcm(speech(one)[begin : begin + length]), pcm(speech(other)), RATE_HZ)
    ]
    assert found == []


def test_too_little_says_nothing() -> None:
    short = pcm(speech("ask_price")[8_000:12_000])
    assert sameness(short, short, RATE_HZ) == 0.0
    assert sameness(bytes(32_000), bytes(32_000), RATE_HZ) == 0.0
