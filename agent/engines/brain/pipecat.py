"""Language models by name through Pipecat's services. The libraries load when a brain starts."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from agent.engines.base import EngineConfig, Piece
from agent.engines.brain.services import SERVICES, build
from agent.engines.brain.tool_calls import as_messages
from agent.engines.lines import Line, Lines
from compliance.errors import EngineFailed
from persona.prompt import Prompt, chat_messages
from persona.tool import Tool, ToolCall

CARDS = tuple(service.card for service in SERVICES.values())

CLIENT_LIMIT_S = 1.0
MOST_ANSWERS = 64
"""At once; each has a service of its own, which holds a connection or two."""


def create(config: EngineConfig) -> PipecatBrain:
    """The engine of that name. Raises `EngineMissing` or `SettingsError` when it starts, not here."""
    return PipecatBrain(config)


class _Answering(Line):
    """A service, and the tools it asked for."""

    def __init__(self, name: str, service: Any) -> None:
        from pipecat.frames.frames import InterruptionFrame, LLMFullResponseEndFrame, LLMTextFrame

        from agent.engines.hosted import Hosted

        self.calls: list[ToolCall] = []
        self._service = service
        self._system = ""
        # Pipecat would do it itself, and ask the model again; here the one who answers does both.
        service.run_function_calls = self._collect
        super().__init__(
            name, Hosted(service, name=name, wanted=(InterruptionFrame, LLMFullResponseEndFrame, LLMTextFrame))
        )

    async def instruct(self, system: str) -> None:
        """What the service is told before the conversation; each provider takes it in another place."""
        from pipecat.frames.frames import LLMUpdateSettingsFrame
        from pipecat.services.settings import LLMSettings

        if system != self._system:
            await self.put(LLMUpdateSettingsFrame(delta=LLMSettings(system_instruction=system)))
            self._system = system

    async def close(self) -> None:
        """End the service, and the connections of its client, which Pipecat leaves open."""
        await super().close()
        close = getattr(getattr(self._service, "_client", None), "close", None)
        if close is not None and inspect.isawaitable(closing := close()):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLIENT_LIMIT_S):
                    await closing

    async def _collect(self, calls: Sequence[Any]) -> None:
        self.calls += [
            ToolCall(call.tool_call_id, call.function_name, json.dumps(dict(call.arguments))) for call in calls
        ]


class PipecatBrain:
    """A `Brain` over a pool of running services, one per answer at a time."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._lines: Lines[_Answering] = Lines(f"brain {config.name}", self._make, most=MOST_ANSWERS)

    @property
    def name(self) -> str:
        return self._config.name

    async def start(self) -> None:
        """Make one service, so that what is missing is said now. Raises `EngineError` or `SettingsError`."""
        self._lines.open()
        self._lines.back(await self._lines.lend(), whole=True)

    async def close(self) -> None:
        """Close all services, within 5 s."""
        await self._lines.close()

    async def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Stream the answer; see `Brain.answer`."""
        from pipecat.frames.frames import ErrorFrame, LLMContextFrame, LLMFullResponseEndFrame, LLMTextFrame

        line = await self._lines.lend()
        line.calls = []
        whole = spoke = False
        try:
            await line.instruct(prompt.system)
            await line.put(LLMContextFrame(context=_context(prompt)))
            while True:
                limit_s = self._config.total_timeout_s if spoke else self._config.first_token_timeout_s
                frame = await line.frame(limit_s)
                if isinstance(frame, ErrorFrame):
                    raise EngineFailed(f"{self.name}: the model could not answer; check its key and [brain] model")
                if isinstance(frame, LLMTextFrame) and frame.text:
                    spoke = True
                    yield Piece(frame.text)
                elif isinstance(frame, LLMFullResponseEndFrame):
                    whole = True
                    break
        finally:
            self._lines.back(line, whole=whole)
        for call in line.calls:
            yield Piece("", call=call)
        if not spoke and not line.calls:
            raise EngineFailed(f"{self.name}: the model answered without a word")

    def _make(self, key: str) -> _Answering:
        return _Answering(self.name, build(SERVICES[self.name], self._config))


def _context(prompt: Prompt) -> Any:
    """The prompt as Pipecat's universal context, which each service's adapter puts into its provider's form."""
    from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
    from pipecat.processors.aggregators.llm_context import LLMContext

    messages: list[Any] = [*chat_messages(prompt)[1:], *as_messages(prompt.exchanges)]
    if not prompt.tools:
        return LLMContext(messages)
    return LLMContext(messages, tools=ToolsSchema(standard_tools=[_schema(tool) for tool in prompt.tools]))


def _schema(tool: Tool) -> Any:
    from pipecat.adapters.llm.schemas.function_schema import FunctionSchema

    return FunctionSchema(
        name=tool.name,
        description=tool.about,
        properties=dict(tool.parameters.get("properties", {})),
        required=list(tool.parameters.get("required", ())),
    )
