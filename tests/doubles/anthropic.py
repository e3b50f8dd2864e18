"""A server of Anthropic's streaming messages on loopback: stands in for a paid cloud and speaks its protocol."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Message:
    """What one request gets: text, and tools the model wants used (name and arguments)."""

    text: str = "Hello."
    calls: tuple[tuple[str, str], ...] = ()


class MessagesServer:
    """Requests take the scripted messages in order, and the default one when there are none left."""

    def __init__(self, default: Message) -> None:
        self.default = default
        self.requests: list[dict[str, Any]] = []
        self._script: deque[Message] = deque()
        self._server: asyncio.Server | None = None

    @property
    def base_url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def script(self, *messages: Message) -> None:
        self._script.extend(messages)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            headers = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
            length = int(headers["content-length"])
            self.requests.append(json.loads(await reader.readexactly(length)))
            message = self._script.popleft() if self._script else self.default
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
            for event in _events(message):
                writer.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def _events(message: Message) -> list[dict[str, Any]]:
    """As hosted: the message's frame, one block of text, one block for each tool, their contents in pieces."""
    usage = {"input_tokens": 1, "output_tokens": 1}
    frame = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "double",
        "content": [],
        "usage": usage,
    }
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {**frame, "stop_reason": None}}]
    index = 0
    if message.text:
        events.append(_start(index, {"type": "text", "text": ""}))
        for word in message.text.split(" "):
            lead = " " if word != message.text.split(" ")[0] else ""
            events.append(_delta(index, {"type": "text_delta", "text": f"{lead}{word}"}))
        events.append({"type": "content_block_stop", "index": index})
        index += 1
    for name, arguments in message.calls:
        events.append(_start(index, {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}))
        for at in range(0, len(arguments), 9):
            events.append(_delta(index, {"type": "input_json_delta", "partial_json": arguments[at : at + 9]}))
        events.append({"type": "content_block_stop", "index": index})
        index += 1
    stop = "tool_use" if message.calls else "end_turn"
    events.append({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage})
    return [*events, {"type": "message_stop"}]


def _start(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def _delta(index: int, delta: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}
