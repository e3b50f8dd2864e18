"""What holds for every test: it leaves no task and no thread behind."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from loguru import logger as pipecat_logger

# What Pipecat logs holds what people said; a failing test prints what it needs itself.
pipecat_logger.remove()

LASTING_THREADS = {
    "asyncio_": "the loop's own thread pool; it ends with its loop, which is closed after the test",
}
"""Beginnings of the names of threads that may outlive a test, and why."""
OUR_DAEMONS = ("vault-writer", "recordings")
"""Threads of ours that would not keep a process alive, but have an owner who must end them."""
GRACE_S = 2.0
"""What is ending already may take so long."""


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """A thread that a test started is over when the test is."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + GRACE_S
    while leaked := _leaked_threads(before):
        if time.monotonic() > deadline:
            pytest.fail(f"threads left behind: {', '.join(sorted(thread.name for thread in leaked))}")
        time.sleep(0.01)


def _leaked_threads(before: set[threading.Thread]) -> list[threading.Thread]:
    started = [thread for thread in threading.enumerate() if thread not in before]
    return [
        thread
        for thread in started
        if thread.name in OUR_DAEMONS or not (thread.daemon or thread.name.startswith(tuple(LASTING_THREADS)))
    ]


@pytest.fixture(autouse=True)
def no_leaked_tasks(request: pytest.FixtureRequest) -> None:
    """A task that an asynchronous test started is over when the test is."""
    if request.node.get_closest_marker("asyncio") is not None:
        request.getfixturevalue("watched_tasks")


@pytest_asyncio.fixture
async def watched_tasks() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    deadline = asyncio.get_running_loop().time() + GRACE_S
    while leaked := asyncio.all_tasks() - before - {asyncio.current_task()}:
        if asyncio.get_running_loop().time() > deadline:
            names = ", ".join(sorted(task.get_name() for task in leaked))
            for task in leaked:
                task.cancel()
            pytest.fail(f"tasks left behind: {names}")
        await asyncio.sleep(0.01)
