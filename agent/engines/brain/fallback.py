"""Two brains as one: the second speaks when the first fails, is late, or breaks off.

The caller hears something within `patience_s` plus the second brain's own time, and after repeated failures at
once, because the first is not asked again for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Protocol, runtime_checkable

from agent.engines.base import Brain, Piece
from agent.engines.closing import closing
from compliance.errors import EngineError, EngineFailed, EngineTimeout
from persona.prompt import Prompt

logger = logging.getLogger(__name__)

TAKING_A_MESSAGE = "I can't look that up just now, but I can take a message. "
BRIDGE = "... Sorry, I lost my thread there. "
"""Ends a sentence that broke off, so that the voice closes it and the caller knows why."""


@runtime_checkable
class StandIn(Protocol):
    """A brain that can say by itself that it stands in for another."""

    def stand_in(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Stream the answer in place of a brain that failed."""
        ...


class Breaker:
    """Whether to ask the first brain: closed (ask), open (do not), half open (one asks, the others do not).

    Pure; every method takes the time in seconds of one monotonic clock.
    """

    def __init__(self, *, failures: int = 3, rest_s: float = 30.0) -> None:
        """Opens after `failures` in a row, for `rest_s`."""
        if failures < 1 or rest_s <= 0:
            raise ValueError("failures must be 1 or more, and rest_s above 0")
        self._limit = failures
        self._rest_s = rest_s
        self._failures = 0
        self._open_until: float | None = None
        self._trying = False

    def allow(self, now_s: float) -> bool:
        """True when the first brain may be asked; then `succeeded`, `failed` or `abandoned` must follow."""
        if self._open_until is None:
            return True
        if now_s < self._open_until or self._trying:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        """It answered to the end."""
        self._failures, self._open_until, self._trying = 0, None, False

    def failed(self, now_s: float) -> None:
        """It failed, or was late."""
        self._failures += 1
        if self._failures >= self._limit:
            self._open_until = now_s + self._rest_s
        self._trying = False

    def abandoned(self) -> None:
        """It was interrupted before anyone could tell."""
        self._trying = False


class Fallback:
    """The first brain as long as it works, otherwise the second."""

    def __init__(
        self,
        first: Brain,
        second: Brain,
        *,
        patience_s: float = 1.8,
        breaker: Breaker | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`patience_s` is how long the first may be silent, before its first word and between two."""
        self._first = first
        self._second = second
        self._patience_s = patience_s
        self._breaker = breaker or Breaker()
        self._clock = clock

    @property
    def name(self) -> str:
        return self._first.name

    async def start(self) -> None:
        """Start both. A first brain whose server is away does not keep the twin from starting; one that is not
        configured raises `EngineMissing`."""
        await self._second.start()
        try:
            await self._first.start()
        except (EngineFailed, EngineTimeout) as error:
            self._breaker.failed(self._clock())
            logger.warning("the brain did not start; its stand-in answers", extra=_about(self._first, error))

    async def close(self) -> None:
        try:
            await self._first.close()
        finally:
            await self._second.close()

    async def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Stream the answer. Raises `EngineError` only when the second brain fails too."""
        if not self._breaker.allow(self._clock()):
            async with contextlib.aclosing(closing(self._stand_in(prompt))) as pieces:
                async for piece in pieces:
                    yield piece
            return
        spoke = failed = settled = False
        first = closing(self._first.answer(prompt))
        try:
            while True:
                try:
                    async with asyncio.timeout(self._patience_s):
                        word = await anext(first, None)
                # Whatever breaks in the first brain, a bug of its own too, must not leave the caller in silence.
                except Exception as error:  # noqa: BLE001
                    logger.warning("the brain failed; its stand-in answers", extra=_about(self._first, error))
                    failed = True
                    break
                if word is None:
                    break
                spoke = spoke or bool(word.text.strip())
                yield word
            failed = failed or not spoke
            settled = True
            if failed:
                self._breaker.failed(self._clock())
            else:
                self._breaker.succeeded()
        finally:
            if not settled and spoke:
                self._breaker.succeeded()
            elif not settled:
                self._breaker.abandoned()
            await first.aclose()
        if failed:
            if spoke:
                yield Piece(BRIDGE, "notice")
            async with contextlib.aclosing(closing(self._stand_in(prompt))) as pieces:
                async for piece in pieces:
                    yield piece

    async def _stand_in(self, prompt: Prompt) -> AsyncIterator[Piece]:
        if isinstance(self._second, StandIn):
            source = closing(self._second.stand_in(prompt))
        else:
            yield Piece(TAKING_A_MESSAGE, "notice")
            source = closing(self._second.answer(prompt))
        async with contextlib.aclosing(source):
            async for piece in source:
                yield piece


def _about(brain: Brain, error: Exception) -> dict[str, str]:
    # The type alone: an error's text may hold what the caller said.
    code = error.code if isinstance(error, EngineError) else type(error).__name__
    return {"engine": brain.name, "error": code}
