"""What a brain may ask the twin to do besides speaking, as a model is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Tool:
    """One thing that can be done."""

    name: str
    about: str
    """When to use it and what comes of it, for a model."""
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})
    """JSON Schema of its arguments."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A brain wants it done."""

    id: str
    name: str
    arguments: str
    """JSON, as the model wrote it; perhaps broken."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked for within one answer, and what came of it."""

    calls: tuple[ToolCall, ...]
    results: tuple[str, ...]
    """One for each call, in their order."""
