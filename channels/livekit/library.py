"""The LiveKit SDK, loaded when a room is entered and not before."""

from __future__ import annotations

import asyncio
import atexit
import functools
import importlib
import logging
import time
from typing import Any

from compliance.errors import EngineMissing

EXTRA = "livekit"
EXIT_S = 0.2


async def load() -> Any:
    """`livekit.rtc`. Raises `EngineMissing` with one line that names the extra."""
    exit_quietly()
    try:
        rtc = await asyncio.to_thread(importlib.import_module, "livekit.rtc")
    except ImportError:
        raise EngineMissing(f"rooms: pip install -c requirements-extras.lock -e '.[{EXTRA}]'") from None
    # It logs whole events, with people's names and what they wrote; what matters comes back as events and errors.
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    return rtc


@functools.cache
def exit_quietly() -> None:
    """Call it before the SDK is used first. Its native threads call into Python, and one that still waits to do so
    when the interpreter ends aborts the process: so they get a moment, after the SDK has told them to stop."""
    atexit.register(time.sleep, EXIT_S)
