"""A Pipecat voice in a process of its own: for GPL libraries, and for models that would hold up the calls."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict

from agent.engines.base import EngineConfig, VoiceChunk
from agent.engines.child import Child
from agent.engines.voice.estimate import Estimate, Pace, unspoken
from agent.engines.voice.written import encodable, written_words
from compliance.errors import EngineFailed

_READY_S = 600.0
"""The first start fetches the model."""
_RATE_HZ = 24000


class VoiceApart:
    """A `Voice`. Times are estimates."""

    def __init__(self, config: EngineConfig, module: str = "agent.engines.voice.voice_child") -> None:
        """`module` is what the child runs."""
        self._config = config
        # The settings of a local voice hold no secrets; arguments of a process can be read by others.
        settings = json.dumps(asdict(config) | {"cache": str(config.cache), "secrets": {}})
        self._child = Child(module, (settings,), name=config.name, ready_timeout_s=_READY_S)
        self._pace = Pace()

    @property
    def name(self) -> str:
        """The name it is chosen by."""
        return self._config.name

    @property
    def pid(self) -> int | None:
        """The child's process id while it is up."""
        return self._child.pid

    async def start(self) -> None:
        """Start the child and load the model, which the first time is downloaded. Raises `EngineMissing`,
        `EngineFailed`, `EngineTimeout`."""
        await self._child.start()

    async def close(self) -> None:
        """End the child within 5 s."""
        await self._child.close()

    async def speak(self, text: str, *, language: str) -> AsyncGenerator[VoiceChunk, None]:
        """Stream one sentence; see `Voice.speak`."""
        if not any(word.spoken for word in written_words(text)):
            if (chunk := unspoken(text, _RATE_HZ)) is not None:
                yield chunk
            return
        estimate: Estimate | None = None
        rate_hz = _RATE_HZ
        messages = self._child.stream(
            "say", encodable(text).encode(), timeout_s=self._config.total_timeout_s, language=language
        )
        async with aclosing(messages):
            async for message in messages:
                rate_hz = message.fields["rate_hz"]
                estimate = estimate or Estimate(text, self._pace, rate_hz)
                yield VoiceChunk(message.payload, rate_hz, estimate.feed(message.payload))
        if estimate is None:
            raise EngineFailed(f"{self.name}: the voice made no sound")
        yield VoiceChunk(b"", rate_hz, estimate.finish())
