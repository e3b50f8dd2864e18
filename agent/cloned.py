"""The owner's cloned voice in a house: ready while the owner's consent stands, gone with it."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from agent.opening import Openings
from agent.permission import Permit
from compliance.errors import ConsentMissing, EngineFailed, EngineTimeout, TwinError

logger = logging.getLogger(__name__)

WATCH_S = 0.25
CLOSE_LIMIT_S = 5.0
UNDER = "consent"
"""In the folder with what a cloned voice said: the id of the consent under which it was."""


class ClonedVoice:
    """Keeps the fixed speech in this voice in step with the consent, also when that comes or goes meanwhile."""

    def __init__(
        self,
        openings: Openings,
        folder: Path,
        ask: Callable[[], Permit | None],
        imitate: Callable[[], Awaitable[bool]],
        forget: Callable[[], Awaitable[None]],
        *,
        consent: Callable[[], str],
    ) -> None:
        """`folder` is where the openings are kept; `ask` gives the permission to use the voice in calls; `imitate`
        has the engine take on the owner's voice, and says whether there is one; `forget` lets go of it; `consent`
        is the id of the one that counts."""
        self.openings = openings
        self._folder = folder
        self._ask = ask
        self._imitate = imitate
        self._forget = forget
        self._consent = consent
        self._under: str | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def permit(self) -> Permit | None:
        """What a call in this voice begins with; None when it may not, or cannot yet."""
        return self._ask() if self.openings.ready else None

    async def start(self) -> None:
        """Prepare what a call needs, where the consent stands, and follow it; an engine that does not work now is
        left for later. Raises `EngineMissing` for one that is not set up, and `TwinError` for the store."""
        self._under = await asyncio.to_thread(_under, self._folder)
        try:
            await self._follow()
        except (EngineFailed, EngineTimeout) as error:
            logger.warning("the cloned voice does not start", extra={"code": error.code})
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
        consent = self._consent() if self._ask() is not None else ""
        if not consent or consent != self._under:
            # Without a consent each time: a file that was being written when it ended may come a moment later.
            # A new consent is to other recordings.
            self._under = None
            await self._let_go()
            if consent:
                await asyncio.to_thread(_mark, self._folder, consent)
                self._under = consent
        if consent and not self.openings.ready:
            # A consent that ends meanwhile: the next look removes what there is.
            with suppress(ConsentMissing):
                # An enrolment stores the consent first and the recordings after it.
                if await self._imitate():
                    await self.openings.start()

    async def _let_go(self) -> None:
        await self.openings.forget()
        # The files first: the engine may be a server that does not answer.
        await asyncio.to_thread(remove, self._folder)
        await self._forget()


def remove(folder: Path) -> None:
    """Delete the folder with what a cloned voice said; another process may be at it too. Raises `OSError`."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _under(folder: Path) -> str | None:
    try:
        return (folder / UNDER).read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return None


def _mark(folder: Path, consent: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / UNDER).write_text(consent, "ascii")
