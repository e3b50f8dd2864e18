"""The tools of one call: what there is, and doing it within its limits. A tool that fails says so to the model."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.errors import TwinError
from persona.tool import Tool, ToolCall

logger = logging.getLogger(__name__)

ARGUMENT_CHARS = 4_000
RESULT_CHARS = 2_000
"""What a model gets back at most; a calendar may be long."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a tool."""

    text: str
    """For the model."""
    goodbye: bool = False
    """The call is over once what is said was heard."""
    failed: bool = False
    """It was not done, and `text` says why."""


Run = Callable[[Mapping[str, Any]], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Handle:
    """A tool, how it is done, and how long that may take."""

    tool: Tool
    run: Run
    """Raises `TwinError`, whose message the model is told."""
    limit_s: float = 3.0


class Toolbox:
    """`record` is told of each use and what came of it, without anybody's words."""

    def __init__(
        self,
        handles: Sequence[Handle],
        record: Callable[[str, dict[str, object]], None],
        *,
        screened: Callable[[str], str] = lambda text: text,
    ) -> None:
        """`screened` gives what a tool found as a model may see it."""
        self._screened = screened
        self._handles = {handle.tool.name: handle for handle in handles}
        self._record = record

    @property
    def tools(self) -> tuple[Tool, ...]:
        """For the prompt."""
        return tuple(handle.tool for handle in self._handles.values())

    async def use(self, call: ToolCall) -> Result:
        """Do it. Whatever goes wrong is the result; only a cancellation comes out."""
        handle = self._handles.get(call.name)
        if handle is None:
            return self._told(call, "unknown", f"There is no tool {call.name[:40]!r}.")
        try:
            arguments = _arguments(call.arguments, handle.tool.parameters)
        except ValueError as error:
            return self._told(call, "refused", f"The arguments are wrong: {error}")
        try:
            async with asyncio.timeout(handle.limit_s):
                result = await handle.run(arguments)
        except TimeoutError:
            return self._told(call, "late", "That took too long; say so, and offer to take a message.")
        except TwinError as error:
            return self._told(call, error.code, f"That did not work: {error.message}")
        except Exception as error:  # noqa: BLE001  a defect of one tool must not end the caller's answer
            logger.error("a tool broke", extra={"tool": call.name, "error": type(error).__name__})
            return self._told(call, "broken", "That did not work; say so, and offer to take a message.")
        self._record("tool_used", {"tool": call.name, "outcome": "done"})
        return Result(self._screened(result.text[:RESULT_CHARS]), result.goodbye)

    def _told(self, call: ToolCall, outcome: str, text: str) -> Result:
        name = call.name if call.name in self._handles else "unknown"
        self._record("tool_used", {"tool": name, "outcome": outcome})
        return Result(text, failed=True)


_KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


def _arguments(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as the schema has them. Raises `ValueError` in words for the model."""
    if len(text) > ARGUMENT_CHARS:
        raise ValueError(f"more than {ARGUMENT_CHARS} characters")
    try:
        given = json.loads(text or "{}")
    except (json.JSONDecodeError, RecursionError):
        raise ValueError("they are no JSON") from None
    if not isinstance(given, dict):
        raise ValueError("they are no JSON object")
    properties: Mapping[str, Any] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if not given.get(name):
            raise ValueError(f"{name!r} is missing")
    for name, value in given.items():
        if name not in properties:
            raise ValueError(f"there is no {name[:40]!r}")
        kind = _KINDS.get(properties[name].get("type", ""))
        if kind is not None and not isinstance(value, kind):
            raise ValueError(f"{name!r} must be a {properties[name]['type']}")
        choices = properties[name].get("enum")
        if choices and value not in choices:
            raise ValueError(f"{name!r} must be one of {', '.join(map(str, choices))}")
    return given
