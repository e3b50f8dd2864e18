"""Six people in one hall: voice activity for each of them, with a recogniser that costs nothing.

The share of one core is the time this process spent on it over the time the meeting lasted, in real time; the
loop's lateness is beside it, and that of an empty hall, for other work on the machine makes it late as well.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.lag import LoopLag
from agent.meeting.events import HallEvent, Unheard, Uttered
from agent.meeting.hearing.hall import Hall
from agent.meeting.hearing.settings import HearingSettings
from agent.turns.settings import TurnSettings
from agent.turns.silero import load as load_model
from channels.clock import Clock
from channels.inlet import InletListener
from persona.voice.sound import read
from tests.bench import report
from tests.bench.face.rows import QUICK
from tests.doubles.knowing_speech import KnowingSpeech
from tests.speech.make import TABLE, load

RATE_HZ = 16_000
CLOCK_HZ = 48_000
PEOPLE = 6
SECONDS = 30.0
GOAL_MS = 20.0
ASSETS = Path(os.environ.get("TWIN_TEST_ASSETS", "../shared/assets")) / "speech" / "meetings"
Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Case:
    """Who sounds how, and in what pieces it arrives."""

    name: str
    tracks: tuple[Samples, ...]
    piece_ms: int = 100


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ), np.int16)


def hum(seconds: float, seed: int, dbfs: float = -50.0) -> Samples:
    """A quiet room through an open microphone."""
    chance = np.random.default_rng(seed)
    return (chance.normal(size=int(seconds * RATE_HZ)) * 32_768 * 10 ** (dbfs / 20)).astype(np.int16)


def talk(seconds: float, seed: int, *, share: float) -> Samples:
    """Somebody who speaks for about this share of the time, over the hum of their room."""
    chance = np.random.default_rng(seed)
    track = hum(seconds, seed, -58.0)
    at = int(chance.uniform(0, 3) * RATE_HZ)
    names = sorted(TABLE)
    while True:
        said = np.frombuffer(load(names[chance.integers(len(names))]), np.int16)
        if at + len(said) >= len(track):
            return track
        track[at : at + len(said)] = np.clip(track[at : at + len(said)].astype(np.int32) + said, -32_768, 32_767)
        at += int(len(said) / share * chance.uniform(0.7, 1.3))


def recorded(seconds: float) -> list[Samples]:
    """Real meetings where the machine has them, one for each person."""
    tracks = [read(path).at(RATE_HZ).samples for path in sorted(ASSETS.glob("*.wav"))]
    if not tracks:
        return []
    whole = [np.clip(track * 32_768, -32_768, 32_767).astype(np.int16) for track in tracks]
    length = int(seconds * RATE_HZ)
    return [np.resize(np.roll(whole[i % len(whole)], i * 7 * RATE_HZ), length) for i in range(PEOPLE)]


def cases(seconds: float) -> list[Case]:
    taking_turns = tuple(talk(seconds, seed, share=0.2) for seed in range(PEOPLE))
    found = [
        Case("nobody", ()),
        Case("silent", tuple(silence(seconds) for _ in range(PEOPLE))),
        Case("humming", tuple(hum(seconds, seed) for seed in range(PEOPLE))),
        Case("one speaks, five hum", (talk(seconds, 1, share=0.7), *(hum(seconds, s) for s in range(1, PEOPLE)))),
        Case("taking turns", taking_turns),
        Case("taking turns, pieces of 20 ms", taking_turns, piece_ms=20),
        Case("all at once", tuple(talk(seconds, seed, share=0.8) for seed in range(PEOPLE))),
    ]
    if real := recorded(seconds):
        found.append(Case("recorded meetings, all at once", tuple(real)))
    return found


class Held:
    """A hall with these people in it."""

    def __init__(self, case: Case) -> None:
        self.clock = Clock(CLOCK_HZ)
        self.events: list[HallEvent] = []
        self.engine = KnowingSpeech(lambda pcm: "Some words." if pcm else "", guesses=False)
        self.hall = Hall(
            [self.engine],
            clock=self.clock,
            language="en",
            turns=TurnSettings(),
            settings=HearingSettings(),
            on=self.events.append,
            on_deaf=lambda: None,
            on_fallback=lambda dead, now: None,
        )
        self.doors = [self.hall.enter(f"person {number}") for number in range(len(case.tracks))]


async def play(case: Case, doors: Sequence[InletListener], clock: Clock, seconds: float) -> None:
    """Everybody's sound as it comes in, in real time."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    size = RATE_HZ * case.piece_ms // 1000
    for number in range(int(seconds * 1000) // case.piece_ms):
        await asyncio.sleep(max(0.0, begun + (number + 1) * case.piece_ms / 1000 - loop.time()))
        clock.left(CLOCK_HZ * case.piece_ms // 1000)
        for door, track in zip(doors, case.tracks, strict=True):
            door.audio(track[number * size : (number + 1) * size].tobytes())


async def run(case: Case, seconds: float) -> dict[str, Any]:
    held = Held(case)
    lag = LoopLag()
    await held.hall.start()
    try:
        lag.start()
        begun, busy = time.monotonic(), time.process_time()
        await play(case, held.doors, held.clock, seconds)
        spent, busy = time.monotonic() - begun, time.process_time() - busy
    finally:
        await lag.close()
        await held.hall.close()
    late = report.summary(tuple(lag.late_ms))
    return {
        "case": case.name,
        "people": len(case.tracks),
        "core %": round(100 * busy / spent, 2),
        "loop lag p50 ms": late["p50"],
        "loop lag p99 ms": late["p99"],
        "uttered": _count(held.events, lambda event: isinstance(event, Uttered)),
        "crowded": _count(held.events, lambda event: isinstance(event, Unheard) and event.crowded),
        "recognisers": held.engine.most_open,
        "dropped s": round(held.hall.dropped_bytes / 2 / RATE_HZ, 2),
    }


def _count(events: Sequence[HallEvent], which: Callable[[HallEvent], bool]) -> int:
    return sum(which(event) for event in events)


async def measure() -> dict[str, Any]:
    load_model()
    seconds = 3.0 if os.environ.get(QUICK) else SECONDS
    rows = [await run(case, seconds) for case in cases(seconds)]
    empty = rows[0]["core %"]
    for row in rows[1:]:
        row["core % each"] = round((row["core %"] - empty) / row["people"], 3)
    report.show(f"Meeting: {PEOPLE} people heard in real time (goal: loop lag p99 <= {GOAL_MS:g} ms)", rows)
    return {"rows": rows, "seconds": seconds}


if __name__ == "__main__":
    report.save("meeting", asyncio.run(measure()))
