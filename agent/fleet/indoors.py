"""A started house on a loop and a thread of its own.

A process for a room is prepared before it has a loop: livekit-agents calls its prewarm function in plain code and
makes the loop afterwards. A house cannot move to another loop, so it gets one that it keeps.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from agent.house import House
from compliance.errors import EngineTimeout

logger = logging.getLogger(__name__)

T = TypeVar("T")

START_S = 60.0
CLOSE_S = 12.0
LOOK_S = 5.0
STUCK_S = 30.0
"""A loop that does nothing for so long will not do anything more."""


class Indoors:
    """`start` blocks until calls can be served, `close` until everything is freed; both from outside."""

    def __init__(self, make: Callable[[], House]) -> None:
        """`make` is called on the thread."""
        self.house: House
        self._make = make
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="house", daemon=True)

    def start(self) -> None:
        """Raises `TwinError` when the house cannot start."""
        self._thread.start()
        starting = self.submit(self._start())
        try:
            starting.result(START_S)
        except TimeoutError:
            starting.cancel()
            self.close()
            raise EngineTimeout(f"rooms: the twin was not ready within {START_S:g} s") from None
        except BaseException:  # the house has closed what it had opened; the thread goes too
            self.close()
            raise

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Do something where the house lives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, what: Callable[[], None]) -> None:
        """The same for what returns at once."""
        self._loop.call_soon_threadsafe(what)

    def close(self) -> None:
        """Free everything, within a limit; safe to call twice."""
        if not self._thread.is_alive():
            return
        with suppress(Exception):  # the process is going; what it kept was kept when it was heard
            self.submit(self._close()).result(CLOSE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_S)

    async def guard(self) -> None:
        """End the process when the house's loop is stuck; whoever watches over processes sees only this one's."""
        while True:
            echo = asyncio.wrap_future(self.submit(asyncio.sleep(0)))
            try:
                async with asyncio.timeout(STUCK_S):
                    await echo
            except TimeoutError:
                logger.critical("the house does nothing any more")
                os._exit(1)
            await asyncio.sleep(LOOK_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _start(self) -> None:
        self.house = self._make()
        await self.house.start()

    async def _close(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        rooms = [task for task in others if task.get_name() == "room"]
        for task in rooms:
            task.cancel()
        if rooms:
            await asyncio.wait(rooms, timeout=CLOSE_S / 2)
        house = getattr(self, "house", None)
        if house is not None:
            await house.close()
