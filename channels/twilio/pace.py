"""The phone's clockwork: one metronome for all calls of the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from channels.call import Call
from channels.outlet import CHUNK_MS
from channels.twilio.settings import TwilioSettings
from channels.twilio.wire import TwilioWire

logger = logging.getLogger(__name__)

BEAT_S = CHUNK_MS / 1000
IDLE_LEAD_MS = 40.0
"""How much silence may wait at Twilio."""


class Paced(Protocol):
    """What a metronome drives."""

    def beat(self, now: float) -> None: ...

    def broke(self, error: Exception) -> None:
        """`beat` raised; it is not called again."""
        ...


class Metronome:
    """Wakes every 20 ms while there are calls. One call's failure ends that call and no other.

    A late beat is not made up for by further beats: each call looks at the time and at what it owes.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is the monotonic clock in seconds that every call of this metronome reads too."""
        self._now = now
        self.late_beats = 0
        """Beats that came more than a beat late: the event loop was blocked."""
        self._paced: list[Paced] = []
        self._task: asyncio.Task[None] | None = None

    def join(self, paced: Paced) -> None:
        self._paced.append(paced)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="twilio-metronome")

    def leave(self, paced: Paced) -> None:
        if paced in self._paced:
            self._paced.remove(paced)

    async def close(self) -> None:
        self._paced.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        due = self._now()
        while self._paced:
            now = self._now()
            if now - due > BEAT_S:
                self.late_beats += 1
                due = now
            for paced in tuple(self._paced):
                try:
                    paced.beat(now)
                except Exception as error:  # noqa: BLE001  one call's failure must not stop the others' audio
                    self.leave(paced)
                    paced.broke(error)
            due += BEAT_S
            await asyncio.sleep(max(0.0, due - self._now()))


class Line:
    """One call's side of the metronome: keeps `lead_ms` at Twilio, reports what was played, notices the end.

    Pacing by what Twilio still has, not by counting beats, absorbs both a stall of ours (never more than the lead
    is sent at once) and a clock at Twilio that runs faster or slower than ours.
    """

    def __init__(self, call: Call, wire: TwilioWire, settings: TwilioSettings, now: Callable[[], float]) -> None:
        self.last_media_at = now()
        """To be set whenever media of the caller comes in."""
        self.max_lead_ms = 0.0
        self._call = call
        self._outlet = call.outlet
        self._wire = wire
        self._settings = settings

    def beat(self, now: float) -> None:
        wire, playout = self._wire, self._wire.playout
        if wire.closing:
            return
        trouble = self._trouble(now)
        if trouble:
            self._call.hang_up(trouble)
            return
        self._outlet.played(playout.heard(now))
        if playout.astray and not self._outlet.speaking:
            # Silence may pause unheard; speech may not.
            if not playout.dry(now):
                return
            playout.restart()
        while playout.lead_ms(now) <= self._wanted_lead_ms - CHUNK_MS and not wire.overflowed:
            self._outlet.tick()
        self.max_lead_ms = max(self.max_lead_ms, playout.lead_ms(now))

    @property
    def _wanted_lead_ms(self) -> float:
        # Silence that waits at Twilio delays the answer behind it, and nobody hears when it runs out.
        return self._settings.lead_ms if self._outlet.speaking else min(IDLE_LEAD_MS, self._settings.lead_ms)

    def broke(self, error: Exception) -> None:
        # The message of a foreign exception may quote data; its type is enough to find the place.
        logger.error("a call's clockwork failed, the call ends", extra={"error": type(error).__name__})
        self._call.hang_up("line_failed")

    def _trouble(self, now: float) -> str:
        if self._wire.overflowed:
            return "slow_peer"
        if self._wire.playout.unplayed_s(now) > self._settings.unplayed_s:
            return "nothing_played"
        if now - self.last_media_at > self._settings.silent_peer_s:
            return "silent_peer"
        return ""
