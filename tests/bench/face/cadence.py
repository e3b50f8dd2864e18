"""How evenly pictures arrive while the machine is busy: a server in a process of its own, and a caller here."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from channels.web.peer import SEEN_RATE_HZ, WebCaller
from tests.behaviour.twin import twin_process
from tests.bench.face.live import ILLUSTRATED, ask, state

FREEZE_MS = 120.0
FRAME_TICKS = SEEN_RATE_HZ // 25
SETTLE_S = 2.0
_STOP_S = 5.0


@dataclass(frozen=True, slots=True)
class Spacing:
    """Of the pictures of one call, as they were decoded."""

    apart_ms: list[float]
    left_out: int
    """Pictures that were never sent, or lost."""
    busy: int
    """Processes that kept the cores busy."""

    @property
    def freezes(self) -> int:
        return sum(apart > FREEZE_MS for apart in self.apart_ms)


async def call(home: Path, *, seconds: float, busy: int) -> Spacing:
    """Talk for so long."""
    async with twin_process(home, ILLUSTRATED) as (url, _), WebCaller(url, video=True) as caller:
        # The face is loaded beside the engines and may come a little later than the sound.
        await caller.until(lambda: bool(caller.seen) and state(caller) == "listening", 60)
        with _burning(busy):
            await asyncio.sleep(SETTLE_S)
            begin = len(caller.seen)
            await ask(caller, seconds)
            seen = caller.seen[begin:]
    apart = [1000 * (b.at - a.at) for a, b in pairwise(seen)]
    left_out = sum(round((b.ticks - a.ticks) / FRAME_TICKS) - 1 for a, b in pairwise(seen))
    return Spacing(apart, left_out, busy)


@contextmanager
def _burning(busy: int) -> Iterator[None]:
    # Spawned: a fork of this process would share its event loop and its threads' locks.
    context = multiprocessing.get_context("spawn")
    burners = [context.Process(target=burn, daemon=True) for _ in range(busy)]
    for burner in burners:
        burner.start()
    try:
        yield
    finally:
        for burner in burners:
            burner.terminate()
            burner.join(_STOP_S)


def burn() -> None:
    """Keep one core busy until the process is ended."""
    while True:
        sum(range(10_000))
