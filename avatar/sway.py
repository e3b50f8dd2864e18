"""How head, brows and chest move with what is said, and when nothing is.

The head never rests: slow noise, a new posture now and then, and in speech a faster noise, a pose for each clause
and a nod on stressed words. All in units of the controls.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from avatar.controls import Control
from avatar.noise import Schedule, Waves, between, chance, ease, swell
from avatar.scene import Clause, Moment
from avatar.temper import Temper

_SLOW_HZ: Final = (0.04, 0.28)
_QUICK_HZ: Final = (0.25, 0.95)
_POSTURE_MS: Final = 1_600.0
_INHALE_MS: Final = 450.0


class Pose(NamedTuple):
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0


class Sway:
    def __init__(self, seed: int, temper: Temper) -> None:
        self._seed = seed
        self._live = 0.2 + 1.6 * temper.liveliness
        self._slow = Waves(seed, 61, (_SLOW_HZ,) * 5)
        self._quick = Waves(seed, 63, (_QUICK_HZ,) * 4)
        self._uneven = Waves(seed, 65, ((0.008, 0.04),))
        self._brows = Waves(seed, 67, ((0.05, 0.4), (0.05, 0.4)))
        self._postures = Schedule(seed, 69, mean_ms=11_000, spread=0.45, least_ms=5_000, most_ms=20_000)
        self._breaths_per_ms = temper.breaths_per_min / 60_000.0

    def head(self, moment: Moment) -> Pose:
        """The head without what gaze and listening add."""
        slow, quick = self._slow.at(moment.t_ms), self._quick.at(moment.t_ms)
        talk = moment.speaking
        yaw = 0.26 * slow[0] + 0.3 * talk * quick[0]
        pitch = 0.26 * slow[1] + 0.24 * talk * quick[1]
        roll = 0.26 * slow[2] + 0.26 * talk * quick[2]
        x = 0.22 * slow[3] + 0.12 * talk * quick[3]
        y = 0.12 * slow[4]
        before_ms, since_ms, _ = self._postures.around(moment.t_ms)
        done = ease((moment.t_ms - since_ms) / _POSTURE_MS)
        for at_ms, share in ((before_ms, 1.0 - done), (since_ms, done)):
            yaw += share * between(-0.14, 0.14, self._postures.draw(at_ms, 0))
            roll += share * between(-0.16, 0.16, self._postures.draw(at_ms, 1))
            x += share * between(-0.2, 0.2, self._postures.draw(at_ms, 2))
        for clause in moment.clauses:
            here = self._clause(clause, moment.t_ms)
            yaw, pitch, roll = yaw + here.yaw, pitch + here.pitch, roll + here.roll
        live = self._live
        return Pose(live * yaw, live * pitch, live * roll, live * x, live * y)

    def breath(self, moment: Moment) -> float:
        """In faster than out; a deeper one before a phrase, let out slowly while it is said."""
        t_ms = moment.t_ms
        phase = 2.0 * math.pi * self._breaths_per_ms * t_ms + 0.9 * self._uneven.at(t_ms)[0]
        out = 1.0 - 0.75 * (0.5 - 0.5 * math.cos(phase - 0.45 * math.cos(phase))) * (1.0 - 0.6 * moment.speaking)
        for clause in moment.clauses:
            in_ms = max(clause.told_ms, clause.start_ms - _INHALE_MS)
            if clause.breath and in_ms < clause.cut_ms:
                slowly_ms = min(max(clause.end_ms - clause.start_ms, 2_500.0), 5_500.0)
                out *= 1.0 - 0.6 * swell(t_ms - in_ms, _INHALE_MS, slowly_ms)
        return 1.0 - out

    def add(self, values: list[float], moment: Moment) -> None:
        """Brows: never quite still, up on stressed words, up through the end of a question."""
        t_ms = moment.t_ms
        left, right = self._brows.at(t_ms)
        lift = inner = 0.0
        for clause in moment.clauses:
            kept = clause.kept(t_ms)
            if kept == 0.0:
                continue
            for beat in clause.beats:
                if -100.0 < t_ms - beat.t_ms < 900.0:
                    high = 0.34 * beat.strength * self._chance(71, beat.t_ms)
                    lift += kept * high * swell(self._since(beat.t_ms, clause, t_ms), 170.0, 520.0, 60.0)
            if clause.question:
                rises_ms = max(clause.start_ms, clause.end_ms - 900.0)
                asked = kept * swell(t_ms - rises_ms, 400.0, 800.0, clause.end_ms - rises_ms - 150.0)
                lift += 0.32 * asked
                inner += 0.12 * asked
        rest = 0.05
        values[Control.BROW_INNER_UP] += self._live * (rest + 0.05 * (left + right) + 0.75 * lift + inner)
        values[Control.BROW_OUTER_UP_LEFT] += self._live * (rest + rest * left + lift)
        values[Control.BROW_OUTER_UP_RIGHT] += self._live * (rest + rest * right + lift)

    def _clause(self, clause: Clause, t_ms: float) -> Pose:
        if clause.start_ms - 100.0 >= t_ms:
            return Pose()
        over_ms = clause.end_ms
        ends_ms = max(over_ms - 350.0, clause.start_ms)
        kept = clause.kept(t_ms)
        here = kept * ease((t_ms - clause.start_ms) / 650.0) * (1.0 - ease((t_ms - over_ms) / 850.0))
        yaw = here * between(-0.26, 0.26, self._chance(72, clause.start_ms))
        roll = here * between(-0.22, 0.22, self._chance(73, clause.start_ms))
        pitch = here * between(-0.02, 0.14, self._chance(74, clause.start_ms))
        # The head comes down on the last words of a statement, and up on those of a question.
        pitch += kept * (0.16 if clause.question else -0.14) * swell(t_ms - ends_ms, 450.0, 900.0)
        for beat in clause.beats:
            if -100.0 < t_ms - beat.t_ms < 800.0:
                nod = kept * beat.strength * swell(self._since(beat.t_ms, clause, t_ms), 180.0, 420.0)
                pitch -= nod * between(0.16, 0.36, self._chance(75, beat.t_ms))
                yaw += nod * between(-0.12, 0.12, self._chance(76, beat.t_ms))
        return Pose(yaw, pitch, roll)

    @staticmethod
    def _since(beat_ms: float, clause: Clause, t_ms: float) -> float:
        """The movement starts a little ahead of the word, but not before the word was known."""
        return t_ms - max(beat_ms - 80.0, clause.told_ms)

    def _chance(self, what: int, at_ms: float) -> float:
        return chance(self._seed, what, round(at_ms * 16.0))
