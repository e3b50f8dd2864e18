"""What a good listener does."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from avatar.controls import CONTROLS, Control
from avatar.floor import Floor
from avatar.listening import Listening
from avatar.scene import Scene
from avatar.temper import Temper
from tests.unit.avatar.talk import SENTENCES, monologue, said, silence, sounds

Floats = npt.NDArray[np.floating[Any]]


def _pitch(listening: Listening, scene: Scene, start_ms: float, end_ms: float) -> Floats:
    times = np.arange(start_ms, end_ms, 20.0).tolist()
    return np.array([listening.pitch(scene.moment(t_ms)) for t_ms in times])


def _nods(pitch: Floats) -> Floats:
    """When each nod begins, in milliseconds from the first value."""
    down = pitch < -0.02
    starts = np.flatnonzero(down[1:] & ~down[:-1]) * 20.0
    return starts[np.diff(starts, prepend=-9_999.0) > 1_600.0]


def test_nods_come_soon_after_pauses_but_not_after_each() -> None:
    late: list[float] = []
    for seed in range(6):
        scene = Scene()
        monologue(scene, 0, 80_000)
        nods = _nods(_pitch(Listening(seed, Temper()), scene, 0.0, 80_000.0))
        assert 3 <= len(nods) <= 11
        late += [(at - 3_480.0) % 4_000.0 for at in nods]
        assert len(set(np.diff(nods).round(-2))) > 1
    assert min(late) >= 200.0
    assert max(late) <= 950.0
    assert np.std(late) > 90.0


def test_never_more_than_eight_nods_a_minute() -> None:
    floor, listening, times = Floor(), Listening(1, Temper(nods=1.0)), set[float]()
    for t_ms in range(0, 900_000, 20):
        floor.other(t_ms, "a", -22.0 if t_ms % 2_500 < 2_100 else -70.0, t_ms % 2_500 < 2_100, 0.0)
        if t_ms % 10_000 == 0:
            times |= {at for cue in floor.cues if (at := listening.nod_at(cue)) is not None}
    nods = np.array(sorted(times))
    assert len(nods) > 60
    assert max(((nods >= at) & (nods < at + 60_000.0)).sum() for at in nods) <= 9
    assert len(nods) / 15 <= 8


def test_a_nod_never_begins_before_its_pause_is_known() -> None:
    scene, listening = Scene(), Listening(3, Temper(nods=1.0))
    sounds(scene, 0, 3_000)
    silence(scene, 3_000, 3_400)
    cue = scene.moment(3_500.0).cues[0]
    at = listening.nod_at(cue)
    assert at is not None
    assert cue.told_ms <= at <= cue.pause_ms + 800.0
    assert not _nods(_pitch(listening, scene, 0.0, at)).size


def test_the_twin_hardly_nods_at_others_while_it_speaks() -> None:
    scene = Scene()
    scene.phrase(1, 0.0, said(SENTENCES))
    monologue(scene, 0, 12_000)
    alone = Scene()
    monologue(alone, 0, 12_000)
    listening = Listening(2, Temper(nods=1.0))
    assert _pitch(listening, alone, 0.0, 12_000.0).min() < -0.2
    assert _pitch(listening, scene, 0.0, 12_000.0).min() > -0.15


def test_brows_rise_a_little_when_somebody_begins_and_settle() -> None:
    scene, listening = Scene(), Listening(2, Temper())
    sounds(scene, 1_000, 6_000)
    rows = []
    for t_ms in range(0, 12_000, 40):
        values = [0.0] * CONTROLS
        listening.add(values, scene.moment(float(t_ms)))
        rows.append(values)
    brow = np.array(rows)[:, Control.BROW_OUTER_UP_LEFT]
    assert brow[: 1_120 // 40].max() == 0.0
    assert 0.1 < brow.max() < 0.45
    assert brow[-1] == 0.0
    assert brow[4_500 // 40] == 0.0


def test_in_silence_a_listener_does_nothing() -> None:
    scene, listening = Scene(), Listening(2, Temper())
    silence(scene, 0, 5_000)
    values = [0.0] * CONTROLS
    listening.add(values, scene.moment(4_000.0))
    assert not any(values)
    assert listening.pitch(scene.moment(4_000.0)) == listening.roll(scene.moment(4_000.0)) == 0.0


def test_the_head_tilts_for_a_turn_and_comes_back() -> None:
    scene = Scene()
    sounds(scene, 0, 4_000)
    tilts = [abs(Listening(seed, Temper()).roll(scene.moment(4_000.0))) for seed in range(10)]
    assert max(tilts) > 0.1
    assert all(Listening(seed, Temper()).roll(scene.moment(7_000.0)) == 0.0 for seed in range(10))
