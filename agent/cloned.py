"""The owner's cloned voice in a house: ready while the owner's consent stands, gone with it."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from agent.opening import Openings
from agent.permission import Permit
from compliance.errors import ConsentMissing, TwinError

logger = logging.getLogger(__name__)

WATCH_S = 0.25
CLOSE_LIMIT_S = 5.0


class ClonedVoice:
    """Keeps the fixed speech in this voice in step with the consent, also when that comes or goes meanwhile."""

    def __init__(self, openings: Openings, folder: Path, ask: Callable[[], Permit | None]) -> None:
        """`folder` is where the openings are kept; `ask` gives the permission to use the voice in calls."""
        self.openings = openings
        self._folder = folder
        self._ask = ask
        self._task: asyncio.Task[None] | None = None

    @property
    def permit(self) -> Permit | None:
        """What a call in this voice begins with; None when it may not, or cannot yet."""
        return self._ask() if self.openings.ready else None

    async def start(self) -> None:
        """Prepare what a call needs, where the consent stands, and follow it. Raises `EngineError`."""
        await self._follow()
        self._task = asyncio.create_task(self._watch(), name="watch the cloned voice")

    async def close(self) -> None:
        """Stop following; what was prepared stays for the next time."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CLOSE_LIMIT_S)
            self._task = None
        await self.openings.close()

    async def _watch(self) -> None:
        failing = False
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                await self._follow()
                failing = False
            except (TwinError, OSError) as error:
                if not failing:
                    reason = error.code if isinstance(error, TwinError) else error.strerror
                    logger.warning("the cloned voice cannot follow the consent", extra={"reason": reason})
                failing = True

    async def _follow(self) -> None:
        if self._ask() is None:
            await self.openings.forget()
            # Each time: a file that was being written when the consent ended may come a moment later.
            await asyncio.to_thread(remove, self._folder)
        elif not self.openings.ready:
            # A consent that ends meanwhile: the next look removes what there is.
            with suppress(ConsentMissing):
                await self.openings.start()


def remove(folder: Path) -> None:
    """Delete the folder with what a cloned voice said; another process may be at it too. Raises `OSError`."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
