"""A stage with one task of its own, which ends with the stage."""

from __future__ import annotations

import asyncio

from pipecat.processors.frame_processor import FrameProcessor

STOP_LIMIT_S = 2.0


class TaskedStage(FrameProcessor):
    """Keep the task in `_task`; `_stop` ends it, within a limit, and is called when the stage is cleaned up."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, enable_direct_mode=True)
        self._task: asyncio.Task[None] | None = None

    async def cleanup(self) -> None:
        await super().cleanup()
        await self._stop()

    async def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            await self.cancel_task(task, timeout=STOP_LIMIT_S)
