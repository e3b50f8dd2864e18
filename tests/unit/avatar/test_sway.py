"""Head, brows and chest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from avatar.controls import CONTROLS, Control
from avatar.scene import Scene
from avatar.sway import Sway
from avatar.temper import Temper
from avatar.timeline import Said
from tests.unit.avatar.talk import SENTENCES, said

Floats = npt.NDArray[np.float64]


def _heads(scene: Scene, start_ms: float, end_ms: float, temper: Temper | None = None) -> Floats:
    sway = Sway(5, temper or Temper())
    return np.array([sway.head(scene.moment(t)) for t in np.arange(start_ms, end_ms, 40.0).tolist()])


def _breaths(scene: Scene, start_ms: float, end_ms: float) -> Floats:
    sway = Sway(5, Temper())
    return np.array([sway.breath(scene.moment(t)) for t in np.arange(start_ms, end_ms, 40.0).tolist()])


def _brow(scene: Scene, start_ms: float, end_ms: float) -> Floats:
    sway, rows = Sway(5, Temper()), []
    for t_ms in np.arange(start_ms, end_ms, 40.0).tolist():
        values = [0.0] * CONTROLS
        sway.add(values, scene.moment(t_ms))
        rows.append(values[Control.BROW_OUTER_UP_LEFT])
    return np.array(rows)


def test_breathing_at_rest_is_calm_and_uneven() -> None:
    breath = _breaths(Scene(), 0.0, 600_000.0)
    ups = np.flatnonzero((breath[1:] > 0.35) & (breath[:-1] <= 0.35))
    assert 12 <= len(ups) / 10 <= 16
    assert np.diff(ups).std() * 40 > 60.0
    assert breath.min() >= 0.0
    assert breath.max() <= 0.95
    inward = (np.diff(breath) > 0).mean()
    assert 0.3 < inward < 0.48


def test_it_breathes_in_before_it_speaks_if_it_knows() -> None:
    scene = Scene()
    scene.phrase(1, 20_000.0, said(SENTENCES), told_ms=19_400.0)
    with_breath, without = _breaths(scene, 19_000.0, 20_400.0), _breaths(Scene(), 19_000.0, 20_400.0)
    assert (with_breath[:10] == without[:10]).all()
    assert with_breath[25] - without[25] > 0.2
    assert _breaths(scene, 20_000.0, 23_000.0).argmax() < 12


def test_the_head_is_never_still_and_never_far() -> None:
    heads = _heads(Scene(), 0.0, 300_000.0)
    for start in range(0, len(heads), 125):
        assert np.ptp(heads[start : start + 125, :3], axis=0).max() > 0.01
    assert np.abs(heads).max() < 0.8


def test_speech_moves_the_head_more() -> None:
    scene, words = Scene(), said(" ".join([SENTENCES] * 4))
    scene.phrase(1, 0.0, words)
    speaking = np.abs(np.diff(_heads(scene, 0.0, words[-1].end_ms), axis=0)).mean()
    assert speaking > 2.0 * np.abs(np.diff(_heads(Scene(), 0.0, words[-1].end_ms), axis=0)).mean()


def test_a_calm_temper_moves_less() -> None:
    scene = Scene()
    scene.phrase(1, 0.0, said(SENTENCES))
    calm, lively = (_heads(scene, 0.0, 20_000.0, Temper(liveliness=value)) for value in (0.0, 1.0))
    assert np.abs(calm).max() < 0.25 * np.abs(lively).max()


def test_a_stressed_word_is_nodded_and_the_head_settles_after() -> None:
    stressed, plain = Scene(), Scene()
    stressed.phrase(1, 5_000.0, [Said("is", 0.0, 900.0), Said("EXTRAORDINARY", 900.0, 1_800.0)])
    plain.phrase(1, 5_000.0, [Said("is", 0.0, 900.0), Said("a", 900.0, 1_800.0)])
    nod = _heads(stressed, 5_000.0, 9_000.0)[:, 1] - _heads(plain, 5_000.0, 9_000.0)[:, 1]
    assert nod.min() < -0.1
    assert 850 <= nod.argmin() * 40 <= 1_250
    assert np.abs(nod[50:]).max() < 0.01


def test_brows_rise_to_the_end_of_a_question() -> None:
    asked, stated = Scene(), Scene()
    asked.phrase(1, 0.0, said("Is it a go?"))
    stated.phrase(1, 0.0, said("Is it a go."))
    difference = _brow(asked, 0.0, 3_000.0) - _brow(stated, 0.0, 3_000.0)
    assert difference.max() > 0.15
    assert abs(difference[-1]) < 0.01


def test_what_is_silenced_moves_the_head_no_more() -> None:
    scene, idle = Scene(), Scene()
    scene.phrase(1, 0.0, said(SENTENCES))
    scene.silenced(3_000.0)
    assert np.abs(_heads(scene, 3_500.0, 8_000.0) - _heads(idle, 3_500.0, 8_000.0)).max() < 1e-9
