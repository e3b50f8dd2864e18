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
MAX_PACKET_BYTES = 16_384
MESSAGES_PER_SECOND = 5.0
MESSAGE_BURST = 20.0


class Chat:
    """The way in of a room's chat. `typed` is given the room's identity of who wrote, and what."""

    def __init__(self, typed: Callable[[str, str], None], now: Callable[[], float]) -> None:
        self.passed_over = 0
        """Messages that were too many, too long in coming, or none."""
        self._typed = typed
        self._now = now
        self._allowance = Allowance(per_second=MESSAGES_PER_SECOND, burst=MESSAGE_BURST)
        self._reading: set[asyncio.Task[None]] = set()

    def on_stream(self, reader: Any, key: str) -> None:
        """A handler for `register_text_stream_handler`."""
        if len(self._reading) >= MAX_READING or not self._allowance.take(1, self._now()):
            self.passed_over += 1
            reader.close()
            return
        task = asyncio.create_task(self._read(reader, key), name="room-chat")
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)
        # Not at the end of the task's work: one that is cancelled before its beginning does none.
        task.add_done_callback(lambda _: reader.close())

    def on_data(self, packet: Any) -> None:
        """A handler for the event `data_received`."""
        if packet.topic != OLD_CHAT or packet.participant is None:
            return
        text = old_message(packet.data)
        if text and self._allowance.take(1, self._now()):
            self._typed(packet.participant.identity, text)
        elif text is None:
            self.passed_over += 1

    async def close(self) -> None:
        for task in self._reading:
            task.cancel()
        if self._reading:
            await asyncio.wait(self._reading, timeout=1.0)

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
