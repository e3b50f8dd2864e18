"""The second opinion, on a real loopback server: in time, late, broken, and away."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from persona.guarding.findings import Finding
from persona.guarding.moderator import Moderator
from persona.guarding.settings import GuardSettings

PATIENT_MS = 2000


@asynccontextmanager
async def server(answer: Any, *, silent: bool = False, status: int = 200) -> AsyncIterator[str]:
    """An HTTP server that gives one answer to everything, or none; yields its base URL."""
    gone = threading.Event()
    body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if silent:
                gone.wait(10)
            # A client that gave up is not there any more.
            with suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is printed."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, name="moderation")
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}/v1"
    finally:
        gone.set()
        await asyncio.to_thread(listening.shutdown)
        await asyncio.to_thread(listening.server_close)
        thread.join(5)


async def check(url: str, limit_ms: int = PATIENT_MS, **values: Any) -> tuple[Finding, ...]:
    moderator = Moderator(GuardSettings(moderation_base_url=url, moderation_limit_ms=limit_ms, **values))
    try:
        return await moderator.check("some words")
    finally:
        await moderator.close()


async def test_without_a_server_nothing_is_asked() -> None:
    assert await check("") == ()


async def test_flagged_categories_become_findings() -> None:
    answer = {"results": [{"flagged": True, "categories": {"violence": True, "hate": False}}]}
    async with server(answer) as url:
        assert await check(url) == (Finding("moderation", "violence"),)


async def test_what_is_not_flagged_gives_nothing() -> None:
    async with server({"results": [{"flagged": False, "categories": {}}]}) as url:
        assert await check(url) == ()


async def test_a_chat_model_answers_with_one_word() -> None:
    async with server({"choices": [{"message": {"content": " INJECTION. "}}]}) as url:
        assert await check(url, moderation_kind="chat") == (Finding("moderation", "injection"),)
    async with server({"choices": [{"message": {"content": "safe"}}]}) as url:
        assert await check(url, moderation_kind="chat") == ()


async def test_a_server_that_does_not_answer_in_time_leaves_the_rules_alone() -> None:
    async with server({}, silent=True) as url:
        assert await check(url, limit_ms=20) == (Finding("moderation_failed", "timeout"),)


async def test_errors_and_nonsense_are_failures_and_no_findings() -> None:
    async with server("<html>", status=502) as url:
        assert await check(url) == (Finding("moderation_failed", "unreachable"),)
    broken: tuple[Any, ...] = ("no json", "[]", {"results": []}, {"results": [{"flagged": True, "categories": 7}]})
    for nonsense in broken:
        async with server(nonsense) as url:
            assert await check(url) == (Finding("moderation_failed", "unreadable"),)


async def test_a_server_that_is_gone_is_a_failure() -> None:
    async with server({}) as url:
        pass
    assert await check(url) == (Finding("moderation_failed", "unreachable"),)
