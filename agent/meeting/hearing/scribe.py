"""One place at the recognisers: somebody's words, as long as they have it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from agent.engines.base import Hypothesis, Speech
from agent.engines.speech.lasting import Lasting
from agent.meeting.hearing.take import MOST_S, Take

FINISH_LIMIT_S = 4.0
LATE_FACTOR = 0.25
"""Seconds more for every second of sound that was given late, for it all has to be recognised."""
AT_ONCE_S = 2.0
THEN_S = 1.0
PAUSE_S = 0.1
"""Engines for calls drop what they cannot keep up with: of sound that has waited, so much at once and then so much
with a pause between."""
CLOSE_LIMIT_S = 3.0


class Scribe:
    """A recogniser for one person at a time, and its task."""

    def __init__(
        self,
        engines: Sequence[Speech],
        *,
        rate_hz: int,
        language: str,
        on_words: Callable[[Take, str], None],
        on_fallback: Callable[[Scribe, str, str], None],
        on_deaf: Callable[[], None],
    ) -> None:
        self.deaf = False
        """No engine of it works."""
        self.engine = engines[0].name if engines else ""
        self._on_words = on_words
        self._on_fallback = on_fallback
        self._on_deaf = on_deaf
        self._take: Take | None = None
        self._lasting = Lasting(
            engines,
            rate_hz=rate_hz,
            language=language,
            on_hypothesis=self._hypothesis,
            on_fallback=self._fell_back,
            on_deaf=self._deaf,
            kept_s=MOST_S,
        )
        self._task: asyncio.Task[None] | None = None

    def start(self, after: asyncio.Task[None] | None = None) -> None:
        """Begin to open it; `after` the one whose place it takes, for an engine may have no more."""
        self._task = asyncio.create_task(self._run(after), name="recogniser")

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task], timeout=CLOSE_LIMIT_S)

    def feed(self, take: Take, pcm: bytes) -> None:
        """More of what is being said, once the scribe has caught up with it."""
        if take is self._take and take.live:
            self._lasting.feed(pcm)

    def hint(self, take: Take) -> None:
        """They fell silent within it, or went on."""
        if take is self._take and take.live:
            (self._lasting.onset if take.speaking else self._lasting.offset)()

    async def words(self, take: Take) -> str:
        """All of one utterance, from its first sound to its end; empty when there are none."""
        self._take = take
        try:
            late_s = await self._catch_up(take)
            await take.over.wait()
            self._lasting.offset()
            return await self._lasting.finish(FINISH_LIMIT_S + LATE_FACTOR * late_s)
        finally:
            take.live = False
            self._take = None

    async def _catch_up(self, take: Take) -> float:
        """Give what was said before there was a place; returns how many seconds that was."""
        self._lasting.onset()
        given = 0
        step = round(AT_ONCE_S * take.rate_hz) * 2
        while True:
            pcm = take.after(given)
            if len(pcm) <= step:
                break
            self._lasting.feed(pcm[:step])
            given += step
            step = round(THEN_S * take.rate_hz) * 2
            await asyncio.sleep(PAUSE_S)
        self._lasting.feed(pcm)
        take.live = True
        if not take.speaking:
            self._lasting.offset()
        return (given + len(pcm)) / 2 / take.rate_hz

    async def _run(self, after: asyncio.Task[None] | None) -> None:
        if after is not None:
            await asyncio.wait([after], timeout=CLOSE_LIMIT_S)
        await self._lasting.run()

    async def _hypothesis(self, hypothesis: Hypothesis) -> None:
        if self._take is not None:
            self._on_words(self._take, hypothesis.text)

    def _fell_back(self, dead: str, now: str) -> None:
        self.engine = now
        self._on_fallback(self, dead, now)

    def _deaf(self) -> None:
        self.deaf = True
        self._on_deaf()
