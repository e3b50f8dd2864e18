"""A guest in a process of its own, so that a test measures the side of the twin alone: `python -m ... URL`.

Enters each room that a line of its input names ("ROOM TOKEN"), says "in", and leaves it when the next line comes.
"""

from __future__ import annotations

import asyncio
import logging
import sys

from livekit import rtc

from tests.doubles.livekit_room import Guest


async def main(url: str) -> None:
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    loop = asyncio.get_running_loop()
    guest: Guest | None = None
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if guest is not None:
            await guest.leave()
        guest = Guest("anna")
        await guest.room.connect(url, line.split()[-1], rtc.RoomOptions())
        await guest.speak()
        print("in", flush=True)
    if guest is not None:
        await guest.leave()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
