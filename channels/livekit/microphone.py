"""From one participant's microphone through their own inlet: resampled by the SDK, taken in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from channels.inlet import Inlet

KEPT_MS = 1_000
"""How much may wait when this program cannot keep up; then the oldest goes."""
CLOSE_S = 1.0


async def listen(rtc: Any, track: Any, inlet: Inlet, batch_ms: int, muted: Callable[[], bool]) -> None:
    """Hear this track to its end. A muted one gives zeros, which are no silence of theirs: they are left out."""
    stream = rtc.AudioStream.from_track(
        track=track,
        sample_rate=inlet.rate_hz,
        num_channels=1,
        frame_size_ms=batch_ms,
        capacity=max(2, KEPT_MS // batch_ms),
    )
    try:
        async for event in stream:
            if not muted():
                inlet.hear(bytes(event.frame.data))
    finally:
        await close(stream)


async def close(stream: Any) -> None:
    """Close an `rtc.AudioStream` or `rtc.VideoStream`, within a limit."""
    try:
        async with asyncio.timeout(CLOSE_S):
            await stream.aclose()
    except TimeoutError:
        # It waits for an end that the native side now and then does not tell; its handle is given back by then.
        return
