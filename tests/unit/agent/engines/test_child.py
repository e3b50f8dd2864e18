"""Real processes: a child answers, streams, is cancelled, dies, comes back, and never outlives its parent."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path

import pytest

from agent.engines import child as child_module
from agent.engines.child import Child
from compliance.errors import EngineFailed, EngineMissing, EngineTimeout

MODULE = "tests.unit.agent.engines.echo_child"
DEAF = "tests.unit.agent.engines.deaf_child"


@pytest.fixture
async def child() -> AsyncIterator[Child]:
    child = Child(MODULE, name="echo")
    await child.start()
    yield child
    await child.close()


def is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


async def test_it_greets_and_answers_with_bytes_and_values(child: Child) -> None:
    reply = await child.request("echo", b"\x00\x01pcm", timeout_s=5, number=4)

    assert child.greeting == {"voices": 3}
    assert reply.payload == b"\x00\x01pcm"
    assert reply.fields == {"pid": child.pid, "number": 4}


async def test_a_stream_yields_every_message_in_order(child: Child) -> None:
    async with aclosing(child.stream("count", timeout_s=5, to=50)) as messages:
        numbers = [message.fields["number"] async for message in messages]

    assert numbers == list(range(50))


async def test_a_job_without_a_message_is_an_empty_one(child: Child) -> None:
    assert (await child.request("count", timeout_s=5, to=0)).fields == {}


async def test_replies_find_their_requests(child: Child) -> None:
    replies = await asyncio.gather(*(child.request("echo", timeout_s=5, n=n) for n in range(20)))

    assert [reply.fields["n"] for reply in replies] == list(range(20))


async def test_leaving_a_stream_cancels_the_job_at_the_source(child: Child) -> None:
    async with aclosing(child.stream("until_cancelled", timeout_s=5)) as messages:
        async for message in messages:
            assert message.fields == {"begun": True}
            break

    assert (await child.request("cancelled", timeout_s=5)).fields == {"jobs": 1}


async def test_a_late_request_is_cancelled_and_the_next_one_served(child: Child) -> None:
    async with aclosing(child.stream("until_cancelled", timeout_s=0.2)) as messages:
        await anext(messages)
        with pytest.raises(EngineTimeout, match="echo"):
            await anext(messages)

    assert (await child.request("cancelled", timeout_s=5)).fields == {"jobs": 1}


async def test_a_failed_job_names_the_error_but_never_its_text(child: Child) -> None:
    with pytest.raises(EngineFailed) as caught:
        await child.request("secret", timeout_s=5)

    assert "ValueError" in caught.value.message
    assert "person" not in caught.value.message
    assert (await child.request("echo", timeout_s=5)).fields["pid"] == child.pid


async def test_death_fails_the_jobs_under_way_and_a_new_child_serves_the_next(child: Child) -> None:
    first = child.pid
    waiting = asyncio.create_task(child.request("echo", timeout_s=10), name="waiting")

    with pytest.raises(EngineFailed, match="status 7"):
        await child.request("die", timeout_s=5)
    with suppress(EngineFailed):
        await waiting
    reply = await child.request("echo", timeout_s=10)

    assert reply.fields["pid"] == child.pid != first


async def test_no_job_is_given_to_a_child_that_no_longer_listens(tmp_path: Path) -> None:
    """That one was killed shows on its stdin first: on its stdout much may still be unread."""
    child = Child(DEAF, [str(tmp_path / "lived")], name="echo")
    try:
        await child.start()
        process = child._process
        assert process is not None
        assert process.stdin is not None
        lost = asyncio.create_task(child.request("echo", timeout_s=20), name="lost")
        async with asyncio.timeout(10):
            while not process.stdin.is_closing():  # noqa: ASYNC110  the kernel tells the loop when it likes
                await asyncio.sleep(0.005)

        assert (await child.request("echo", timeout_s=20)).fields["pid"] == child.pid != process.pid
        with pytest.raises(EngineFailed, match="the process ended"):
            await lost
    finally:
        await child.close()


async def test_a_child_that_keeps_dying_is_given_up_and_start_tries_anew() -> None:
    child = Child(MODULE, name="echo", max_restarts=1)
    await child.start()
    for _ in range(2):
        with pytest.raises(EngineFailed, match="status 7"):
            await child.request("die", timeout_s=10)

    with pytest.raises(EngineFailed, match="status 7"):
        await child.request("echo", timeout_s=10)
    await child.start()
    assert (await child.request("echo", timeout_s=10)).fields["pid"] == child.pid
    await child.close()


async def test_a_missing_part_is_told_as_the_child_tells_it() -> None:
    child = Child(MODULE, ["missing"], name="echo")

    with pytest.raises(EngineMissing, match="make run"):
        await child.start()
    assert child.pid is None


async def test_a_module_that_cannot_be_run_fails_with_what_to_do() -> None:
    child = Child("tests.unit.agent.engines.no_such_module", name="echo")

    with pytest.raises(EngineFailed, match="shows why"):
        await child.start()


async def test_a_child_that_is_not_ready_in_time_is_ended() -> None:
    child = Child(MODULE, ["slow"], name="echo", ready_timeout_s=0.3)

    with pytest.raises(EngineTimeout, match="not ready"):
        await child.start()


async def test_close_ends_a_busy_child_and_may_be_called_twice(child: Child) -> None:
    pid = child.pid
    assert pid is not None
    sleeping = asyncio.create_task(child.request("sleep", timeout_s=20), name="sleeping")
    await asyncio.sleep(0)
    await child.close()
    await child.close()

    with pytest.raises(EngineFailed):
        await sleeping
    assert not is_alive(pid)
    with pytest.raises(EngineFailed):
        await child.request("echo", timeout_s=5)


async def test_closing_a_child_that_never_started_is_nothing() -> None:
    await Child(MODULE, name="echo").close()


async def test_more_jobs_than_can_wait_are_refused_at_once(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "MAX_UNREAD_MESSAGES", 4)
    async with aclosing(child.stream("until_cancelled", timeout_s=10)) as busy:
        await anext(busy)
        waiting = [
            asyncio.create_task(child.request("echo", timeout_s=10, n=n), name=f"echo {n}")
            for n in range(child_module.MAX_WAITING_JOBS + 5)
        ]
        done, _ = await asyncio.wait(waiting, timeout=10, return_when=asyncio.FIRST_EXCEPTION)
        refused = [task for task in done if isinstance(task.exception(), EngineFailed)]
        assert refused
    replies = await asyncio.gather(*waiting, return_exceptions=True)
    assert sum(isinstance(reply, EngineFailed) for reply in replies) == 5


def test_killing_the_parent_leaves_no_orphan() -> None:
    script = f"""
import asyncio
from agent.engines.child import Child
async def main():
    child = Child({MODULE!r}, name="echo")
    await child.start()
    print(child.pid, flush=True)
    await child.request("sleep", timeout_s=60)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        try:
            pid = int(parent.stdout.readline())
            assert is_alive(pid)
        finally:
            parent.send_signal(signal.SIGKILL)
    for _ in range(500):
        if not is_alive(pid):
            return
        time.sleep(0.02)
    pytest.fail("the child outlived its parent")
