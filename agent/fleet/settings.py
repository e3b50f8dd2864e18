"""What a worker of the fleet takes on, and for how long."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class WorkerSettings(BaseModel):
    """The `[worker]` section: `twin worker`, and as whom `twin join` comes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")] = "twin"
    """The name under which rooms send for this twin, and its identity in them: the server never has two of one
    identity in a room, so that two can never both speak. Another owner's twin needs another name."""
    idle: Annotated[int, Field(ge=0, le=200)] = 2
    """Processes that wait with everything loaded. As many rooms are served at once without waiting: also those
    that another worker leaves behind when it dies."""
    max_rooms: Annotated[int, Field(ge=1, le=1_000)] = 10
    """Rooms that this worker serves at once, each in a process of its own. One more goes to another worker."""
    room_memory_mb: Annotated[int, Field(ge=0, le=100_000)] = 400
    """No further room is taken on a machine with less memory free than that."""
    memory_limit_mb: Annotated[int, Field(ge=0, le=100_000)] = 1_500
    """A room's process that grows beyond that is ended, and its room is served by another; 0 is no limit."""
    drain_s: Annotated[int, Field(ge=0, le=86_400)] = 3_600
    """How long meetings may go on when the worker is asked to stop. What lasts longer goes to another worker,
    which announces itself again."""
    attempts: Annotated[int, Field(ge=0, le=20)] = 3
    """How often a room is served again when whoever served it died within a minute of the last time."""
    host: str = "127.0.0.1"
    """Where /healthz, /readyz and /metrics are served."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8_081
    """0 chooses a free one."""
