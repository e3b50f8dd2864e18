"""What the outlet's stages cost per 20 ms: the door with none of ours, with all, and each alone (microseconds)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from agent.permission import Permission
from agent.tap import Tap
from channels.clock import Clock
from channels.gate import DisclosureGate
from channels.heard import HeardWord
from channels.outlet import Mark, Outlet, Stage, State
from channels.spoken import Spoken
from compliance.watermark.stage import Watermark, make_embedder
from tests.bench import report
from tests.doubles.mark import NoMark
from tests.doubles.wire import EarWire

TICKS = 20_000
RATES_HZ = (8_000, 48_000)
SPOKEN_S = 10


class _Nobody:
    """Whoever listens to the doors and does nothing; a recording that throws away; a permit that stands."""

    valid = True

    def disclosed(self, position: int) -> None: ...
    def heard(self, words: list[HeardWord]) -> None: ...
    def speaking(self, speaking: bool, position: int) -> None: ...
    def failed(self, reason: str) -> None: ...
    def room(self) -> None: ...
    def audio(self, pcm: bytes) -> None: ...
    def digit(self, digit: str) -> None: ...
    def text(self, text: str) -> None: ...
    def twin(self, pcm: bytes, position: int) -> None: ...
    def caller(self, pcm: bytes, position: int) -> None: ...
    def unheard(self, begin: int, end: int) -> None: ...


async def measure() -> dict[str, Any]:
    rows = [row for rate_hz in RATES_HZ for row in _rows(rate_hz)]
    report.show("The outlet per 20 ms of speech (microseconds; the limit is 1,000)", rows)
    return {"outlet": rows}


def _rows(rate_hz: int) -> list[dict[str, Any]]:
    nobody, clock = _Nobody(), Clock(rate_hz)
    tap = Tap(nobody, clock)
    tap.recording = nobody
    permission = Permission(nobody)
    mark = Watermark(rate_hz)
    mark.begin(make_embedder(bytes(32), 0, rate_hz))
    alone: list[tuple[str, Stage]] = [
        ("disclosure gate, lifted", _lifted(rate_hz)),
        ("permission", permission),
        ("watermark", mark),
        ("recording tap", tap),
    ]
    rows = [{"rate_hz": rate_hz, "what": name, **_stage(stage, rate_hz)} for name, stage in alone]
    rows += [
        {"rate_hz": rate_hz, "what": "whole door, gate only", **_door(rate_hz, (), NoMark())},
        {"rate_hz": rate_hz, "what": "whole door, every stage", **_door(rate_hz, (permission,), mark, tap)},
    ]
    return rows


def _sound(samples: int) -> bytes:
    return (8_000 * np.sin(np.arange(1, samples + 1) / 7)).astype(np.int16).tobytes()


def _lifted(rate_hz: int) -> DisclosureGate:
    gate, first = DisclosureGate(), _sound(rate_hz // 50)
    gate.expect(first)
    gate.process(np.frombuffer(first, np.int16), 0)
    gate.lift()
    return gate


def _stage(stage: Stage, rate_hz: int) -> dict[str, float]:
    samples = np.frombuffer(_sound(rate_hz // 50), np.int16)
    times = []
    for number in range(TICKS):
        begun = time.perf_counter_ns()
        stage.process(samples, number * len(samples))
        times.append((time.perf_counter_ns() - begun) / 1_000)
    return report.summary(times)


def _door(rate_hz: int, stages: Sequence[Stage], mark: Mark, tap: Stage | None = None) -> dict[str, float]:
    nobody, clock, wire = _Nobody(), Clock(rate_hz), EarWire(rate_hz)
    outlet = Outlet(clock, wire, nobody, stages, mark=mark, tap=tap)
    outlet.disclose(Spoken(0, 0, _sound(rate_hz // 10), last=True))
    while outlet.state is not State.OPEN:
        outlet.tick()
        outlet.played(clock.position)
    speech = _sound(rate_hz * SPOKEN_S)
    times: list[float] = []
    utterance = 0
    while len(times) < TICKS:
        utterance += 1
        outlet.say(Spoken(utterance, clock.epoch, speech, last=True))
        for _ in range(50 * SPOKEN_S):
            begun = time.perf_counter_ns()
            outlet.tick()
            times.append((time.perf_counter_ns() - begun) / 1_000)
            outlet.played(clock.position)
    return report.summary(times)
