"""Blinks: when, and how the lids go.

Base rate and gaps are a person's (log-normal, 10 to 20 a minute, fewer while listening); on top come blinks with
large shifts of gaze, at the ends of clauses and when somebody else has finished. Of those that would crowd, one is
kept.
"""

from __future__ import annotations

from typing import Final

from avatar.gaze import DECIDED_MS
from avatar.noise import Schedule, between, chance, ease
from avatar.scene import Mode, Moment, Scene
from avatar.temper import Temper

_EXTRA: Final = 1.5
"""How much rarer the base is than the wanted rate, because of the other blinks."""
_KEPT: Final = {Mode.SPEAKING: 1.0, Mode.LISTENING: 0.62, Mode.IDLE: 0.85}
_WITH_SHIFT: Final = 0.22
_AFTER_CLAUSE: Final = 0.22
_AFTER_TURN: Final = 0.4
_DOUBLE: Final = 0.17
_DOUBLE_AFTER_MS: Final = 340.0
_APART_MS: Final = 900.0
_STARE_MS: Final = 10_000.0
"""Eyes that stay open longer stare."""
LASTS_MS: Final = 270.0
"""The longest blink."""


class Blinks:
    def __init__(self, seed: int, temper: Temper) -> None:
        self._seed = seed
        mean_ms = min(60_000.0 / temper.blinks_per_min * _EXTRA, 14_000.0)
        most_ms = min(max(_STARE_MS, 1.8 * mean_ms), 20_000.0)
        self._base = Schedule(seed, 31, mean_ms=mean_ms, spread=0.6, least_ms=950.0, most_ms=most_ms)

    def starts(self, scene: Scene, moment: Moment, shifts: list[float], start_ms: float) -> list[float]:
        """All blinks that begin from `start_ms` until now. `shifts`: large shifts of gaze since
        `start_ms` - 1.3 s.
        """
        now_ms = moment.t_ms
        base = self._base.between(start_ms - 1_500.0, now_ms + _APART_MS)
        found = [at for at in base if start_ms - _DOUBLE_AFTER_MS <= at < now_ms and self._kept(scene, at)]
        found += [at + _DOUBLE_AFTER_MS for at in found if self._chance(37, at) < _DOUBLE]
        taken = base + [at + _DOUBLE_AFTER_MS for at in base]
        shifts = [at for at in shifts if self._chance(32, at) < _WITH_SHIFT]
        ends = [
            clause.over_ms + between(60.0, 320.0, self._chance(33, clause.start_ms))
            for clause in moment.clauses
            if self._chance(34, clause.start_ms) < _AFTER_CLAUSE
        ]
        ends += [
            turn.end_ms + between(60.0, 300.0, self._chance(35, turn.start_ms))
            for turn in moment.turns
            if self._chance(36, turn.start_ms) < _AFTER_TURN
        ]
        more = sorted(at for at in shifts + ends if at < now_ms)
        for index, at in enumerate(more):
            # Only an earlier one may take its place: a later one is not known yet when this one begins.
            crowded = index > 0 and at - more[index - 1] < _APART_MS
            if at >= start_ms and not crowded and not any(abs(at - other) < _APART_MS for other in taken):
                found.append(at)
        return sorted(found)

    def closed(self, scene: Scene, moment: Moment, shifts: list[float]) -> float:
        """How far the lids are down, from 0 to 1."""
        open_ = 1.0
        for start_ms in self.starts(scene, moment, shifts, moment.t_ms - LASTS_MS):
            if start_ms < moment.t_ms:
                open_ *= 1.0 - self._lid(moment.t_ms - start_ms, start_ms)
        return 1.0 - open_

    def _lid(self, since_ms: float, start_ms: float) -> float:
        """Down in 60 to 80 ms, and up again more slowly; with what the ramps add it is shut for as long as a frame
        at 25 fps lasts, so that one or two show it."""
        down_ms = between(60.0, 80.0, self._chance(38, start_ms))
        shut_ms = between(14.0, 20.0, self._chance(39, start_ms))
        up_ms = between(130.0, 170.0, self._chance(40, start_ms))
        return ease(since_ms / down_ms) * (1.0 - ease((since_ms - down_ms - shut_ms) / up_ms))

    def _kept(self, scene: Scene, at_ms: float) -> bool:
        return self._chance(30, at_ms) < _KEPT[scene.mode(at_ms - DECIDED_MS)]

    def _chance(self, what: int, at_ms: float) -> float:
        return chance(self._seed, what, round(at_ms * 16.0))
