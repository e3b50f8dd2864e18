"""What livekit-agents is handed: two functions that it finds again in the process of each room.

The worker itself serves no room and need not load what rooms need.
"""

from __future__ import annotations

from typing import Any


def prewarm(process: Any) -> None:
    """A process begins; see `agent.fleet.process`."""
    from agent.fleet import process as rooms

    rooms.prewarm(process)


async def serve(context: Any) -> None:
    """A room's job."""
    from agent.fleet import process as rooms

    await rooms.serve(context)
