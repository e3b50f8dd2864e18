"""What the mouth does at one moment, with the sounds around it: co-articulation as one formula, without a memory.

Each sound pulls the mouth towards its shape with a weight that rises before the sound and falls after it, and
as hard as it grips each part of the mouth; what the mouth does is the weighted mean (after Cohen and Massaro,
1993). Silence is a pull too, towards shut. Closures then have their way, whatever the mean is. All ramps are
smooth, of a length that keeps the jaw within what a jaw can do.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from avatar.gestures import BEGIN, CLOSURE, END, GAIN, KNOWN, OPENED, SHAPE, SHUT, UNTIL, Rows
from avatar.visemes import CLOSURE_FIRMNESS, CLOSURE_TARGETS, GRIPS, MOUTH, ROUNDING, TARGETS, Floats

LEAD_MS = 79.0
"""How far ahead of its sound a movement begins."""
LAG_MS = 81.0
"""How far after the end of its sound a movement is over."""
_RAMP_MS = 110.0
ROUNDING_LEAD_MS = 116.0
"""Lips round themselves early: in "stew" they are round before the s."""
_ROUNDING_RAMP_MS = 126.0
_CLOSING_MS = 46.0
_LEARNING_MS = 44.0
"""How fast a movement sets in that was not known in time, because the speech was not. It sets in at once: the next
frame has to show it."""
_LEARNING_CLOSURE_MS = 34.0
"""A closure must not come late."""
_SILENCE: Final = 0.5
"""The weight of silence where nothing else pulls."""

_IN_TIME = np.array([LEAD_MS, LAG_MS, ROUNDING_LEAD_MS, _CLOSING_MS, _CLOSING_MS, 0.0, 0.0, 0.0])[:, None]
_RAMPS = np.array(
    [
        *(_RAMP_MS, _RAMP_MS, _ROUNDING_RAMP_MS, _CLOSING_MS, _CLOSING_MS),
        *(_LEARNING_MS, _LEARNING_MS, _LEARNING_CLOSURE_MS),
    ]
)[:, None]
_BEGINS, _ENDS, _ROUNDS, _SHUTS, _OPENS, _KNOWN, _GONE, _KNOWN_SHUT = range(len(_RAMPS))
_NEGATED = (
    (_BEGINS, BEGIN), (_ROUNDS, BEGIN), (_SHUTS, SHUT), (_KNOWN, KNOWN), (_GONE, UNTIL), (_KNOWN_SHUT, KNOWN)
)  # fmt: skip
_EARLY = np.array([int(column in ROUNDING) for column in range(len(MOUTH))])
_JAW = 0


def smooth(steps: Rows) -> Rows:
    """From 0 to 1 without a corner, for steps from 0 to 1 and beyond; in place."""
    np.clip(steps, 0.0, 1.0, out=steps)
    steps *= steps * (3.0 - 2.0 * steps)
    return steps


def pose(rows: Rows) -> Floats | None:
    """The values of `MOUTH` at the moment 0, with `rows` as in `gestures`: all times in milliseconds from that
    moment, `KNOWN` and `UNTIL` too. None where nothing moves the mouth: it is shut."""
    if not len(rows):
        return None
    ramps = np.empty((len(_RAMPS), len(rows)))
    for ramp, column in _NEGATED:
        np.negative(rows[:, column], out=ramps[ramp])
    ramps[_ENDS] = rows[:, END]
    ramps[_OPENS] = rows[:, OPENED]
    ramps += _IN_TIME
    ramps /= _RAMPS
    late = np.clip(ramps[_KNOWN], 0.0, 1.0)
    smooth(ramps)
    ramps[_KNOWN] = late
    ramps[_ENDS] *= 1.0 - ramps[_GONE]
    weights = ramps[(_BEGINS, _ROUNDS), :] * (ramps[_ENDS] * ramps[_KNOWN])
    if not weights.any():
        return None
    shapes = rows[:, SHAPE].astype(np.intp)
    pulls = GRIPS[shapes] * weights[_EARLY].T
    targets = TARGETS[shapes]
    targets[:, _JAW] *= rows[:, GAIN]
    mouth = (pulls * targets).sum(0)
    mouth /= pulls.sum(0) + _SILENCE * max(0.0, 1.0 - float(weights[0].sum())) + 1e-9
    closures = rows[:, CLOSURE]
    if closures.max() >= 0:
        held = ramps[_SHUTS] * ramps[_OPENS] * ramps[_KNOWN_SHUT] * (1.0 - ramps[_GONE])
        lips = 1.0 - float(np.prod(1.0 - held[closures == 0]))
        teeth = (1.0 - float(np.prod(1.0 - held[closures == 1]))) * (1.0 - lips)
        for closure, share in ((1, teeth), (0, lips)):
            if share > 0.0:
                firm = share * CLOSURE_FIRMNESS[closure]
                mouth += firm * (CLOSURE_TARGETS[closure] - mouth)
    values: Floats = mouth.astype(np.float32)
    return values
