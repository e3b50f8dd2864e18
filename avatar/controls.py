"""What a face can be told: a fixed list of controls, and their values for one frame.

`left` and `right` are the twin's own. A value of 0 is at rest: mouth closed, eyes open, looking at the viewer.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Controls: TypeAlias = npt.NDArray[np.float32]
"""Shape (CONTROLS,): one value for each `Control`, for one frame."""


class Control(IntEnum):
    """From 0 to 1 unless its line says otherwise; the number is the index into `Controls`."""

    JAW_OPEN = 0
    LIPS_PUCKER = 1
    """Narrow and forward, as in "oo"."""
    LIPS_FUNNEL = 2
    """Round and open, as in "oh" and "sh"."""
    LIPS_WIDE = 3
    """Corners apart, as in "ee"."""
    LIPS_PRESS = 4
    """Pressed together and a little rolled in, as in p, b, m."""
    LIP_TUCK = 5
    """The lower lip under the upper teeth, as in f, v."""
    UPPER_LIP_UP = 6
    LOWER_LIP_DOWN = 7
    SMILE_LEFT = 8
    SMILE_RIGHT = 9
    FROWN_LEFT = 10
    """Corner of the mouth down."""
    FROWN_RIGHT = 11
    TONGUE_UP = 12
    """The tip behind the upper teeth, as in l, n, t, d."""
    TONGUE_OUT = 13
    """The tip between the teeth, as in th."""
    CHEEK_RAISE_LEFT = 14
    """And the lower lid with it: the eyes' part of a smile."""
    CHEEK_RAISE_RIGHT = 15
    BLINK_LEFT = 16
    BLINK_RIGHT = 17
    EYE_WIDE_LEFT = 18
    EYE_WIDE_RIGHT = 19
    BROW_INNER_UP = 20
    BROW_OUTER_UP_LEFT = 21
    BROW_OUTER_UP_RIGHT = 22
    BROW_DOWN_LEFT = 23
    BROW_DOWN_RIGHT = 24
    GAZE_X = 25
    """-1 to 1, towards the viewer's right; 1 is 25 degrees. Relative to the head."""
    GAZE_Y = 26
    """-1 to 1, up; 1 is 20 degrees."""
    HEAD_YAW = 27
    """-1 to 1, towards the viewer's right; 1 is 12 degrees."""
    HEAD_PITCH = 28
    """-1 to 1, up; 1 is 10 degrees."""
    HEAD_ROLL = 29
    """-1 to 1, clockwise for the viewer; 1 is 8 degrees."""
    HEAD_X = 30
    """-1 to 1, to the viewer's right; 1 is a tenth of the width of the face."""
    HEAD_Y = 31
    """-1 to 1, up; 1 is a tenth of the width of the face."""
    BREATH = 32
    """0 breathed out, 1 breathed in: chest and shoulders."""


CONTROLS: Final = len(Control)

RIGID: Final = (
    Control.HEAD_YAW,
    Control.HEAD_PITCH,
    Control.HEAD_ROLL,
    Control.HEAD_X,
    Control.HEAD_Y,
    Control.BREATH,
)
"""Those that move the head or the body as a whole; all others move parts of the face."""

SIGNED: Final = frozenset({Control.GAZE_X, Control.GAZE_Y, *RIGID} - {Control.BREATH})
"""Those that go from -1 to 1."""


def at_rest() -> Controls:
    """A new vector of zeros."""
    return np.zeros(CONTROLS, np.float32)


def within_limits(controls: Controls) -> Controls:
    """The same vector, each value brought into its range in place."""
    np.clip(controls, _LOW, 1.0, out=controls)
    return controls


_LOW: Final = np.array([-1.0 if control in SIGNED else 0.0 for control in Control], np.float32)
