"""How late the event loop is: the one number that says whether audio suffers."""

from __future__ import annotations

import asyncio
from collections import deque

EVERY_S = 0.05


class LoopLag:
    """Sleeps again and again and notes how much longer each sleep took. Keeps the last ten minutes."""

    def __init__(self) -> None:
        self.late_ms: deque[float] = deque(maxlen=12_000)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="loop lag")

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY_S
            await asyncio.sleep(EVERY_S)
            self.late_ms.append((loop.time() - due) * 1000)
