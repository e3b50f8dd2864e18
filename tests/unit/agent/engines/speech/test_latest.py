"""The newest hypothesis for a slow reader."""

from __future__ import annotations

import asyncio

import pytest

from agent.engines.base import Hypothesis
from agent.engines.speech.latest import Latest
from compliance.errors import EngineFailed


async def test_a_slow_reader_gets_the_newest_only() -> None:
    latest = Latest()
    for text in ("a", "a b", "a b c"):
        latest.put(Hypothesis(text))

    assert await anext(latest.read()) == Hypothesis("a b c")


async def test_a_failure_comes_after_what_was_heard_before_it() -> None:
    latest = Latest()
    latest.put(Hypothesis("a"))
    latest.fail(EngineFailed("gone"))
    latest.fail(EngineFailed("a second reason"))
    reader = latest.read()

    assert (await anext(reader)).text == "a"
    with pytest.raises(EngineFailed, match="gone"):
        await anext(reader)


async def test_close_ends_a_waiting_reader_without_an_error() -> None:
    latest = Latest()

    async def read() -> list[Hypothesis]:
        return [each async for each in latest.read()]

    reading = asyncio.create_task(read(), name="read")
    await asyncio.sleep(0)
    latest.close()

    async with asyncio.timeout(5):
        assert await reading == []
