"""Any Pipecat service (speech or voice) driven from outside a call's pipeline.

An engine here answers to its caller's calls and limits; a Pipecat service answers to frames in a pipeline.
`Hosted` runs the service in a pipeline of its own and turns it into: frames in, frames out, and an error that
reaches whoever waits. The real `PipelineWorker` does the driving, for services rely on much of it (setup before
start, the clock, tasks, the unusable flag), and it is pinned.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator

from pipecat.frames.frames import EndFrame, ErrorFrame, Frame, InputAudioRawFrame, StartFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner

from compliance.errors import EngineError, EngineFailed, EngineTimeout

logger = logging.getLogger(__name__)

MAX_UNREAD_FRAMES = 2048
"""About 40 s of 20 ms audio; a reader that far behind loses the service, for a gap would be worse."""


class _Tap(FrameProcessor):
    """Sits on one side of the service and hands on what passes in one direction."""

    def __init__(self, hosted: Hosted, direction: FrameDirection) -> None:
        super().__init__(enable_direct_mode=True)
        self._hosted = hosted
        self._direction = direction

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if direction == self._direction and not isinstance(frame, StartFrame):
            self._hosted.take(frame)
        await self.push_frame(frame, direction)


class Hosted:
    """One service, running. One reader at a time."""

    def __init__(
        self,
        service: FrameProcessor,
        *,
        name: str,
        wanted: tuple[type[Frame], ...],
        audio_in_hz: int = 16000,
        audio_out_hz: int = 24000,
        start_timeout_s: float = 10.0,
    ) -> None:
        """`wanted` are the frames that `frames` yields; `ErrorFrame` is always among them."""
        self._name = name
        self._wanted = (*wanted, ErrorFrame)
        self._start_timeout_s = start_timeout_s
        self._params = PipelineParams(audio_in_sample_rate=audio_in_hz, audio_out_sample_rate=audio_out_hz)
        self._service = service
        self._unread: deque[Frame] = deque()
        self._news = asyncio.Event()  # something was taken, or it failed
        self._settled = asyncio.Event()  # it works, or it failed
        self._failure: EngineError | None = None
        self._worker: PipelineWorker | None = None
        self._runner: WorkerRunner | None = None
        self._running: asyncio.Task[None] | None = None
        self._audio_in_flight = 0
        self._passed = asyncio.Event()  # the service passed audio on, or it failed

    @property
    def audio_in_flight(self) -> int:
        """Audio frames put in that the service has not passed on yet: how far behind it is."""
        return self._audio_in_flight

    async def start(self) -> None:
        """Connect the service and wait until it works. Raises `EngineFailed` or `EngineTimeout`."""
        pipeline = Pipeline(
            [_Tap(self, FrameDirection.UPSTREAM), self._service, _Tap(self, FrameDirection.DOWNSTREAM)]
        )
        self._worker = PipelineWorker(
            pipeline,
            params=self._params,
            enable_rtvi=False,
            enable_turn_tracking=False,
            idle_timeout_secs=None,
            check_dangling_tasks=False,
            cancel_timeout_secs=1.0,
            setup_timeout_secs=self._start_timeout_s,
            start_timeout_secs=self._start_timeout_s,
        )

        async def on_started(_worker: PipelineWorker, _frame: Frame) -> None:
            self._settled.set()

        self._worker.add_event_handler("on_pipeline_started", on_started)
        self._runner = WorkerRunner(handle_sigint=False, check_dangling_tasks=False)
        await self._runner.add_workers(self._worker)
        self._running = asyncio.create_task(self._runner.run(), name=f"hosted {self._name}")
        self._running.add_done_callback(self._on_end)
        try:
            async with asyncio.timeout(self._start_timeout_s):
                await self._settled.wait()
        except TimeoutError:
            self._fail(EngineTimeout(f"{self._name}: not ready within {self._start_timeout_s:g} s"))
        if self._failure is not None:
            failure = self._failure
            await self.close()
            raise type(failure)(failure.message)

    async def put(self, *frames: Frame) -> None:
        """Give the service frames, in order. Never waits for it. Raises `EngineFailed` when it is gone."""
        if self._worker is None or self._failure is not None:
            raise self._gone()
        for frame in frames:
            if isinstance(frame, InputAudioRawFrame):
                self._audio_in_flight += 1
            await self._worker.queue_frame(frame)

    async def room(self, max_in_flight: int) -> None:
        """Wait until the service is less than so many audio frames behind, or gone."""
        while self._audio_in_flight >= max_in_flight and self._failure is None:
            self._passed.clear()
            await self._passed.wait()

    async def frames(self) -> AsyncIterator[Frame]:
        """What the service says, until `close`.

        An `ErrorFrame` is yielded as long as the service says that it goes on; one that ends its work is
        raised as `EngineFailed`, and so is the end of its pipeline.
        """
        while True:
            while self._unread:
                yield self._unread.popleft()
            if self._failure is not None:
                raise self._gone()
            self._news.clear()
            await self._news.wait()

    def take(self, frame: Frame) -> None:
        """A frame left the service (called by the taps)."""
        if isinstance(frame, InputAudioRawFrame):
            self._audio_in_flight -= 1
            self._passed.set()
        if not isinstance(frame, self._wanted) or self._failure is not None:
            return
        if isinstance(frame, ErrorFrame) and not self._usable(frame):
            self._fail(EngineFailed(f"{self._name}: the service refused to work; check its key and address"))
        elif len(self._unread) >= MAX_UNREAD_FRAMES:
            self._fail(EngineFailed(f"{self._name}: its frames were not read in time"))
        else:
            self._unread.append(frame)
            self._news.set()

    def _usable(self, error: ErrorFrame) -> bool:
        processor = error.processor
        return processor is None or processor.is_usable

    def _fail(self, failure: EngineError) -> None:
        if self._failure is None:
            self._failure = failure
        self._news.set()
        self._settled.set()
        self._passed.set()

    def _on_end(self, running: asyncio.Task[None]) -> None:
        if not running.cancelled() and (error := running.exception()):
            logger.error("hosted service broke", extra={"service": self._name, "error": type(error).__name__})
        self._fail(EngineFailed(f"{self._name}: the service ended"))

    def _gone(self) -> EngineError:
        failure = self._failure or EngineFailed(f"{self._name}: not running")
        return type(failure)(failure.message)

    async def close(self, limit_s: float = 2.0) -> None:
        """End it within `limit_s`: politely, then by cancelling, then by force. Safe to call twice."""
        self._fail(EngineFailed(f"{self._name}: closed"))
        running, self._running = self._running, None
        if running is None or self._worker is None or self._runner is None:
            return
        # Pipecat waits for an EndFrame without a limit, and a cancel that follows a stuck one may be lost.
        await self._worker.queue_frame(EndFrame())
        await asyncio.wait({running}, timeout=limit_s * 0.4)
        if not running.done():
            await self._runner.cancel()
            await asyncio.wait({running}, timeout=limit_s * 0.4)
        if not running.done():
            await self._force(self._runner, running, limit_s * 0.2)

    async def _force(self, runner: WorkerRunner, running: asyncio.Task[None], limit_s: float) -> None:
        """Cancel every task that the service and its pipeline have: a stuck one keeps the others alive."""
        pending = {running, *runner.task_manager.current_tasks()}
        for _ in range(10):  # Pipecat answers a first cancel by waiting for the stuck part again
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=limit_s / 10)
            if not pending:
                return
        logger.error("hosted service does not end", extra={"service": self._name, "tasks": len(pending)})
