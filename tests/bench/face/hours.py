"""A call of hours in which the twin says something now and then: is the mouth still in time?

The outlet really ticks all the time; pictures are drawn only while something is said, at the times that the
channel puts on them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from avatar.rig import Rig
from avatar.sheet import rgb
from avatar.stage import Stage
from channels.clock import Clock
from channels.outlet import Outlet
from channels.spoken import Spoken
from channels.view import Film, View
from channels.web.vp8 import TICKS_HZ
from tests.bench.face.direct import lag_in
from tests.bench.face.interrupting import RATE_HZ, Nobody, NoWire
from tests.bench.face.mouths import Mouths, Trace
from tests.bench.face.talk import renumbered
from tests.doubles.mark import NoMark

CHUNKS_PER_S = 50
_BEFORE_S = 2
"""Drawn before each sentence, so that the face is told what it missed."""


def drift(
    rig: Rig, said: Spoken, reference: Trace, mouths: Mouths, *, hours: int, seed: int = 3
) -> list[tuple[float, float]]:
    """(hours since the call began, lag of the mouth in ms) for a sentence at every full hour."""
    clock = Clock(RATE_HZ)
    wire = NoWire()
    outlet = Outlet(clock, wire, Nobody(), mark=NoMark())
    with ThreadPoolExecutor(1) as pool:
        stage = Stage(rig, rate_hz=RATE_HZ, seed=seed)
        view = View(clock, lambda: stage, pool, Film(25))
        outlet.watch(view)
        _disclose(outlet, clock, said)
        rows = []
        for hour in range(hours + 1):
            while clock.position < (hour * 3_600 + 30) * RATE_HZ:
                outlet.tick()
                outlet.played(clock.position)
            rows.append(
                (
                    clock.position / RATE_HZ / 3_600,
                    _lag(outlet, wire, view, renumbered(said, hour + 2, clock.epoch), reference, mouths),
                )
            )
    return rows


def _disclose(outlet: Outlet, clock: Clock, said: Spoken) -> None:
    outlet.disclose(renumbered(said, 1, clock.epoch))
    while outlet.speaking:
        outlet.tick()
        outlet.played(clock.position)


def _lag(outlet: Outlet, wire: NoWire, view: View, said: Spoken, reference: Trace, mouths: Mouths) -> float:
    for _ in range(_BEFORE_S * CHUNKS_PER_S):
        _ticked(outlet, view, [], [], None)
    said_at = view.clock.position
    outlet.say(said)
    times: list[float] = []
    gaps: list[float] = []
    while outlet.speaking:
        _ticked(outlet, view, times, gaps, mouths)
    begin_s = wire.position_of(said.pcm, said_at) / RATE_HZ
    length_ms = len(said.pcm) / 2 / RATE_HZ * 1000
    lag = lag_in((np.array(times) - begin_s) * 1000, np.array(gaps), reference, 0.0, length_ms)
    return float("nan") if lag is None else lag


def _ticked(outlet: Outlet, view: View, times: list[float], gaps: list[float], mouths: Mouths | None) -> None:
    begin = view.clock.position
    outlet.tick()
    for number in view.due(begin, view.clock.position):
        frame = view.draw(number)
        if frame is not None and mouths is not None:
            times.append(view.cadence.ticks(number, TICKS_HZ) / TICKS_HZ)
            gaps.append(mouths.gap(rgb(frame.picture)))
    outlet.played(view.clock.position)
