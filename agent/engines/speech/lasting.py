"""One person heard for as long as they are there, whichever engine lives."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from agent.engines.base import Hearing, Hypothesis, Speech
from compliance.errors import EngineError

logger = logging.getLogger(__name__)

OPEN_LIMIT_S = 5.0


class Lasting:
    """A recogniser that outlives its engines.

    They are tried in order: one that dies is opened once more, then the next takes over and is fed what it missed
    of the turn. `run` is the task of whoever owns this; it returns when no engine is left, after `on_deaf`.
    """

    def __init__(
        self,
        engines: Sequence[Speech],
        *,
        rate_hz: int,
        language: str,
        on_hypothesis: Callable[[Hypothesis], Awaitable[None]],
        on_fallback: Callable[[str, str], None],
        on_deaf: Callable[[], None],
        kept_s: float = 10.0,
    ) -> None:
        """`kept_s`: so much of the present turn is kept for an engine that takes over."""
        self._engines = deque(engines)
        self._rate_hz = rate_hz
        self._language = language
        self._on_hypothesis = on_hypothesis
        self._on_fallback = on_fallback
        self._on_deaf = on_deaf
        self._hearing: Hearing | None = None
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self._max_bytes = round(kept_s * rate_hz) * 2
        self._partial = ""
        self._deaths = 0
        """How often the engine died since it last gave final words."""
        self._speaking = False
        self._spoke = False
        """True when there was speech since the last final words."""
        self._ready = asyncio.Event()
        self._over = False
        """No engine is left."""

    def feed(self, pcm: bytes) -> None:
        """int16 mono; any length."""
        self._kept.append(pcm)
        self._kept_bytes += len(pcm)
        while self._kept_bytes > self._max_bytes and len(self._kept) > 1:
            self._kept_bytes -= len(self._kept.popleft())
        if self._hearing is not None:
            self._hearing.feed(pcm)

    def onset(self) -> None:
        self._speaking = self._spoke = True
        if self._hearing is not None:
            self._hearing.onset()

    def offset(self) -> None:
        self._speaking = False
        if self._hearing is not None:
            self._hearing.offset()

    async def finish(self, limit_s: float) -> str:
        """The final words of the turn, or those it had when `limit_s` was over; then a new turn begins."""
        try:
            async with asyncio.timeout(limit_s):
                text = await self._final_words()
        except TimeoutError:
            # The partial words are what the person saw; better to answer them than nothing.
            logger.warning("recogniser late with its final words")
            text = self._partial
        self._partial = ""
        self._kept.clear()
        self._kept_bytes = 0
        self._spoke = self._speaking
        return text.strip()

    async def run(self) -> None:
        """Keep a recogniser open until this is cancelled."""
        while self._engines:
            engine = self._engines[0]
            try:
                hearing = await asyncio.wait_for(
                    engine.open(rate_hz=self._rate_hz, language=self._language), OPEN_LIMIT_S
                )
                try:
                    self._begin(hearing)
                    async for hypothesis in hearing.hypotheses():
                        self._partial = hypothesis.text
                        await self._on_hypothesis(hypothesis)
                    # Nobody but us may end it, so one that ends by itself has died too.
                    logger.warning("recogniser stopped", extra={"engine": engine.name})
                finally:
                    self._hearing = None
                    self._ready.clear()
                    await hearing.close()
            except Exception as error:  # noqa: BLE001  also a defect of an engine must not leave the twin deaf
                logger.warning("recogniser died", extra={"engine": engine.name, "error": type(error).__name__})
            self._deaths += 1
            if self._deaths > 1:
                self._engines.popleft()
                self._deaths = 0
                if self._engines:
                    self._on_fallback(engine.name, self._engines[0].name)
        self._over = True
        self._ready.set()
        self._on_deaf()

    def _begin(self, hearing: Hearing) -> None:
        if self._spoke:
            hearing.onset()
        for pcm in self._kept:
            hearing.feed(pcm)
        if self._spoke and not self._speaking:
            hearing.offset()
        self._hearing = hearing
        self._ready.set()

    async def _final_words(self) -> str:
        """The final words; when the engine dies over them, those of the one that takes over."""
        while True:
            await self._ready.wait()
            hearing = self._hearing
            if self._over:
                return self._partial
            if hearing is None:
                continue
            try:
                text = await hearing.finish()
            except EngineError:
                # `run` sees the same death and opens the next one, with the turn's sound; it may have done so
                # already.
                if self._hearing is hearing:
                    self._ready.clear()
            else:
                self._deaths = 0
                return text
