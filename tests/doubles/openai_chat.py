"""A server of OpenAI's streaming chat completions on loopback, scripted request by request.

In a test:

    async with ChatServer(Answer("We open at nine.")) as server:
        server.script(Answer(status=500), Answer("Later.", first_token_ms=200))
        ... base_url=server.base_url ...
        assert server.requests[0].body["messages"]

For a benchmark:

    python -m tests.doubles.openai_chat --port 9000 --first-token-ms 120 --token-ms 15 --text "We open at nine."

It stands in for a paid cloud and speaks its real protocol over a real socket. The faults are those of real
servers: error statuses, connections reset before the answer, silence before the headers or in mid-stream, and a
cut.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

Fault = Literal["", "reset", "hang", "hang_mid", "cut_mid", "error_mid"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request gets."""

    text: str = "Hello there, this is a scripted answer."
    first_token_ms: float = 0.0
    """From the request to the first token; the headers are sent at once, as hosted models do."""
    token_ms: float = 0.0
    """Between two tokens; a token is a word with the space before it."""
    status: int = 200
    fault: Fault = ""
    """reset: no answer at all; hang: silence before the headers; the others happen after `after_tokens`: silence,
    a cut connection, an error event."""
    after_tokens: int = 3
    calls: tuple[tuple[str, str], ...] = ()
    """Tools the model asks for, after the text: name and arguments."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: dict[str, Any] = field(default_factory=dict)


class ChatServer:
    """The server. Requests take the scripted answers in order, and the default one when there are none left."""

    def __init__(self, default: Answer | None = None) -> None:
        self.default = default or Answer()
        self.requests: list[Request] = []
        """Chat completions only, as they came."""
        self.connections = 0
        """How many were ever accepted."""
        self.open_streams = 0
        """Answers that are being streamed now."""
        self.disconnects = 0
        """Answers that the client closed before their end."""
        self.models_status = 200
        """What `GET /v1/models` answers."""
        self._script: deque[Answer] = deque()
        self._server: asyncio.Server | None = None
        self._port = 0
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> ChatServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def script(self, *answers: Answer) -> None:
        """The answers of the next requests."""
        self._script.extend(answers)

    async def until_streaming(self, count: int) -> None:
        """Wait until as many answers are being streamed, 5 s at most."""
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: self.open_streams == count)

    async def _count(self, change: int) -> None:
        async with self._changed:
            self.open_streams += change
            self._changed.notify_all()

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port or self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections from now on and cut those that are open; `start` comes back on the same port."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._serve(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; true when the connection is kept for the next."""
        request = await _read(reader)
        if request.path.endswith("/models"):
            await _respond(writer, self.models_status, {"object": "list", "data": [{"id": "double"}]})
            return True
        if request.method != "POST" or not request.path.endswith("/chat/completions"):
            await _respond(writer, 404, {"error": {"message": "no such path"}})
            return True
        self.requests.append(request)
        answer = self._script.popleft() if self._script else self.default
        if answer.fault == "reset":
            writer.transport.abort()
            return False
        if answer.fault == "hang":
            await reader.read()
            return False
        if answer.status != 200:
            await _respond(writer, answer.status, {"error": {"message": "scripted", "code": answer.status}})
            return True
        return await self._stream_watched(reader, writer, answer)

    async def _stream_watched(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer
    ) -> bool:
        """Stream, and notice at once when the client goes away meanwhile."""
        await self._count(1)
        streaming = asyncio.create_task(self._stream(writer, answer), name="double-stream")
        gone = asyncio.create_task(_gone(reader), name="double-watch")
        try:
            await asyncio.wait({streaming, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not streaming.done():
                self.disconnects += 1
                return False
            return streaming.result()
        finally:
            for task in (streaming, gone):
                task.cancel()
            await asyncio.gather(streaming, gone, return_exceptions=True)
            await self._count(-1)

    async def _stream(self, writer: asyncio.StreamWriter, answer: Answer) -> bool:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
            b"Cache-Control: no-cache\r\n\r\n"
        )
        await _event(writer, _chunk({"role": "assistant", "content": ""}))
        await asyncio.sleep(answer.first_token_ms / 1000)
        for count, token in enumerate(re.findall(r"\s*\S+|\s+$", answer.text)):
            if count and answer.token_ms:
                await asyncio.sleep(answer.token_ms / 1000)
            if answer.fault and count == answer.after_tokens:
                return await self._break(writer, answer)
            await _event(writer, _chunk({"content": token}))
        if answer.fault:
            return await self._break(writer, answer)
        for nth, (name, arguments) in enumerate(answer.calls):
            await self._call(writer, nth, name, arguments)
        await _event(writer, _chunk({}, finish="tool_calls" if answer.calls else "stop"))
        await _event(writer, "[DONE]")
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _call(self, writer: asyncio.StreamWriter, nth: int, name: str, arguments: str) -> None:
        """In pieces, as hosted models stream it: the name first, the arguments cut anywhere."""
        head = {"index": nth, "id": f"call_{nth}_{name}", "type": "function"}
        await _event(writer, _chunk({"tool_calls": [{**head, "function": {"name": name, "arguments": ""}}]}))
        for at in range(0, len(arguments), 7):
            piece = {"index": nth, "function": {"arguments": arguments[at : at + 7]}}
            await _event(writer, _chunk({"tool_calls": [piece]}))

    async def _break(self, writer: asyncio.StreamWriter, answer: Answer) -> bool:
        if answer.fault == "cut_mid":
            writer.transport.abort()
        elif answer.fault == "error_mid":
            await _event(writer, json.dumps({"error": {"message": "scripted", "type": "server_error"}}))
        else:
            await asyncio.Event().wait()
        return False


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, json.loads(raw) if raw else {})


async def _gone(reader: asyncio.StreamReader) -> None:
    """Until the client closes; a client that pipelines another request is none of ours."""
    while not reader.at_eof():
        if not await reader.read(1):
            return


async def _respond(writer: asyncio.StreamWriter, status: int, body: dict[str, Any]) -> None:
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Scripted\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)
    await writer.drain()


async def _event(writer: asyncio.StreamWriter, data: str) -> None:
    line = f"data: {data}\n\n".encode()
    writer.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
    await writer.drain()


def _chunk(delta: dict[str, Any], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return json.dumps(
        {
            "id": "chatcmpl-double",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": "double",
            "choices": [choice],
        }
    )


async def _main() -> None:
    parser = argparse.ArgumentParser(description="a scripted server of streaming chat completions")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--first-token-ms", type=float, default=0.0)
    parser.add_argument("--token-ms", type=float, default=0.0)
    parser.add_argument("--text", default=Answer().text)
    options = parser.parse_args()
    server = ChatServer(Answer(options.text, first_token_ms=options.first_token_ms, token_ms=options.token_ms))
    await server.start(options.port)
    print(server.base_url, flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()


if __name__ == "__main__":
    asyncio.run(_main())
