"""A process for what strangers send: it may compute, and nothing else.

    await start(stack, "compliance.watermark.reading", "60", stdin=file, ...)      # here
    confine(Bounds(cpu_s=60, memory_bytes=1 << 30))                                # in it

After `confine` it opens no file and no socket, writes no file, leaves no image of its memory behind, and ends when
it takes more time or memory than it was given. It has no secret of its parent's environment, and it gives way to
calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NICENESS = 10
"""Calls go first: such a process gets what they leave."""
_END_S = 5.0
_OURS = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What such a process may take."""

    cpu_s: int
    memory_bytes: int
    """Of address space, the program and its libraries included."""


def confine(bounds: Bounds) -> None:
    """Bind this process, for good. Call it when all modules are imported: nothing can be opened afterwards."""
    os.nice(NICENESS)
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 0,
        resource.RLIMIT_AS: bounds.memory_bytes,
        resource.RLIMIT_CPU: bounds.cpu_s,
    }
    for limit, value in limits.items():
        # Some systems know a limit and do not let it be set; whoever started this process ends it in time anyway.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))


async def start(
    stack: contextlib.AsyncExitStack, module: str, *arguments: str, **pipes: Any
) -> asyncio.subprocess.Process:
    """Start a module of ours; it is ended when `stack` is left, whatever happened meanwhile. Raises `OSError`.

    What it prints on stderr is dropped: it may be a stranger's.
    """
    import_path = os.pathsep.join(path or os.getcwd() for path in sys.path)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-s", "-m", module, *arguments,
        stderr=asyncio.subprocess.DEVNULL,
        env=surroundings(import_path, os.environ),
        start_new_session=True,
        **pipes,
    )  # fmt: skip
    stack.push_async_callback(_end, process)
    return process


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_END_S):
            await process.wait()
    # asyncio keeps the ends of pipes open until it has seen them closed, and has no public way to close them.
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()
        await asyncio.sleep(0)


def surroundings(import_path: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment such a process is started with: no key of any provider is in it, and one thread computes."""
    kept = {name: environment[name] for name in _OURS if name in environment}
    return {**kept, **dict.fromkeys(_THREADS, "1"), "PYTHONPATH": import_path}
