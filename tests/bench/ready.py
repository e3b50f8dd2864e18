"""From the start of the process to ready, and from the open socket to the first sound."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from channels.web.peer import WebCaller
from tests.bench import report
from tests.bench.stage import Delays, TimedCall, our_bot

STARTS = 5
CALLS = 20


async def measure(starts: int = STARTS, calls: int = CALLS) -> dict[str, Any]:
    ready_ms: list[float] = []
    phone_ms: list[float] = []
    web_ms: list[float] = []
    for _ in range(starts):
        begun = time.monotonic()
        async with our_bot(None, Delays()) as (url, _):
            ready_ms.append((time.monotonic() - begun) * 1000)
            for _ in range(calls // starts):
                phone_ms.append(await phone(url))
                web_ms.append(await web(url))
    rows = [
        {"what": "process start to ready", **report.summary(ready_ms)},
        {"what": "phone: socket open to first sound (goal < 300)", **report.summary(phone_ms)},
        {"what": "web: connected to first sound", **report.summary(web_ms)},
    ]
    report.show("Start, in milliseconds", rows)
    return {"rows": rows}


async def phone(url: str) -> float:
    """Milliseconds from opening the media socket to the first sound that arrives."""
    async with TimedCall(url) as call:
        return (await call.first_sound_after(0.0) - call.opened_at) * 1000


async def web(url: str) -> float:
    """Milliseconds from the connection (the page is ready to play) to the first sound that arrives."""
    async with WebCaller(url) as caller:
        begun = time.monotonic()
        await caller.dial()
        await caller.until(lambda: any(heard.pcm.strip(b"\0") for heard in caller.heard), 10)
        return (time.monotonic() - begun) * 1000


if __name__ == "__main__":
    report.save("ready", asyncio.run(measure()))
