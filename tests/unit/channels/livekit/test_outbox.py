from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest_asyncio

from channels.livekit.outbox import MAX_WAITING, Outbox


@pytest_asyncio.fixture
async def outbox() -> AsyncIterator[Outbox]:
    box = Outbox()
    running = asyncio.create_task(box.run(), name="outbox")
    yield box
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def writes(sent: list[int], number: int) -> Callable[[], Awaitable[None]]:
    async def write() -> None:
        await asyncio.sleep(0)
        sent.append(number)

    return write


async def test_what_is_put_is_sent_in_order(outbox: Outbox) -> None:
    sent: list[int] = []
    for number in range(20):
        outbox.put(writes(sent, number))
    await outbox.flush(5)
    assert sent == list(range(20))


async def test_too_much_is_dropped_and_counted(outbox: Outbox) -> None:
    sent: list[int] = []
    outbox.way(False)
    for number in range(MAX_WAITING + 5):
        outbox.put(writes(sent, number))
    assert outbox.dropped == 5
    await outbox.flush(0.01)
    assert sent == []
    outbox.way(True)
    await outbox.flush(5)
    assert sent == list(range(MAX_WAITING))


async def test_what_fails_is_counted_and_the_rest_is_sent(outbox: Outbox) -> None:
    sent: list[int] = []

    async def fail() -> None:
        raise ConnectionError

    outbox.put(fail)
    outbox.put(writes(sent, 1))
    await outbox.flush(5)
    assert (sent, outbox.failed, outbox.sent) == ([1], 1, 1)
