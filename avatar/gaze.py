"""Where the eyes look, and how much the head goes with them.

Three things add up: who has the attention, an aversion now and then, and small fixations about the other's face.
All are steps that the eye takes in a saccade (20 to 60 ms) and the head follows in half a second. Angles are in
degrees from the direction of the viewer, x towards the viewer's right, y up.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

from avatar.noise import Schedule, Waves, between, chance, ease
from avatar.scene import Mode, Moment, Scene
from avatar.temper import Temper

DECIDED_MS: Final = 250.0
"""What depends on who speaks goes by who spoke this long before, so that late news cannot change it midway."""
_SCREEN_DEG: Final = 14.0
"""To somebody at the edge of the screen."""
_HEAD_OF_ATTENTION: Final = 0.55
_HEAD_OF_AVERSION: Final = 0.28
_HEAD_MS: Final = 620.0
_HEAD_LATER_MS: Final = 80.0
_LARGE_DEG: Final = 5.0
_MORE_CONTACT: Final = {Mode.SPEAKING: 0.0, Mode.LISTENING: 0.2, Mode.IDLE: 0.12}
_LONGEST_MS: Final = 2_800.0
_SHORTEST_MS: Final = 250.0
_SELDOM: Final = 2.0
"""Who does not speak looks away half as often and twice as long: any more would look nervous."""


class Step(NamedTuple):
    """From `t_ms` on the eyes look at (x, y)."""

    t_ms: float
    x_deg: float
    y_deg: float


class Gaze:
    def __init__(self, seed: int, temper: Temper) -> None:
        self._seed = seed
        self._contact = temper.eye_contact
        self._side = 1.0 if chance(seed, 21) < 0.5 else -1.0
        self._cycles = Schedule(seed, 22, mean_ms=4_200, spread=0.4, least_ms=2_100, most_ms=8_000)
        self._fixations = Schedule(seed, 23, mean_ms=900, spread=0.5, least_ms=320, most_ms=2_400)
        self._drift = Waves(seed, 24, ((0.5, 3.0), (0.5, 3.0)))

    def attention(self, moment: Moment) -> list[Step]:
        """Towards whoever speaks a fifth of a second after they began, and back to the viewer some time after."""
        steps = [Step(float("-inf"), 0.0, 0.0)]
        for turn in reversed(moment.turns):
            key = round(turn.start_ms)
            looks_ms = turn.start_ms + between(180.0, 340.0, chance(self._seed, 25, key))
            while steps[-1].t_ms > looks_ms:
                steps.pop()
            steps.append(Step(looks_ms, -_SCREEN_DEG * turn.bearing, 0.0))
            steps.append(Step(turn.end_ms + between(2_000.0, 5_500.0, chance(self._seed, 26, key)), 0.0, 0.0))
        return steps

    def aversions(self, scene: Scene, moment: Moment) -> list[Step]:
        """Away from the other's eyes and back, of this and the cycle before."""
        steps = [Step(float("-inf"), 0.0, 0.0)]
        before_ms, start_ms, end_ms = self._cycles.around(moment.t_ms)
        for cycle_ms, next_ms in ((before_ms, start_ms), (start_ms, end_ms)):
            mode = scene.mode(cycle_ms - DECIDED_MS)
            contact = min(self._contact + _MORE_CONTACT[mode], 0.97)
            lasts_ms = (1.0 - contact) * (next_ms - cycle_ms)
            lasts_ms *= 1.0 if mode is Mode.SPEAKING else _SELDOM
            lasts_ms = min(lasts_ms * between(0.75, 1.25, self._cycles.draw(cycle_ms, 0)), _LONGEST_MS)
            spared = mode is not Mode.SPEAKING and self._cycles.draw(cycle_ms, 5) * _SELDOM > 1.0
            if spared or lasts_ms < _SHORTEST_MS:
                continue
            back_ms = cycle_ms + lasts_ms
            for turn in moment.turns:
                if cycle_ms < turn.start_ms < back_ms:
                    back_ms = turn.start_ms + min(back_ms - turn.start_ms, 260.0)
            steps += [Step(cycle_ms, *self._away(cycle_ms, mode)), Step(back_ms, 0.0, 0.0)]
        return steps

    def eyes(self, attention: list[Step], aversions: list[Step], t_ms: float) -> tuple[float, float]:
        """Where the eyes look at `t_ms`, in degrees."""
        before_ms, since_ms, _ = self._fixations.around(t_ms)
        small = [self._fixation(before_ms), self._fixation(since_ms)]
        x, y = self._drift.at(t_ms)
        x, y = 0.25 * x, 0.2 * y
        for steps in (attention, aversions, small):
            dx, dy = _saccades(steps, t_ms)
            x, y = x + dx, y + dy
        return x, y

    def head(self, attention: list[Step], aversions: list[Step], t_ms: float) -> tuple[float, float]:
        """How far the head goes along, in degrees."""
        x, y = _follow(attention, t_ms)
        dx, dy = _follow(aversions, t_ms)
        return (
            _HEAD_OF_ATTENTION * x + _HEAD_OF_AVERSION * dx,
            _HEAD_OF_ATTENTION * y + _HEAD_OF_AVERSION * dy,
        )

    def _away(self, cycle_ms: float, mode: Mode) -> tuple[float, float]:
        """Mostly to the same side; up or level to find words, down or level otherwise."""
        draw = self._cycles.draw
        side = self._side if draw(cycle_ms, 1) < 0.7 else -self._side
        height = draw(cycle_ms, 2)
        if mode is Mode.SPEAKING:
            y = between(2.5, 5.5, draw(cycle_ms, 3)) if height < 0.4 else between(-4.5, 0.5, draw(cycle_ms, 3))
        else:
            y = between(-6.0, 1.0, draw(cycle_ms, 3))
        return side * between(5.5, 10.0, draw(cycle_ms, 4)), y

    def _fixation(self, since_ms: float) -> Step:
        """One eye, the other, or the mouth, as seen from a screen's distance."""
        where = self._fixations.draw(since_ms, 0)
        x, y = ((-1.4, 0.3), (1.4, 0.3), (0.0, -1.6))[int(where * 3.0)]
        x += between(-0.8, 0.8, self._fixations.draw(since_ms, 1))
        y += between(-0.6, 0.6, self._fixations.draw(since_ms, 2))
        return Step(since_ms, x, y)


