"""The controls' ranges."""

from __future__ import annotations

import numpy as np

from avatar.controls import CONTROLS, RIGID, SIGNED, Control, at_rest, within_limits


def test_a_face_at_rest_is_told_nothing() -> None:
    rest = at_rest()
    assert rest.shape == (CONTROLS,)
    assert rest.dtype == np.float32
    assert not rest.any()
    assert at_rest() is not rest


def test_values_are_brought_into_range_in_place() -> None:
    low, high = np.full(CONTROLS, -9, np.float32), np.full(CONTROLS, 9, np.float32)
    assert within_limits(low) is low
    for control in Control:
        assert low[control] == (-1 if control in SIGNED else 0)
        assert within_limits(high)[control] == 1


def test_gaze_and_head_go_both_ways_and_breath_does_not() -> None:
    assert {Control.GAZE_X, Control.HEAD_YAW, Control.HEAD_Y} <= SIGNED
    assert Control.BREATH not in SIGNED
    assert Control.JAW_OPEN not in SIGNED
    assert set(RIGID) - SIGNED == {Control.BREATH}
