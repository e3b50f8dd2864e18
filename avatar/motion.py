"""Everything of a face that moves besides the mouth."""

from __future__ import annotations

import math

import numpy as np

from avatar.blink import LASTS_MS, Blinks
from avatar.controls import CONTROLS, Control, Controls, within_limits
from avatar.gaze import Gaze, Step, large_shifts
from avatar.listening import Listening
from avatar.mood import Mood
from avatar.scene import Scene
from avatar.sway import Sway
from avatar.temper import Temper

_GAZE_DEG = (25.0, 20.0)
_HEAD_DEG = (12.0, 10.0)
"""What 1 means for gaze and head, horizontally and vertically (`Control`)."""
_NECK = 0.45
"""HEAD_Y for HEAD_PITCH: the head turns about the neck, so what nods also goes down."""


class Motion:
    """A function of the seed, the time and what the scene was told; nothing is carried from frame to frame."""

    def __init__(self, seed: int, temper: Temper | None = None) -> None:
        temper = temper or Temper()
        self._blinks = Blinks(seed, temper)
        self._gaze = Gaze(seed, temper)
        self._sway = Sway(seed, temper)
        self._mood = Mood(seed, temper)
        self._listening = Listening(seed, temper)

    def add(self, controls: Controls, t_ms: float, scene: Scene) -> None:
        """Add to the mouth's controls all others for `t_ms`, in place, and bring all into their limits."""
        moment = scene.moment(t_ms)
        values = [0.0] * CONTROLS
        mouth = max(controls[Control.LIPS_PUCKER].item(), controls[Control.LIPS_FUNNEL].item())
        self._mood.add(values, min(mouth, 1.0), moment)
        self._sway.add(values, moment)
        self._listening.add(values, moment)

        attention = self._gaze.attention(moment)
        aversions = self._gaze.aversions(scene, moment)
        head_x, head_y = self._gaze.head(attention, aversions, t_ms)
        head = self._sway.head(moment)
        breath = self._sway.breath(moment)
        yaw = _soft(head.yaw + head_x / _HEAD_DEG[0])
        pitch = _soft(head.pitch + head_y / _HEAD_DEG[1] + self._listening.pitch(moment) + 0.03 * breath)
        values[Control.HEAD_YAW] = yaw
        values[Control.HEAD_PITCH] = pitch
        values[Control.HEAD_ROLL] = _soft(head.roll + self._listening.roll(moment))
        values[Control.HEAD_X] = _soft(head.x)
        values[Control.HEAD_Y] = _soft(head.y + 0.06 * breath + _NECK * pitch)
        values[Control.BREATH] = breath

        # The eyes stay on what they look at while the head moves under them.
        x_deg, y_deg = self._gaze.eyes(attention, aversions, t_ms)
        x = _soft((x_deg - _HEAD_DEG[0] * yaw) / _GAZE_DEG[0])
        y = _soft((y_deg - _HEAD_DEG[1] * pitch) / _GAZE_DEG[1])
        values[Control.GAZE_X] = x
        values[Control.GAZE_Y] = y
        self._lids(values, y, self._blinks.closed(scene, moment, self._shifts(attention, aversions, t_ms)))
        controls += np.array(values, np.float32)
        within_limits(controls)

    @staticmethod
    def _shifts(attention: list[Step], aversions: list[Step], t_ms: float) -> list[float]:
        since_ms = t_ms - LASTS_MS - 1_300.0
        return large_shifts(attention, since_ms, t_ms) + large_shifts(aversions, since_ms, t_ms)

    @staticmethod
    def _lids(values: list[float], gaze_y: float, closed: float) -> None:
        """The lids go with the eyes: a third down at the lowest, and a little wider upwards."""
        down = 0.5 * (math.hypot(gaze_y, 0.05) - gaze_y) - 0.025
        down = max(down, 0.0)
        for blink, wide in (
            (Control.BLINK_LEFT, Control.EYE_WIDE_LEFT),
            (Control.BLINK_RIGHT, Control.EYE_WIDE_RIGHT),
        ):
            values[blink] = closed + (1.0 - closed) * min(0.42 * down, 0.4)
            values[wide] = (values[wide] + 0.3 * max(gaze_y + down, 0.0)) * (1.0 - closed)


def _soft(value: float) -> float:
    """Towards +-1 without ever hitting it, so that even the limit is smooth."""
    return value / math.sqrt(math.sqrt(1.0 + value * value * value * value))
