"""What is to be done to somebody's memories."""

from __future__ import annotations

from dataclasses import dataclass

from persona.source import Memory


@dataclass(frozen=True, slots=True)
class Keep:
    """Remember something new."""

    memory: Memory


@dataclass(frozen=True, slots=True)
class Replace:
    """What was remembered under `old_id` is no longer so; this is."""

    old_id: str
    memory: Memory


@dataclass(frozen=True, slots=True)
class Drop:
    """What was remembered under `id` is no longer so, and nothing takes its place."""

    id: str


Change = Keep | Replace | Drop
