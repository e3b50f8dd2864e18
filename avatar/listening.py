"""What a good listener does while others speak: nods where they pause, brows that answer, a tilted head.

A backchannel comes 0.2 to 0.8 s after a pause begins, not at every pause, and never often: `avatar/floor.py` keeps
the places apart, chance leaves some out.
"""

from __future__ import annotations

from typing import Final

from avatar.controls import Control
from avatar.floor import Cue
from avatar.noise import between, chance, ease, swell
from avatar.scene import Moment
from avatar.temper import Temper

_SECOND: Final = 0.6
"""How deep each nod of a row is compared with the one before."""


class Listening:
    def __init__(self, seed: int, temper: Temper) -> None:
        self._seed = seed
        self._nods = temper.nods
        self._live = 0.4 + 1.2 * temper.liveliness

    def nod_at(self, cue: Cue) -> float | None:
        """When the nod for this cue begins; None when it is left out."""
        if self._chance(51, cue.pause_ms) >= self._nods:
            return None
        return max(cue.told_ms, cue.pause_ms + between(220.0, 780.0, self._chance(52, cue.pause_ms)))

    def pitch(self, moment: Moment) -> float:
        """Nods, in units of HEAD_PITCH."""
        down = 0.0
        for cue in moment.cues:
            start_ms = self.nod_at(cue)
            if start_ms is None or not 0.0 < moment.t_ms - start_ms < 2_500.0:
                continue
            bobs = 1 + int(self._chance(53, cue.pause_ms) * 2.6)
            period_ms = between(460.0, 620.0, self._chance(54, cue.pause_ms))
            depth = between(0.3, 0.5, self._chance(55, cue.pause_ms))
            for bob in range(bobs):
                down += depth * swell(moment.t_ms - start_ms - bob * period_ms, 0.42 * period_ms, 0.62 * period_ms)
                depth *= _SECOND
        return -self._live * down * (1.0 - 0.8 * moment.speaking)

    def roll(self, moment: Moment) -> float:
        """Each turn has its own small tilt, in units of HEAD_ROLL."""
        tilt = 0.0
        for turn in moment.turns:
            here = ease((moment.t_ms - turn.start_ms - 500.0) / 1_500.0)
            here *= 1.0 - ease((moment.t_ms - turn.end_ms) / 1_200.0)
            tilt += here * between(-0.3, 0.3, self._chance(56, turn.start_ms))
        return self._live * tilt

    def add(self, values: list[float], moment: Moment) -> None:
        """Brows when somebody begins or grows louder, and a small smile at a pause that got no nod."""
        lift = smile = 0.0
        for turn in moment.turns:
            if turn.goes_on and self._chance(58, turn.start_ms) > 0.35:
                continue
            high = between(0.12, 0.2 if turn.goes_on else 0.34, self._chance(57, turn.start_ms))
            lift += high * swell(moment.t_ms - turn.start_ms - 80.0, 260.0, 900.0, 350.0)
        for rise_ms in moment.rises:
            lift += 0.22 * swell(moment.t_ms - rise_ms - 120.0, 240.0, 700.0, 200.0)
        for cue in moment.cues:
            if self.nod_at(cue) is None:
                smile += 0.12 * swell(moment.t_ms - cue.told_ms - 150.0, 450.0, 900.0, 500.0)
        lift *= self._live * (1.0 - 0.5 * moment.speaking)
        values[Control.BROW_INNER_UP] += 0.8 * lift + 0.05 * moment.listening
        values[Control.BROW_OUTER_UP_LEFT] += lift
        values[Control.BROW_OUTER_UP_RIGHT] += lift
        values[Control.EYE_WIDE_LEFT] += 0.35 * lift
        values[Control.EYE_WIDE_RIGHT] += 0.35 * lift
        values[Control.SMILE_LEFT] += smile
        values[Control.SMILE_RIGHT] += smile

    def _chance(self, what: int, at_ms: float) -> float:
        return chance(self._seed, what, round(at_ms * 16.0))
