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
            return True
    return False
