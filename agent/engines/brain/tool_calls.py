"""Tools in OpenAI's chat completions: what a request says of them, and putting streamed calls together. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from persona.tool import Exchange, Tool, ToolCall

MOST_CALLS = 16
ARGUMENT_CHARS = 20_000
"""A model that writes on and on is not listened to."""


def as_functions(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """For the `tools` of a request."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.about, "parameters": dict(tool.parameters)},
        }
        for tool in tools
    ]


def as_messages(exchanges: Sequence[Exchange]) -> list[dict[str, Any]]:
    """What was asked for and what came of it, to follow the caller's last words."""
    messages: list[dict[str, Any]] = []
    for exchange in exchanges:
        calls = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in exchange.calls
        ]
        messages.append({"role": "assistant", "content": None, "tool_calls": calls})
        messages += [
            {"role": "tool", "tool_call_id": call.id, "content": result}
            for call, result in zip(exchange.calls, exchange.results, strict=True)
        ]
    return messages


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""


class Calls:
    """The calls of one answer, as their pieces stream in."""

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}

    def feed(self, deltas: Sequence[Mapping[str, Any]]) -> None:
        """The `tool_calls` of one event. Raises `TypeError`, `ValueError` or `AttributeError` for what is none."""
        for nth, delta in enumerate(deltas):
            # Some servers send whole calls without an index.
            at = int(delta.get("index", nth if len(deltas) > 1 else len(self._calls)))
            if at not in self._calls and len(self._calls) >= MOST_CALLS:
                continue
            call = self._calls.setdefault(at, _Call())
            function = delta.get("function") or {}
            call.id = call.id or str(delta.get("id") or "")
            call.name += str(function.get("name") or "")
            if len(call.arguments) < ARGUMENT_CHARS:
                call.arguments += str(function.get("arguments") or "")

    @property
    def whole(self) -> tuple[ToolCall, ...]:
        """What was asked for, in order; an id where the server gave none."""
        return tuple(
            ToolCall(call.id or f"call_{at}", call.name, call.arguments)
            for at, call in sorted(self._calls.items())
            if call.name
        )
