"""Hosts one local Pipecat voice in this process. Run by `Child`; see `apart.py`.

Its argument is the `EngineConfig` as JSON.

    say: payload the text (UTF-8); field language
      -> messages with int16 mono audio as payload and the field `rate_hz`
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.engines.base import EngineConfig, VoiceChunk
from agent.engines.child import Job, Message, serve
from agent.engines.voice.limits import Limits
from agent.engines.voice.pool import PipecatVoice
from agent.engines.voice.services import SERVICES, build

_POLL_S = 0.05
"""How soon a cancelled job is noticed while the model works."""


class VoiceHere:
    """The voice and the event loop it lives in; the loop runs only while there is a job."""

    def __init__(self, config: EngineConfig, make: Any = None) -> None:
        self._config = config
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        limits = Limits(first_audio_s=config.total_timeout_s, total_s=10 * config.total_timeout_s)
        self._voice = PipecatVoice(
            config.name,
            make or (lambda language: build(SERVICES[config.name], config, language)),
            language=config.language,
            timed=False,
            limits=limits,
        )

    def setup(self) -> Mapping[str, Any]:
        """Load the model; the first time it is downloaded."""
        from loguru import logger

        logger.disable("pipecat")  # it logs every sentence that is said
        self._loop.run_until_complete(self._voice.start())
        return {}

    def say(self, job: Job) -> Iterator[Message]:
        """Answer one job; see the module."""
        # A model speaks the language it was loaded for; another would load a second one in mid-call.
        chunks = self._voice.speak(job.payload.decode(), language=self._config.language)
        try:
            while (chunk := self._next(chunks, job)) is not None:
                if chunk.pcm:
                    yield Message({"rate_hz": chunk.rate_hz}, chunk.pcm)
        finally:
            self._loop.run_until_complete(chunks.aclose())

    def _next(self, chunks: Any, job: Job) -> VoiceChunk | None:
        async def one() -> VoiceChunk | None:
            waiting = asyncio.ensure_future(anext(chunks, None))
            while not waiting.done() and not job.cancelled:
                await asyncio.wait({waiting}, timeout=_POLL_S)
            if not waiting.done():
                waiting.cancel()
                await asyncio.wait({waiting}, timeout=1.0)
                return None
            chunk: VoiceChunk | None = waiting.result()
            return chunk

        return self._loop.run_until_complete(one())


def main() -> None:
    """Serve until the parent is gone."""
    settings = json.loads(sys.argv[1])
    voice = VoiceHere(EngineConfig(**settings | {"cache": Path(settings["cache"])}))
    serve(voice.say, setup=voice.setup)


if __name__ == "__main__":
    main()
