"""The recognisers of a meeting, fewer than its people, and which engine they run on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from agent.engines.base import Speech
from agent.meeting.hearing.places import Deal, Give, Places, Withdraw
from agent.meeting.hearing.scribe import Scribe
from agent.meeting.hearing.settings import HearingSettings
from agent.meeting.hearing.take import Take
from channels.clock import Clock


class Scribes:
    """Opened when somebody speaks. `give` is told who is recognised from now on, and by which."""

    def __init__(
        self,
        engines: Sequence[Speech],
        *,
        clock: Clock,
        rate_hz: int,
        language: str,
        settings: HearingSettings,
        give: Callable[[str, Scribe], None],
        on_words: Callable[[Take, str], None],
        on_deaf: Callable[[], None],
        on_fallback: Callable[[str, str], None],
    ) -> None:
        self._engines = list(engines)
        self._clock = clock
        self._rate_hz = rate_hz
        self._language = language
        self._give = give
        self._on_words = on_words
        self._on_deaf = on_deaf
        self._on_fallback = on_fallback
        self._places = Places(settings.recognisers, warm_ms=settings.warm_s * 1000)
        self._scribes: dict[str, Scribe] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def of(self, who: str) -> Scribe | None:
        return self._scribes.get(who)

    def waits(self, who: str) -> bool:
        return self._places.waits(who)

    def wants(self, who: str) -> None:
        """They said something that is to be recognised."""
        self._deal(self._places.wants(who))

    def rests(self, who: str) -> None:
        """Their words are there."""
        scribe = self._scribes.get(who)
        deaf = scribe is not None and scribe.deaf
        self._deal(self._places.gone(who) if deaf else self._places.rests(who, self._now_ms()))

    def gone(self, who: str) -> None:
        self._deal(self._places.gone(who))

    def tick(self) -> None:
        """Time has passed."""
        self._deal(self._places.tick(self._now_ms()))

    async def close(self) -> None:
        for scribe in self._scribes.values():
            self._close(scribe)
        self._scribes.clear()
        if self._closing:
            await asyncio.wait(self._closing)

    def _deal(self, deals: Sequence[Deal]) -> None:
        after: asyncio.Task[None] | None = None
        for deal in deals:
            match deal:
                case Withdraw(who):
                    if (scribe := self._scribes.pop(who, None)) is not None:
                        after = self._close(scribe)
                case Give(who):
                    scribe = self._scribes.get(who)
                    if scribe is None or scribe.deaf:
                        scribe = self._scribes[who] = self._new(after)
                    self._give(who, scribe)

    def _new(self, after: asyncio.Task[None] | None) -> Scribe:
        scribe = Scribe(
            tuple(self._engines),
            rate_hz=self._rate_hz,
            language=self._language,
            on_words=self._on_words,
            on_fallback=self._fell_back,
            on_deaf=self._gone_deaf,
        )
        scribe.start(after)
        return scribe

    def _close(self, scribe: Scribe) -> asyncio.Task[None]:
        task = asyncio.create_task(scribe.close(), name="scribe closes")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return task

    def _fell_back(self, scribe: Scribe, dead: str, now: str) -> None:
        """An engine that still serves another is only at its capacity."""
        if any(other is not scribe and other.engine == dead for other in self._scribes.values()):
            return
        if self._engines and self._engines[0].name == dead:
            del self._engines[0]
            self._on_fallback(dead, now)

    def _gone_deaf(self) -> None:
        if all(scribe.deaf for scribe in self._scribes.values()):
            self._on_deaf()

    def _now_ms(self) -> float:
        return self._clock.milliseconds(self._clock.position)
