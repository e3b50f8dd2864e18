"""Everything that moves besides the mouth, together."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from avatar.controls import CONTROLS, Control, Controls, at_rest, within_limits
from avatar.motion import Motion
from avatar.scene import Scene
from avatar.temper import Temper
from tests.unit.avatar.talk import SENTENCES, Call, said, sounds

_MOUTH: Final = (
    *range(Control.JAW_OPEN, Control.LOWER_LIP_DOWN + 1),
    Control.TONGUE_UP,
    Control.TONGUE_OUT,
)
_FASTEST_PER_S: Final = {
    Control.HEAD_YAW: 6.0,
    Control.HEAD_PITCH: 6.5,
    Control.HEAD_ROLL: 4.0,
    Control.HEAD_X: 2.0,
    Control.HEAD_Y: 3.5,
    Control.BREATH: 4.5,
    Control.SMILE_LEFT: 3.5,
    Control.CHEEK_RAISE_LEFT: 2.5,
    Control.FROWN_LEFT: 1.5,
    Control.BROW_INNER_UP: 5.0,
    Control.BROW_OUTER_UP_LEFT: 5.0,
    Control.BLINK_LEFT: 32.0,
    Control.EYE_WIDE_LEFT: 8.0,
    Control.GAZE_X: 40.0,
    Control.GAZE_Y: 25.0,
}
_HARDEST_PER_S2: Final = {
    Control.HEAD_YAW: 45.0,
    Control.HEAD_PITCH: 110.0,
    Control.HEAD_ROLL: 40.0,
    Control.BREATH: 60.0,
    Control.SMILE_LEFT: 80.0,
    Control.BROW_OUTER_UP_LEFT: 130.0,
}


def _at(motion: Motion, t_ms: float, scene: Scene) -> Controls:
    controls = at_rest()
    motion.add(controls, t_ms, scene)
    return controls


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_jumps_in_a_call_full_of_interruptions(seed: int) -> None:
    call, motion, step_ms = Call(seed), Motion(seed, Temper(liveliness=0.5 + 0.25 * (seed - 1))), 20
    rows = []
    for t_ms in range(0, 240_000, step_ms):
        call.tell(float(t_ms))
        rows.append(_at(motion, float(t_ms), call.scene))
    curves = np.array(rows, np.float64)
    assert np.isfinite(curves).all()
    assert (curves == within_limits(curves.astype(np.float32))).all()
    speed = np.abs(np.diff(curves, axis=0)).max(axis=0) * 1_000.0 / step_ms
    push = np.abs(np.diff(curves, 2, axis=0)).max(axis=0) * (1_000.0 / step_ms) ** 2
    for control, most in _FASTEST_PER_S.items():
        assert speed[control] < most, control.name
    for control, most in _HARDEST_PER_S2.items():
        assert push[control] < most, control.name


def test_a_frame_depends_on_nothing_but_what_was_told_and_its_time() -> None:
    call = Call(3)
    for t_ms in range(0, 20_000, 20):
        call.tell(float(t_ms))
    times = np.random.default_rng(1).permutation(np.arange(0.0, 20_000.0, 250.0)).tolist()
    motion, other = Motion(9), Motion(9)
    shuffled = {t_ms: _at(motion, t_ms, call.scene) for t_ms in times}
    assert all((_at(other, t_ms, call.scene) == shuffled[t_ms]).all() for t_ms in sorted(times))


@pytest.mark.parametrize("end", ["ge", "le"])
def test_the_calmest_and_the_liveliest_are_still_a_face(end: str) -> None:
    bounds = {
        name: getattr(bound, end)
        for name, field in Temper.model_fields.items()
        for bound in field.metadata
        if hasattr(bound, end)
    }
    call, motion = Call(5), Motion(5, Temper(**bounds))
    rows = []
    for t_ms in range(0, 40_000, 20):
        call.tell(float(t_ms))
        rows.append(_at(motion, float(t_ms), call.scene))
    curves = np.array(rows)
    assert np.isfinite(curves).all()
    assert (np.abs(np.diff(curves[:, Control.HEAD_YAW : Control.HEAD_Y + 1], axis=0)) < 0.2).all()
    assert np.ptp(curves[:, Control.HEAD_YAW]) > 0.05
    assert curves[:, Control.SMILE_LEFT].max() < 0.95


def test_every_seed_moves_otherwise() -> None:
    assert (_at(Motion(1), 5_000.0, Scene()) != _at(Motion(2), 5_000.0, Scene())).any()


def test_it_starts_long_ago_and_goes_on_for_days() -> None:
    motion, scene = Motion(1), Scene()
    for t_ms in (-1e6, 0.0, 1e9):
        assert np.ptp([_at(motion, t_ms + at, scene)[Control.HEAD_YAW] for at in range(0, 10_000, 500)]) > 0.01


def test_the_mouth_is_left_alone() -> None:
    scene = Scene()
    scene.phrase(1, 0.0, said(SENTENCES))
    for t_ms in range(0, 10_000, 100):
        controls = at_rest()
        controls[list(_MOUTH)] = 0.25
        Motion(1).add(controls, float(t_ms), scene)
        assert (controls[list(_MOUTH)] == 0.25).all()


def test_what_is_beyond_the_limits_is_brought_back() -> None:
    controls = np.full(CONTROLS, 5.0, np.float32)
    Motion(1).add(controls, 1_000.0, Scene())
    assert controls.max() == 1.0


def test_the_eyes_stay_on_the_viewer_while_the_head_nods() -> None:
    scene, motion = Scene(), Motion(4, Temper(eye_contact=0.95))
    scene.phrase(1, 0.0, said(SENTENCES))
    looks, heads = [], []
    for t_ms in range(0, 10_000, 40):
        controls = _at(motion, float(t_ms), scene)
        looks.append(20.0 * controls[Control.GAZE_Y] + 10.0 * controls[Control.HEAD_PITCH])
        heads.append(10.0 * controls[Control.HEAD_PITCH])
    assert np.ptp(heads) > 3.0
    assert np.percentile(np.abs(looks), 90) < 2.3


def test_the_lids_go_down_with_the_eyes() -> None:
    values = [0.0] * CONTROLS
    Motion._lids(values, -0.6, 0.0)
    assert 0.15 < values[Control.BLINK_LEFT] < 0.35
    Motion._lids(values, 0.0, 0.0)
    assert values[Control.BLINK_LEFT] < 0.02
    Motion._lids(values, -0.6, 1.0)
    assert values[Control.BLINK_LEFT] == 1.0


def test_who_speaks_on_the_right_of_the_screen_turns_the_head_there() -> None:
    scene, motion = Scene(), Motion(1)
    sounds(scene, 1_000, 5_000, bearing=1.0)
    # The twin's right is the viewer's left.
    assert _at(motion, 4_000.0, scene)[Control.HEAD_YAW] < -0.3
