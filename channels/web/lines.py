"""All browser calls of this process."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from channels.call import Host
from channels.web.browser import BrowserCall
from channels.web.offer import Offer
from channels.web.settings import WebSettings
from compliance.errors import CallRefused

logger = logging.getLogger(__name__)

SHUTDOWN_LIMIT_S = 10.0


class Lines:
    """Owns the task of every call, and bounds how many are half-way in."""

    def __init__(self, host: Host, settings: WebSettings) -> None:
        self._host = host
        self._settings = settings
        self._calls: dict[BrowserCall, asyncio.Task[None] | None] = {}
        self._number = 0

    @property
    def calls(self) -> tuple[BrowserCall, ...]:
        """Every call that holds a peer connection, half-open ones included."""
        return tuple(self._calls)

    @property
    def connecting(self) -> int:
        return sum(call.connecting for call in self._calls)

    async def answer(self, offer: Offer) -> dict[str, str]:
        """Answer an offer and carry the call in the background.

        Raises `CallRefused` with words for the caller, or `BadMessage` for an SDP that cannot be read.
        """
        refusal = self._host.refusal()
        if refusal is not None:
            raise CallRefused(refusal.spoken)
        if self.connecting >= self._settings.max_connecting:
            raise CallRefused("Too many people are connecting right now. Please try again in a few seconds.")
        self._number += 1
        call = BrowserCall(self._host, self._settings, self._number)
        self._calls[call] = None
        try:
            answer = await call.answer(offer)
        except BaseException:  # also when it is cancelled: its place must not stay taken
            del self._calls[call]
            raise
        task = asyncio.create_task(call.run(), name=f"web-call-{self._number}")
        self._calls[call] = task
        task.add_done_callback(partial(self._closed, call))
        return answer

    def _closed(self, call: BrowserCall, task: asyncio.Task[None]) -> None:
        self._calls.pop(call, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("web call broke", extra={"error": type(error).__name__})

    async def close(self) -> None:
        """End every call; returns when they are gone, or after 10 s."""
        tasks = [task for task in self._calls.values() if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=SHUTDOWN_LIMIT_S)
