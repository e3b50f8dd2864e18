"""How many phone calls one core carries in real time, with engines that are remote.

The server has one core to itself; the callers and the stub engines share the other.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from typing import Any

import httpx
import psutil

from tests.bench import report
from tests.bench.stage import Delays, TimedCall, our_bot, question, stubs

CALLS = (10, 25, 35, 45)
SECONDS = 25.0
GOAL_MS = 20.0


class Talker(TimedCall):
    """A caller who asks, listens, and asks again until told to stop; notes how late each piece of audio came."""

    late_ms: list[float]

    async def talk(self, until: float) -> None:
        said = question()
        await self.first_sound_after(0.0)
        await self.quiet(for_s=1.2)
        while time.monotonic() < until:
            await self.say(said)
            asked = time.monotonic()
            try:
                await self.first_sound_after(asked, limit_s=10)
                await self.quiet()
            except TimeoutError:
                self.unanswered = getattr(self, "unanswered", 0) + 1


async def load(calls: int, delays: Delays) -> dict[str, Any]:
    """One row: so many calls at once."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0, 1]
    server_core, other_core = {cores[0]}, {cores[-1]}
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, other_core)
    try:
        async with (
            stubs(delays, cores=other_core) as servers,
            our_bot(servers, delays, cores=server_core, max_calls=calls + 1) as (url, running),
        ):
            server = psutil.Process(running.pid)
            empty_mb = server.memory_info().rss / 2**20
            callers = [Talker(url, caller=f"+1555{number:07d}") for number in range(calls)]
            try:
                for caller in callers:
                    await caller.ring()
                    await caller.connect()
                    await asyncio.sleep(0.05)
                begun, busy = time.monotonic(), sum(server.cpu_times()[:2])
                await asyncio.gather(*(caller.talk(begun + SECONDS) for caller in callers))
                spent = time.monotonic() - begun
                share = (sum(server.cpu_times()[:2]) - busy) / spent
                full_mb = server.memory_info().rss / 2**20
                lag_ms = await loop_lag_ms(url)
            finally:
                await asyncio.gather(*(caller.hang_up() for caller in callers))
    finally:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, set(cores))
    gaps = [gap for caller in callers for gap in audible_gaps_ms(caller)]
    unanswered = sum(getattr(caller, "unanswered", 0) for caller in callers)
    row = {
        "calls": calls,
        "audio gap p99 ms": round(report.quantile(gaps, 0.99), 1),
        "loop lag p99 ms": round(lag_ms, 1),
        "core %": round(share * 100),
        "core % per call": round(share * 100 / calls, 2),
        "MB per call": round((full_mb - empty_mb) / calls, 1),
        "unanswered": unanswered,
    }
    kept = row["audio gap p99 ms"] < GOAL_MS and row["loop lag p99 ms"] < GOAL_MS and not unanswered
    return {**row, "real time": "yes" if kept else "no"}


def audible_gaps_ms(caller: TimedCall) -> list[float]:
    """How long the far end's buffer was empty, per 20 ms of what it played: 0 where it never was."""
    empty_ms = [samples / 8 for _, samples in caller.far_end.gaps[1:]]
    played = len(caller.far_end.played) // 160
    return empty_ms + [0.0] * max(0, played - len(empty_ms))


async def loop_lag_ms(url: str) -> float:
    """The server's own figure, p99."""
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"{url}/metrics")).text
    found = re.search(r'twin_loop_lag_milliseconds\{quantile="0.99"\} ([\d.]+)', text)
    return float(found[1]) if found else float("nan")


async def measure(calls: tuple[int, ...] = CALLS) -> dict[str, Any]:
    delays = Delays()
    rows = [await load(number, delays) for number in calls]
    report.show("Phone calls on one core (goal: 25 with both p99 under 20 ms)", rows)
    return {"rows": rows}


if __name__ == "__main__":
    report.save("capacity", asyncio.run(measure()))
