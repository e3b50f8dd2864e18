"""What people write into the room's chat: text streams of today's clients, data packets of older ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from channels.inlet import MAX_TEXT_CHARS
from channels.livekit.signs import OLD_CHAT
from channels.web.allowance import Allowance

READ_LIMIT_S = 10.0
MAX_READING = 16
"""Messages that are still coming in at once; further ones are passed over."""
MAX_READING_EACH = 4
"""Of them, from one person: whoever sends what never ends takes only their own turn."""
MAX_WRITERS = 256
"""People whose allowance is remembered; further ones take the place of whoever has been quiet longest."""
MAX_PACKET_BYTES = 16_384
MESSAGES_PER_SECOND = 5.0
"""Of each person."""
MESSAGE_BURST = 20.0


class Chat:
    """The way in of a room's chat. `typed` is given the room's identity of who wrote, and what."""

    def __init__(self, typed: Callable[[str, str], None], now: Callable[[], float]) -> None:
        self.passed_over = 0
        """Messages that were too many, too long in coming, or none."""
        self._typed = typed
        self._now = now
        self._allowances: dict[str, Allowance] = {}
        """Whoever wrote last is last."""
        self._reading: dict[asyncio.Task[None], str] = {}

    def on_stream(self, reader: Any, key: str) -> None:
        """A handler for `register_text_stream_handler`."""
        at_once = list(self._reading.values())
        full = len(at_once) >= MAX_READING or at_once.count(key) >= MAX_READING_EACH
        if full or not self._allowed(key):
            self.passed_over += 1
            reader.close()
            return
        task = asyncio.create_task(self._read(reader, key), name="room-chat")
        self._reading[task] = key
        task.add_done_callback(lambda done: self._reading.pop(done, None))
        # Not at the end of the task's work: one that is cancelled before its beginning does none.
        task.add_done_callback(lambda _: reader.close())

    def on_data(self, packet: Any) -> None:
        """A handler for the event `data_received`."""
        if packet.topic != OLD_CHAT or packet.participant is None:
            return
        text, key = old_message(packet.data), packet.participant.identity
        if text == "":
            return
        if text is not None and self._allowed(key):
            self._typed(key, text)
        else:
            self.passed_over += 1

    async def close(self) -> None:
        tasks = set(self._reading)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    def _allowed(self, key: str) -> bool:
        allowance = self._allowances.pop(key, None)
        if allowance is None:
            if len(self._allowances) >= MAX_WRITERS:
                del self._allowances[next(iter(self._allowances))]
            allowance = Allowance(per_second=MESSAGES_PER_SECOND, burst=MESSAGE_BURST)
        self._allowances[key] = allowance
        return allowance.take(1, self._now())

    async def _read(self, reader: Any, key: str) -> None:
        text = ""
        try:
            async with asyncio.timeout(READ_LIMIT_S):
                async for chunk in reader:
                    text += chunk
                    if len(text) >= MAX_TEXT_CHARS:
                        break
        except Exception:  # noqa: BLE001  the SDK's errors of streams have no class to name without importing it
            self.passed_over += 1
            return
        self._typed(key, text)


def old_message(data: bytes) -> str | None:
    """The text of an older client's message: empty when the same text comes as a stream too, None when it is no
    message."""
    if len(data) > MAX_PACKET_BYTES:
        return None
    try:
        said = json.loads(data)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        return None
    text = said.get("message") if isinstance(said, dict) else None
    if not isinstance(text, str):
        return None
    return "" if said.get("ignoreLegacy") is True else text
