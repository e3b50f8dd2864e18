"""The newest hypothesis for one reader who may be slow: older ones are of no use to anybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from agent.engines.base import Hypothesis
from compliance.errors import EngineError


class Latest:
    """A place for one hypothesis; a new one replaces one that was not read."""

    def __init__(self) -> None:
        self._newest: Hypothesis | None = None
        self._failure: EngineError | None = None
        self._over = False
        self._news = asyncio.Event()

    @property
    def failure(self) -> EngineError | None:
        """Why the engine died, once it did."""
        return self._failure

    def put(self, hypothesis: Hypothesis) -> None:
        """Replace what is there."""
        self._newest = hypothesis
        self._news.set()

    def fail(self, failure: EngineError) -> None:
        """End the reading with an error; the first one counts."""
        if self._failure is None and not self._over:
            self._failure = failure
        self._news.set()

    def close(self) -> None:
        """End the reading."""
        self._over = True
        self._news.set()

    def check(self) -> None:
        """Raise the failure, if there is one."""
        if self._failure is not None:
            raise type(self._failure)(self._failure.message)

    async def read(self) -> AsyncIterator[Hypothesis]:
        """Yield each newest one until `close`; raises what `fail` was given."""
        while not self._over:
            self._news.clear()
            newest, self._newest = self._newest, None
            if newest is not None:
                yield newest
                continue
            self.check()
            await self._news.wait()
