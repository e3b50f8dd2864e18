"""Our share of the turn, beside Pipecat's example bot on the same stubs in the same run.

What is left of the time from the caller's last sound to the first audio, after the stubs' own delays and the wait
for the end of the turn.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tests.bench import report
from tests.bench.stage import Delays, TimedCall, example_bot, our_bot, question, stubs

TURNS = 20


async def turns(url: str, count: int) -> list[float]:
    """Milliseconds from the caller's last sound to the first sound of the answer, turn by turn."""
    said = question()
    times: list[float] = []
    async with TimedCall(url) as call:
        await call.first_sound_after(0.0)
        await call.quiet(for_s=1.5)
        for _ in range(count):
            await call.say(said)
            last_sound = time.monotonic()
            times.append((await call.first_sound_after(last_sound) - last_sound) * 1000)
            await call.quiet()
    return times


async def measure(count: int = TURNS) -> dict[str, Any]:
    delays = Delays()
    async with stubs(delays) as servers:
        async with our_bot(servers, delays) as (url, _):
            ours = await turns(url, count)
        async with example_bot(servers) as (url, _):
            theirs = await turns(url, count)
    rows = [
        {"bot": name, **report.summary([total - delays.stubs_ms for total in totals])}
        for name, totals in (("ours", ours), ("pipecat example", theirs))
    ]
    report.show(
        f"Turn: milliseconds over the stubs' own {delays.stubs_ms:.0f} ms (goal: p50 <= 50, p95 <= 100)", rows
    )
    ratio = report.quantile(ours, 0.5) / report.quantile(theirs, 0.5)
    print(f"whole turn, ours / example: {ratio:.2f}")
    return {"stubs_ms": delays.stubs_ms, "rows": rows, "ours_ms": ours, "example_ms": theirs, "ratio": ratio}


if __name__ == "__main__":
    report.save("turn", asyncio.run(measure()))
