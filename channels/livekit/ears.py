"""Whose microphone goes to whose inlet, a task for each."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from channels.inlet import Inlet
from channels.livekit.microphone import listen

logger = logging.getLogger(__name__)

CLOSE_S = 2.5


@dataclass(slots=True)
class _Track:
    sid: str
    track: Any
    publication: Any
    task: asyncio.Task[None] | None = None


class Ears:
    """All participants of one room. A person has one microphone: of two the newer is heard."""

    def __init__(self, rtc: Any, batch_ms: int) -> None:
        self._rtc = rtc
        self._batch_ms = batch_ms
        self._inlets: dict[str, Inlet] = {}
        self._tracks: dict[str, _Track] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def inlet(self, key: str) -> Inlet | None:
        """Of somebody who is here."""
        return self._inlets.get(key)

    def sid(self, key: str) -> str:
        """Of the track that somebody is heard by; empty: none."""
        track = self._tracks.get(key)
        return track.sid if track else ""

    def came(self, key: str, inlet: Inlet) -> None:
        """From now on this one is heard, when there is a microphone."""
        self._inlets[key] = inlet
        self._start(key)

    def left(self, key: str) -> None:
        self._inlets.pop(key, None)
        self._stop(key)

    def offered(self, track: Any, publication: Any, key: str) -> None:
        """A microphone is there."""
        self._stop(key)
        self._tracks[key] = _Track(publication.sid, track, publication)
        self._start(key)

    def withdrawn(self, sid: str, key: str) -> None:
        known = self._tracks.get(key)
        if known is not None and known.sid == sid:
            self._stop(key)
            del self._tracks[key]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_S)

    def _start(self, key: str) -> None:
        known, inlet = self._tracks.get(key), self._inlets.get(key)
        if known is None or inlet is None or known.task is not None:
            return
        task = asyncio.create_task(self._hear(known, inlet), name="room-microphone")
        known.task = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stop(self, key: str) -> None:
        known = self._tracks.get(key)
        if known is not None and known.task is not None:
            known.task.cancel()
            known.task = None

    async def _hear(self, known: _Track, inlet: Inlet) -> None:
        publication = known.publication
        try:
            await listen(self._rtc, known.track, inlet, self._batch_ms, lambda: bool(publication.muted))
        except Exception as error:  # noqa: BLE001  one microphone that cannot be read must not end the meeting
            logger.error("a microphone failed", extra={"error": type(error).__name__})
