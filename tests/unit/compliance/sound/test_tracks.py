"""The two tracks on the outlet's clock."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from compliance.sound.aligner import WAIT_MS
from compliance.sound.tracks import CallerTrack, TwinTrack
from tests.unit.compliance.sound_helpers import Samples, click_places, clicks, tone

WAIT = WAIT_MS * 8


def ticks(samples: Samples, size: int) -> Iterator[tuple[int, Samples]]:
    for at in range(0, len(samples), size):
        yield at, samples[at : at + size]


def all_of(track: TwinTrack | CallerTrack, now: float) -> Samples:
    return np.concatenate([track.take(now), track.take(now, ending=True)])


def test_the_twin_is_kept_to_the_sample() -> None:
    track = TwinTrack(clock_hz=8_000, rate_hz=8_000, start=5_000)
    said = np.random.default_rng(2).integers(-9_000, 9_000, 16_000).astype(np.int16)
    for at, piece in ticks(said, 160):
        track.add(piece, 5_000 + at)
    assert np.array_equal(all_of(track, 16_000), said)


def test_what_left_before_the_recording_began_is_not_kept() -> None:
    track = TwinTrack(clock_hz=8_000, rate_hz=8_000, start=100)
    track.add(tone(160), 0)
    assert np.array_equal(all_of(track, 60), tone(160)[100:])


def test_a_hole_in_the_twins_track_is_silence_at_its_place() -> None:
    track = TwinTrack(clock_hz=8_000, rate_hz=8_000, start=0)
    track.add(tone(160), 0)
    track.add(tone(160), 480)
    kept = all_of(track, 640)
    assert np.array_equal(kept, np.concatenate([tone(160), np.zeros(320, np.int16), tone(160)]))


def test_at_48_khz_the_twin_keeps_its_places() -> None:
    track = TwinTrack(clock_hz=48_000, rate_hz=16_000, start=0)
    said = np.repeat(clicks(16_000 * 3, every=4_000), 3)
    for at, piece in ticks(said, 960):
        track.add(piece, at)
    kept = all_of(track, 48_000)
    assert len(kept) == 48_000
    places = click_places(kept)
    assert len(places) == 12
    assert max(abs(place - round(place / 4_000) * 4_000) for place in places) <= 1


def test_what_the_wire_threw_away_unheard_becomes_silence() -> None:
    track = TwinTrack(clock_hz=8_000, rate_hz=8_000, start=1_000)
    for at, piece in ticks(tone(4_000), 160):
        track.add(piece, 1_000 + at)
    before = track.take(4_000)
    assert len(before) == 4_000 - WAIT
    track.unheard(1_000 + 3_300, 1_000 + 3_900)
    kept = np.concatenate([before, track.take(4_000, ending=True)])
    assert not kept[3_300:3_900].any()
    assert np.array_equal(np.delete(kept, slice(3_300, 3_900)), np.delete(tone(4_000), slice(3_300, 3_900)))


def test_the_caller_is_laid_where_it_arrived_and_unchanged() -> None:
    track = CallerTrack(caller_hz=8_000, rate_hz=8_000)
    said = np.random.default_rng(3).integers(-9_000, 9_000, 8_000).astype(np.int16)
    for at, piece in ticks(said, 160):
        track.add(piece, 1_600 + at + 160)
    kept = all_of(track, 9_600)
    assert not kept[:1_600].any()
    assert np.array_equal(kept[1_600:], said)


def test_sound_from_before_the_recording_is_not_kept() -> None:
    track = CallerTrack(caller_hz=8_000, rate_hz=8_000)
    said = tone(3_200, hz=700)
    for at, piece in ticks(said, 160):
        track.add(piece, at + 60)
    kept = all_of(track, 3_100)
    assert np.array_equal(kept, said[100:])


def test_a_stall_does_not_move_the_caller() -> None:
    track = CallerTrack(caller_hz=8_000, rate_hz=8_000)
    said = clicks(80_000, every=4_000, start=0)
    for at, piece in ticks(said, 160):
        stalled = 24_000 <= at < 56_000
        track.add(piece, 56_000 if stalled else at + 160)
    assert click_places(all_of(track, 80_000)) == click_places(said)
    assert track.frames_lost == track.frames_cut == 0


def test_what_was_lost_is_silence_and_what_follows_is_in_its_place() -> None:
    track = CallerTrack(caller_hz=8_000, rate_hz=8_000)
    said = clicks(80_000, every=4_000)
    for at, piece in ticks(said, 160):
        if not 24_800 <= at < 30_400:
            track.add(piece, at + 160)
    places = click_places(all_of(track, 80_000))
    assert places == [place for place in click_places(said) if not 24_800 <= place < 30_400]
    assert track.frames_lost == 5_600


def test_after_the_outlet_stood_still_the_caller_catches_up_in_a_pause() -> None:
    track = CallerTrack(caller_hz=8_000, rate_hz=8_000)
    spoken = tone(16_000, hz=300)
    pause = np.zeros(24_000, np.int16)
    said = np.concatenate([spoken, pause, clicks(24_000, every=4_000, start=0)])
    now = 0
    for at, piece in ticks(said, 160):
        if not 12_000 <= at < 16_000:
            now += 160
        track.add(piece, now)
    kept = all_of(track, now)
    assert abs(track.frames_cut - 4_000) < 500, "the rest is mended by the pace"
    assert np.array_equal(kept[:9_000], spoken[:9_000])
    voiced = np.flatnonzero(np.abs(kept[:24_000]) > 4_000)[-1]
    assert abs(voiced - 16_000) < 100, "no word was cut"
    places = [place for place in click_places(kept) if place > 24_000]
    assert len(places) == 6
    assert max(abs(place - (36_000 + 4_000 * index)) for index, place in enumerate(places)) < 480


@pytest.mark.parametrize("ppm", [-200, 200])
def test_a_clock_that_runs_differently_does_not_drift_away(ppm: int) -> None:
    """Ten minutes of clicks, one every half second of true time, heard by a clock that is off."""
    track = CallerTrack(caller_hz=8_000, rate_hz=8_000)
    minutes = 10
    stream_per_s = 8_000 * (1 - ppm / 1e6)
    total = int(minutes * 60 * stream_per_s)
    said = np.zeros(total, np.int16)
    said[(np.arange(1, minutes * 120) * 0.5 * stream_per_s).astype(int)] = 20_000
    parts = []
    now = 0
    for at, piece in ticks(said, 160):
        now = int((at + len(piece)) / stream_per_s * 50) * 160
        track.add(piece, now)
        if at % 8_000 == 0:
            parts.append(track.take(now))
    kept = np.concatenate([*parts, track.take(now, ending=True)])
    errors = [abs(place - round(place / 4_000) * 4_000) for place in click_places(kept)]
    assert len(errors) == minutes * 120 - 1
    assert max(errors) <= 176, "22 ms: the grain of the clock"
    assert track.frames_lost == track.frames_cut == 0


def test_a_caller_at_another_rate_is_resampled() -> None:
    track = CallerTrack(caller_hz=8_000, rate_hz=16_000)
    said = clicks(40_000, every=4_000)
    for at, piece in ticks(said, 160):
        track.add(piece, 2 * (at + 160))
    places = click_places(all_of(track, 80_000))
    assert len(places) == 10
    spacing = np.diff(places)
    assert abs(spacing - 8_000).max() <= 4
