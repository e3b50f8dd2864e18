"""Where the eyes look."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from avatar.gaze import Gaze, Step, large_shifts
from avatar.scene import Scene
from avatar.temper import Temper
from tests.unit.avatar.talk import SENTENCES, monologue, said, sounds


def _looks(scene: Scene, start_ms: float, end_ms: float, step_ms: float = 40.0) -> npt.NDArray[np.float64]:
    """Columns: x and y of the eyes, x and y of the head, in degrees."""
    gaze, rows = Gaze(4, Temper()), []
    for t_ms in np.arange(start_ms, end_ms, step_ms).tolist():
        moment = scene.moment(t_ms)
        attention, aversions = gaze.attention(moment), gaze.aversions(scene, moment)
        rows.append((*gaze.eyes(attention, aversions, t_ms), *gaze.head(attention, aversions, t_ms)))
    return np.array(rows)


def _contact(looks: npt.NDArray[np.float64]) -> float:
    return float((np.hypot(looks[:, 0], looks[:, 1]) < 3.5).mean())


def test_a_listener_keeps_more_eye_contact_than_a_speaker() -> None:
    words, scene, looks = said(SENTENCES), Scene(), []
    for start_ms in np.arange(0.0, 400_000.0, words[-1].end_ms).tolist():
        scene.phrase(round(start_ms), start_ms, words)
        looks.append(_looks(scene, start_ms, start_ms + words[-1].end_ms, 100.0))
    listening = Scene()
    monologue(listening, 0, 80_000)
    assert 0.5 <= _contact(np.concatenate(looks)) <= 0.66
    assert 0.68 <= _contact(_looks(listening, 1_000.0, 80_000.0)) <= 0.9
    assert 0.6 <= _contact(_looks(Scene(), 0.0, 400_000.0, 100.0)) <= 0.82


def test_the_eyes_never_stand_still_for_long_and_never_wander() -> None:
    looks = _looks(Scene(), 0.0, 120_000.0)
    moved = np.abs(np.diff(looks[:, :2], axis=0)).max(axis=1) > 0.4
    assert np.diff(np.flatnonzero(moved)).max() * 40 < 4_000
    away = np.hypot(looks[:, 0], looks[:, 1]) > 4.0
    began = np.flatnonzero(away[1:] & ~away[:-1])
    assert 4 <= len(began) / 2 <= 12
    assert np.hypot(looks[:, 0], looks[:, 1]).max() < 14.0


def test_it_looks_at_whoever_speaks_eyes_first_and_head_after() -> None:
    scene = Scene()
    sounds(scene, 10_000, 13_000, "left", bearing=-1.0)
    sounds(scene, 13_000, 16_000, "right", bearing=1.0)
    looks = _looks(scene, 9_000.0, 16_000.0, 20.0)
    eyes, head = looks[:, 0], looks[:, 2]
    assert np.abs(head[:55]).max() < 3.0
    # On the twin's own left side, which is the viewer's right.
    assert np.median(eyes[100:200]) > 8.0
    assert np.median(head[100:200]) > 5.0
    assert np.median(eyes[-80:]) < -8.0
    there = int(np.argmax(eyes > 8.0)), int(np.argmax(head > 5.0))
    assert 1_100 + 180 <= there[0] * 20 <= 1_100 + 500
    assert 150 <= (there[1] - there[0]) * 20 <= 700


def test_it_comes_back_to_the_viewer_when_they_are_done() -> None:
    scene = Scene()
    sounds(scene, 1_000, 3_000, "a", bearing=0.8)
    assert np.abs(_looks(scene, 10_500.0, 12_000.0)[:, 2]).max() < 3.0


def test_a_saccade_is_fast_but_not_a_jump() -> None:
    eyes = _looks(Scene(), 0.0, 60_000.0, 2.0)[:, 0]
    speed_deg_per_s = np.abs(np.diff(eyes)) / 0.002
    assert 200.0 < speed_deg_per_s.max() < 700.0


def test_who_begins_to_speak_gets_the_eyes_back() -> None:
    gaze = Gaze(4, Temper(eye_contact=0.3))
    alone = next(
        step.t_ms
        for t_ms in range(20_000, 60_000, 500)
        for step in _aversions(gaze, Scene(), float(t_ms))
        if step.x_deg and 200.0 < t_ms - step.t_ms < 900.0
    )
    scene = Scene()
    sounds(scene, round(alone) + 100, round(alone) + 2_000, bearing=0.0)
    steps = _aversions(gaze, scene, alone + 1_900.0)
    back = next(step for step in steps if step.t_ms > alone)
    assert back.x_deg == 0.0
    assert back.t_ms <= alone + 100 + 140 + 260


def _aversions(gaze: Gaze, scene: Scene, t_ms: float) -> list[Step]:
    return gaze.aversions(scene, scene.moment(t_ms))


def test_large_shifts_are_told_from_small_ones() -> None:
    gaze, scene = Gaze(4, Temper()), Scene()
    sounds(scene, 1_000, 3_000, "a", bearing=1.0)
    sounds(scene, 3_000, 5_000, "b", bearing=0.9)
    shifts = large_shifts(gaze.attention(scene.moment(5_000.0)), 0.0, 5_000.0)
    assert len(shifts) == 1
    assert shifts[0] == pytest.approx(1_400.0, abs=150.0)
