"""One sentence on its way from the model's thread to a client."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Literal

from persona.voice.server.engine import Sentence

Reason = Literal["busy", "refused", "failed", "slow_client", "waited_too_long", "closing", "left"]


class Dropped(Exception):
    """The job ended without all of its sound."""

    def __init__(self, reason: Reason, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason: Reason = reason


class Job:
    """The model's thread `put`s sound and `end`s or `fail`s it; the client's task reads `next` and may `leave`.

    What is not read yet is bounded: a client that far behind loses its sentence rather than the others their turn.
    """

    def __init__(self, sentence: Sentence, client: str, *, now_s: float, most_unread_bytes: int) -> None:
        self.sentence = sentence
        self.client = client
        self.asked_s = now_s
        self.first_s: float | None = None
        """When its first sound was made."""
        self.sound_s = 0.0
        """How much was made."""
        self.stop = threading.Event()
        self._most = most_unread_bytes
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._lock = threading.Lock()
        self._pieces: deque[bytes] = deque()
        self._unread_bytes = 0
        self._over: Dropped | Literal[True] | None = None

    @property
    def over(self) -> bool:
        """True once nothing more will be put."""
        return self._over is not None

    @property
    def due_s(self) -> float:
        """When its client runs out of sound: the model steps the most urgent job first."""
        return self.asked_s if self.first_s is None else self.first_s + self.sound_s

    def put(self, pcm: bytes, *, rate_hz: int, now_s: float) -> None:
        """Hand over a piece of int16 sound."""
        with self._lock:
            if self._over is not None:
                return
            if self._unread_bytes + len(pcm) > self._most:
                self._close(Dropped("slow_client", "the client does not read its sound"))
            else:
                self.first_s = now_s if self.first_s is None else self.first_s
                self.sound_s += len(pcm) / 2 / rate_hz
                self._pieces.append(pcm)
                self._unread_bytes += len(pcm)
        self._tell()

    def end(self) -> None:
        """It was said in full."""
        with self._lock:
            self._close(True)
        self._tell()

    def fail(self, reason: Reason, message: str = "") -> None:
        """It will not be said (any further)."""
        with self._lock:
            self._close(Dropped(reason, message))
        self._tell()

    def leave(self) -> None:
        """The client is gone: the model stops at its next step."""
        self.fail("left")

    async def next(self) -> bytes | None:
        """The next piece, None at the end. Raises `Dropped`."""
        while True:
            with self._lock:
                if self._pieces:
                    piece = self._pieces.popleft()
                    self._unread_bytes -= len(piece)
                    return piece
                if isinstance(self._over, Dropped):
                    raise self._over
                if self._over:
                    return None
                self._news.clear()
            await self._news.wait()

    @property
    def reason(self) -> Reason | Literal["said"] | None:
        """How it ended."""
        if self._over is None:
            return None
        return self._over.reason if isinstance(self._over, Dropped) else "said"

    def _close(self, how: Dropped | Literal[True]) -> None:
        if self._over is None:
            self._over = how
            if isinstance(how, Dropped):
                self.stop.set()
                self._pieces.clear()

    def _tell(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)