def large_shifts(steps: list[Step], start_ms: float, end_ms: float) -> list[float]:
    """When within [start_ms, end_ms) the eyes set out on a large saccade."""
    return [
        step.t_ms
        for before, step in pairwise(steps)
        if start_ms <= step.t_ms < end_ms
        and abs(step.x_deg - before.x_deg) + abs(step.y_deg - before.y_deg) > _LARGE_DEG
    ]


def _saccades(steps: list[Step], t_ms: float) -> tuple[float, float]:
    """Duration grows with the angle, as a human eye's does (2.2 ms per degree over 21 ms)."""
    x, y = steps[0].x_deg, steps[0].y_deg
    for before, step in pairwise(steps):
        if step.t_ms >= t_ms:
            break
        dx, dy = step.x_deg - before.x_deg, step.y_deg - before.y_deg
        done = ease((t_ms - step.t_ms) / (21.0 + 2.2 * (abs(dx) + abs(dy))))
        x, y = x + dx * done, y + dy * done
    return x, y


def _follow(steps: list[Step], t_ms: float) -> tuple[float, float]:
    x, y = steps[0].x_deg, steps[0].y_deg
    for before, step in pairwise(steps):
        if step.t_ms >= t_ms:
            break
        done = ease((t_ms - step.t_ms - _HEAD_LATER_MS) / _HEAD_MS)
        x, y = x + (step.x_deg - before.x_deg) * done, y + (step.y_deg - before.y_deg) * done
    return x, y
