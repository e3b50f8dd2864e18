"""A call of which something is to be remembered, and how it is stored until that is done."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from persona.memory.changes import Change, Drop, Keep, Replace
from persona.source import Memory


@dataclass(frozen=True, slots=True)
class Job:
    """One call to be worked through."""

    call_id: str
    subject: str
    person: str = ""
    """Who spoke, by name, where the call made that sure."""
    attempts: int = 0
    """How often it was taken, also by processes that died over it."""
    plan: tuple[Change, ...] | None = None
    """What is to be written, once it was worked out; None before. So a second attempt writes the very same."""
    through: int = -1
    """The last turn that the plan covers."""
    error: str = ""
    """The code of the last failure."""
    row: int = 0
    """Where it is stored."""
    stamp_ms: int = 0
    """The lease: the value of `at_ms` that this holder wrote."""


def to_bytes(job: Job) -> bytes:
    """The job as it is sealed; where it is stored is not part of it."""
    value = {
        "call_id": job.call_id,
        "subject": job.subject,
        "person": job.person,
        "attempts": job.attempts,
        "plan": None if job.plan is None else [_plain(change) for change in job.plan],
        "through": job.through,
        "error": job.error,
    }
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def from_bytes(data: bytes, *, row: int, stamp_ms: int) -> Job:
    """What `to_bytes` was given."""
    value = json.loads(data)
    plan = value.pop("plan")
    changes = None if plan is None else tuple(_change(entry) for entry in plan)
    return Job(**value, plan=changes, row=row, stamp_ms=stamp_ms)


def _plain(change: Change) -> dict[str, Any]:
    match change:
        case Keep(memory):
            return {"memory": _of_memory(memory)}
        case Replace(old_id, memory):
            return {"old": old_id, "memory": _of_memory(memory)}
        case Drop(old_id):
            return {"old": old_id}


def _of_memory(memory: Memory) -> list[Any]:
    return [memory.id, memory.text, memory.at_ms, memory.about, memory.person, memory.call_id]


def _change(value: dict[str, Any]) -> Change:
    if "memory" not in value:
        return Drop(value["old"])
    memory = Memory(*value["memory"])
    return Replace(value["old"], memory) if "old" in value else Keep(memory)
