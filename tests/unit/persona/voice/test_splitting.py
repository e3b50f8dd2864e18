"""Clips: trimmed, of one loudness, 3 to 12 seconds, cut at pauses."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from persona.voice.activity import activity
from persona.voice.quality import loudness_lufs
from persona.voice.sound import Sound
from persona.voice.splitting import (
    CLIP_HZ,
    LONGEST_S,
    LOUDNESS_LUFS,
    REFERENCE_S,
    SHORTEST_S,
    grouped,
    normalised,
    phrases,
    reference,
    split,
)
from tests.unit.persona.voice.voices import RATE_HZ, owner, part


def quiet(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE_HZ), np.float32)


def test_clips_have_the_length_and_rate_that_trainers_want() -> None:
    clips = split(owner())
    assert len(clips) >= 3
    assert all(SHORTEST_S <= clip.seconds <= LONGEST_S + 0.01 and clip.rate_hz == CLIP_HZ for clip in clips)


def test_nothing_that_was_said_is_lost_and_long_silence_is() -> None:
    parts = [owner().samples, quiet(20), owner().samples, quiet(20)]
    clips = split(Sound(np.concatenate(parts), RATE_HZ))
    spoken = 2 * activity(owner().samples).speech_s
    kept = sum(activity(clip.at(RATE_HZ).samples).speech_s for clip in clips)
    assert kept > 0.9 * spoken
    assert sum(clip.seconds for clip in clips) < 2 * owner().seconds + 2


def test_clips_are_cut_in_pauses() -> None:
    for clip in split(owner()):
        edge = int(0.02 * CLIP_HZ)
        loud = np.abs(clip.samples).max()
        assert np.abs(clip.samples[:edge]).max() < 0.1 * loud
        assert np.abs(clip.samples[-edge:]).max() < 0.1 * loud


def test_one_loudness_however_quiet_it_was_and_never_clipped() -> None:
    for gain in (0.02, 0.5, 1.0):
        loud = normalised(Sound(owner().samples * np.float32(gain), RATE_HZ))
        assert loudness_lufs(loud) == pytest.approx(LOUDNESS_LUFS, abs=0.2)
        assert np.abs(loud.samples).max() < 0.9
    crackle = np.array(owner().samples * np.float32(0.01))
    crackle[RATE_HZ] = 1.0
    assert np.abs(normalised(Sound(crackle, RATE_HZ)).samples).max() < 0.9


def test_speech_without_a_pause_is_cut_where_it_is_quietest() -> None:
    active = activity(owner().samples).active
    spoken = owner().samples[: len(active) * 160][np.repeat(active, 160)[: len(owner().samples)]]
    breathless = Sound(np.concatenate([spoken, quiet(1)]), RATE_HZ)
    spans = phrases(breathless, 5.0)
    assert len(spans) > 3
    assert all(0 < after - first <= 5.0 + 1e-6 for first, after in spans)
    assert all(one[1] <= other[0] + 1e-6 for one, other in pairwise(spans))


def test_phrases_are_put_together_and_short_rests_dropped() -> None:
    assert grouped([(0, 2), (3, 5), (6, 8)]) == [[(0, 2), (3, 5), (6, 8)]]
    assert grouped([(0, 9), (10, 12)]) == [[(0, 9), (10, 12)]]
    assert grouped([(0, 11), (12, 14)]) == [[(0, 11)]]
    assert grouped([(0, 2)]) == []
    assert grouped([]) == []


def test_the_reference_is_at_most_a_minute() -> None:
    clip = Sound(np.ones(9 * CLIP_HZ, np.float32), CLIP_HZ)
    assert reference([clip] * 20).seconds == 54.0 <= REFERENCE_S
    assert reference([clip]).seconds == 9.0
    assert reference([]).seconds == 0.0


def test_where_nobody_speaks_there_are_no_clips() -> None:
    assert split(Sound(quiet(10), RATE_HZ)) == ()
    assert split(part(owner(), 0, 1.5)) == ()
