"""A real Pipecat service, subclassed as its documentation says, whose every word is a tone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from pipecat.frames.frames import ErrorFrame, Frame, TTSAudioRawFrame
from pipecat.services.settings import TTSSettings
from pipecat.services.tts_service import TTSService

from tests.doubles.openai_voice import tones

WORD_MS = 270


class Tones(TTSService):
    """Says each word as a tone, and when asked to, reports its time."""

    running = 0

    def __init__(self, *, timed: bool = False, **kwargs: Any) -> None:
        super().__init__(
            settings=TTSSettings(model=None, voice=None, language=None),
            push_start_frame=True,
            push_stop_frames=True,
            push_text_frames=not timed,
            **kwargs,
        )
        self._timed = timed

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        Tones.running += 1
        try:
            for index, word in enumerate(text.split()):
                if word == "boom":
                    yield ErrorFrame("could not say what the person wanted")
                    return
                if word == "hang":
                    await asyncio.sleep(3600)
                if word == "slow":
                    await asyncio.sleep(0.05)
                if self._timed:
                    await self.add_word_timestamps([(word, index * WORD_MS / 1000)], context_id)
                if word != "mute":
                    pcm = tones(1, rate_hz=self.sample_rate)
                    yield TTSAudioRawFrame(pcm, self.sample_rate, 1, context_id=context_id)
        finally:
            Tones.running -= 1
