"""How a process of ours is ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress


async def reap(process: asyncio.subprocess.Process) -> bool:
    """Ask, then terminate, then kill; each gets its part of 4 s. False when it has not ended even then."""
    assert process.stdin is not None
    process.stdin.close()
    for end, limit_s in ((None, 1.0), (process.terminate, 1.0), (process.kill, 2.0)):
        with suppress(ProcessLookupError):
            if end is not None:
                end()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await process.wait()
            with suppress(ConnectionError):
                await process.stdin.wait_closed()
            await _close_pipes(process)
            return True
    return False


async def _close_pipes(process: asyncio.subprocess.Process) -> None:
    """asyncio says that a process has ended before it has seen the end of its pipes, and has no public way to
    close them: a loop that ends in between would leave them open."""
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()
        # Their ends are told in the next turn of the loop.
        await asyncio.sleep(0)
