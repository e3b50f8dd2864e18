"""Blinks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from avatar.blink import LASTS_MS, Blinks
from avatar.scene import Scene
from avatar.temper import Temper
from tests.unit.avatar.talk import SENTENCES, monologue, said

_MINUTE_MS = 60_000.0


def _starts(scene: Scene, blinks: Blinks, minutes: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Asked piece by piece, as a call does."""
    found: set[float] = set()
    for t_ms in np.arange(0.0, minutes * _MINUTE_MS, 250.0).tolist():
        now = blinks.starts(scene, scene.moment(t_ms), [], t_ms - 250.0)
        found |= {at for at in now if at < t_ms}
    return np.array(sorted(found))


def test_rate_and_gaps_are_a_persons() -> None:
    starts = _starts(Scene(), Blinks(1, Temper()), 60)
    assert 9.0 <= len(starts) / 60 <= 16.0
    gaps = np.diff(starts)
    single = gaps[gaps > 400.0]
    assert 0.07 <= (gaps < 400.0).mean() <= 0.16
    assert np.median(single) < 0.95 * single.mean()
    assert 0.4 < single.std() / single.mean() < 1.2
    assert gaps.max() < 30_000.0


def test_a_speaker_blinks_more_than_a_listener() -> None:
    speaking, listening = Scene(), Scene()
    words = said(" ".join([SENTENCES] * 3))
    speaking.phrase(1, 0.0, words)
    monologue(listening, 0, 80_000)
    assert words[-1].end_ms > _MINUTE_MS
    spoken = np.mean([len(_starts(speaking, Blinks(seed, Temper()), 1)) for seed in range(8)])
    heard = np.mean([len(_starts(listening, Blinks(seed, Temper()), 1.3)) / 1.3 for seed in range(8)])
    assert 12.0 <= spoken <= 21.0
    assert 6.0 <= heard <= 13.0


def test_the_rate_is_the_one_set() -> None:
    few, many = (len(_starts(Scene(), Blinks(3, Temper(blinks_per_min=rate)), 20)) for rate in (6.0, 24.0))
    assert 2.5 * few < many


@pytest.mark.parametrize("seed", range(5))
def test_lids_shut_for_a_frame_and_open_more_slowly_than_they_close(seed: int) -> None:
    blinks, scene = Blinks(seed, Temper()), Scene()
    start_ms = next(a for a, b in pairwise(_starts(scene, blinks, 2)) if b - a > 1_000.0)
    times = np.arange(start_ms, start_ms + LASTS_MS + 10.0, 1.0)
    lids = np.array([blinks.closed(scene, scene.moment(float(t)), []) for t in times])
    shut = np.flatnonzero(lids > 0.98)
    assert 40 <= len(shut) <= 55
    assert 45 <= shut[0] <= 80
    assert 1.3 * shut[0] < len(lids[shut[-1] :].nonzero()[0])
    assert lids[-1] == lids[0] == 0.0


def test_a_viewer_sees_closed_eyes_in_one_frame_or_two() -> None:
    blinks, scene = Blinks(4, Temper()), Scene()
    for start_ms in (a for a, b in pairwise(_starts(scene, blinks, 5)) if b - a > 1_000.0):
        for phase_ms in (0.0, 13.0, 27.0):
            times = start_ms + phase_ms + 40.0 * np.arange(12)
            lids = np.array([blinks.closed(scene, scene.moment(float(t)), []) for t in times])
            if lids.argmax() < 8:
                assert 1 <= (lids > 0.95).sum() <= 2
                assert (lids > 0.75).sum() <= 3


def test_some_large_shifts_of_gaze_come_with_a_blink() -> None:
    blinks, scene = Blinks(1, Temper()), Scene()
    with_blink = 0
    for index in range(400):
        shift_ms = 5_000.0 * index + 77.0
        starts = blinks.starts(scene, scene.moment(shift_ms + 50.0), [shift_ms], shift_ms)
        with_blink += shift_ms in starts
    assert 0.1 <= with_blink / 400 <= 0.35


def test_no_crowd_of_blinks() -> None:
    blinks, scene = Blinks(6, Temper()), Scene()
    shifts = [1_000.0 * index for index in range(600)]
    found: set[float] = set()
    for t_ms in range(0, 600_000, 200):
        recent = [at for at in shifts if t_ms - 2_000.0 <= at < t_ms]
        found |= set(blinks.starts(scene, scene.moment(float(t_ms)), recent, t_ms - 200.0))
    gaps = np.diff(sorted(at for at in found if at < 599_000.0))
    assert gaps.min() >= 330.0
    assert ((gaps < 800.0).sum() / len(gaps)) < 0.2
