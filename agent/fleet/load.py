"""Whether a worker takes one room more, and how busy it says it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from agent.fleet.settings import WorkerSettings

FULL = 1.0
MOST_TOLD = 0.6


@dataclass(frozen=True, slots=True)
class Burden:
    """What a worker carries at one moment."""

    rooms: int
    """Served now."""
    coming: int = 0
    """Taken on, and not yet served."""
    memory_mb: float = float("inf")
    """Free on this machine."""
    cpu: float = 0.0
    """How much of this machine works, 0 to 1."""
    draining: bool = False


def refusal(burden: Burden, settings: WorkerSettings) -> str:
    """Why no further room is taken on, or empty.

    The processor is no reason: while twenty rooms begin it is busy with that, and refusing for it would leave
    rooms without a twin on a machine that could carry them.
    """
    if burden.draining:
        return "draining"
    if burden.rooms + burden.coming >= settings.max_rooms:
        return "full"
    if burden.memory_mb < settings.room_memory_mb * (1 + burden.coming):
        return "memory"
    return ""


def load(burden: Burden, settings: WorkerSettings) -> float:
    """How busy the worker is, 0 to 1; 1 takes no further room."""
    if refusal(burden, settings):
        return FULL
    taken = (burden.rooms + burden.coming) / settings.max_rooms
    return min(0.99, max(taken, 0.9 * burden.cpu))


def told(busy: float) -> float:
    """The same for a LiveKit server, which offers nothing to who says 0.7 or more (its `agents.target_load`) and
    rather something to who says less."""
    return busy if busy >= FULL else busy * MOST_TOLD
