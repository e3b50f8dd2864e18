"""First stage: the caller's audio, keys and typed words, as the inlet lets them in."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    InputAudioRawFrame,
    StartFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection

from agent.dialled import Dialled
from agent.stages.frames import TypedFrame
from agent.stages.tasked import TaskedStage
from agent.turns.settings import TurnSettings
from agent.turns.silero import WINDOW_MS, Silero
from agent.turns.voice_activity import Change, VoiceActivity

BACKLOG_CHUNKS = 100
"""Two seconds. More than that is a stalled pipeline, and old sound only makes it later still."""


class Ear(TaskedStage):
    """The inlet's listener. Sound goes on downstream with the caller's onsets and offsets between.

    The inlet may not wait, so sound passes a bounded backlog that drops the oldest; `dropped_chunks` counts them.
    Keys are collected until `#` or a pause and become one typed turn, unless `takes_keys` takes those so far.
    """

    def __init__(
        self, rate_hz: int, settings: TurnSettings, takes_keys: Callable[[str], bool] = lambda keys: False
    ) -> None:
        super().__init__("ear")
        self.dropped_chunks = 0
        self.rate_hz = rate_hz
        self._keys = Dialled(self.text, takes_keys)
        self._silero = Silero(rate_hz)
        self._activity = VoiceActivity(
            window_ms=WINDOW_MS,
            onset_ms=settings.onset_ms,
            offset_ms=settings.offset_ms,
            threshold=settings.threshold,
        )
        self._backlog: deque[bytes] = deque()
        self._typed: deque[str] = deque(maxlen=20)
        self._wake = asyncio.Event()

    @property
    def hears_speech(self) -> bool:
        """Whether the caller speaks, as far as it has listened."""
        return self._activity.speaking

    def audio(self, pcm: bytes) -> None:
        """From the inlet."""
        if len(self._backlog) >= BACKLOG_CHUNKS:
            self._backlog.popleft()
            self.dropped_chunks += 1
        self._backlog.append(pcm)
        self._wake.set()

    def digit(self, digit: str) -> None:
        """From the inlet."""
        self._keys.press(digit)

    def text(self, text: str) -> None:
        """From the inlet."""
        self._typed.append(text)
        self._wake.set()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, StartFrame):
            self._task = self.create_task(self._listen(), "ear")
        elif isinstance(frame, (EndFrame, CancelFrame)):
            await self._stop()
        await self.push_frame(frame, direction)

    async def _stop(self) -> None:
        self._keys.stop()
        await super()._stop()

    async def _listen(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._typed:
                await self.push_frame(TypedFrame(self._typed.popleft()))
            while self._backlog:
                await self._hear(self._backlog.popleft())

    async def _hear(self, pcm: bytes) -> None:
        await self.push_frame(InputAudioRawFrame(audio=pcm, sample_rate=self.rate_hz, num_channels=1))
        for probability in self._silero.probabilities(pcm):
            match self._activity.on(probability):
                case Change.ONSET:
                    await self.push_frame(VADUserStartedSpeakingFrame())
                case Change.OFFSET:
                    silent_s = self._activity.silent_ms / 1000
                    await self.push_frame(VADUserStoppedSpeakingFrame(stop_secs=silent_s))
                case None:
                    pass
