"""A recording as it is made: calls drop sound into bounded queues, and one thread lays, seals and writes it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from compliance.errors import KeyGone
from compliance.sound.chunks import ChunkWriter, Lane, Sealer
from compliance.sound.stretch import Samples
from compliance.sound.tracks import CallerTrack, TwinTrack

logger = logging.getLogger(__name__)

State = Literal["live", "ended", "interrupted", "failed", "forgotten"]

CHUNK_MS = 500
POLL_MS = 100
"""With the tracks' wait and a chunk: what a killed process loses is under a second."""
MAX_PIECES = 1_500
"""About 15 s of both sides. A disk that stands still for longer costs what comes after, which is counted; the call
must not wait for it, and its memory must not grow."""


@dataclass(frozen=True, slots=True)
class Taped:
    """How a recording ended."""

    state: State
    frames: int = 0
    chunks: int = 0
    frames_lost: int = 0
    """Of the caller: silence that stands for sound that never arrived."""
    frames_cut: int = 0
    """Of the caller: sound that had no time on the outlet's clock."""


class _Piece(NamedTuple):
    what: Literal["caller", "twin", "unheard"]
    pcm: bytes
    position: int
    end: int = 0


class Tape:
    """The queue on the call's side, the tracks and the file on the thread's."""

    def __init__(
        self,
        path: Path,
        sealer: Callable[[], Sealer],
        *,
        clock_hz: int,
        caller_hz: int,
        rate_hz: int,
        position: int,
    ) -> None:
        """`sealer` is called on the thread, because making a key may take a commit."""
        self.done: Future[Taped] = Future()
        """Resolved when nothing more will be written."""
        self.dropped = 0
        """Pieces that found the queue full."""
        self._path = path
        self._sealer = sealer
        self._clock_hz, self._rate_hz = clock_hz, rate_hz
        self._start = self._now = position
        self._queue: deque[_Piece] = deque()
        self._ending = False
        self._writer: ChunkWriter | None = None
        self._twin = TwinTrack(clock_hz=clock_hz, rate_hz=rate_hz, start=position)
        self._caller = CallerTrack(caller_hz=caller_hz, rate_hz=rate_hz)
        self._chunk = CHUNK_MS * rate_hz // 1000
        self._uncut: dict[Lane, list[Samples]] = {"caller": [], "twin": []}
        self._written: dict[Lane, int] = {"caller": 0, "twin": 0}

    def put(self, what: Literal["caller", "twin"], pcm: bytes, position: int) -> None:
        """From the call's thread: never waits, never raises."""
        if len(self._queue) < MAX_PIECES:
            self._queue.append(_Piece(what, pcm, position))
        else:
            self.dropped += 1

    def unheard(self, begin: int, end: int) -> None:
        """From the call's thread: the wire threw these positions away."""
        if len(self._queue) < MAX_PIECES:
            self._queue.append(_Piece("unheard", b"", begin, end))

    def end(self) -> None:
        """From the call's thread: what was put by now is the last."""
        self._ending = True

    def turn(self) -> bool:
        """On the thread: write what is due. True when the tape is at its end."""
        try:
            # Read before the queue is emptied: what was put before it was set is then surely in the queue.
            ending = self._ending
            self._empty_queue()
            self._lay(ending=ending)
            if not ending:
                return False
            self._open_writer().finish()
            self._finish("ended")
        except KeyGone:
            self._finish("forgotten")
        except Exception as error:  # noqa: BLE001  whatever breaks one recording, the thread writes the others
            logger.error("a recording could not be written", extra={"error": type(error).__name__})
            self._finish("failed")
        return True

    def _empty_queue(self) -> None:
        while self._queue:
            piece = self._queue.popleft()
            if piece.what == "unheard":
                self._twin.unheard(piece.position, piece.end)
                continue
            samples = np.frombuffer(piece.pcm, np.int16)
            self._now = max(self._now, piece.position)
            if piece.what == "caller":
                self._caller.add(samples, self._frame(piece.position))
            else:
                self._twin.add(samples, piece.position)
                self._now = max(self._now, piece.position + len(samples))

    def _lay(self, *, ending: bool) -> None:
        now = self._frame(self._now)
        self._cut("caller", self._caller.take(now, ending=ending), ending=ending)
        self._cut("twin", self._twin.take(now, ending=ending), ending=ending)

    def _cut(self, lane: Lane, samples: Samples, *, ending: bool) -> None:
        """Write whole chunks; at the end also the last one."""
        uncut = self._uncut[lane]
        uncut.append(samples)
        have = sum(map(len, uncut))
        if have < self._chunk and not (ending and have):
            return
        joined = np.concatenate(uncut)
        size = self._chunk
        for begin in range(0, have if ending else have - size + 1, size):
            chunk = joined[begin : begin + size]
            self._open_writer().write(lane, self._written[lane], chunk)
            self._written[lane] += len(chunk)
        self._uncut[lane] = [] if ending else [joined[have - have % size :]]

    def _frame(self, position: int) -> float:
        return (position - self._start) * self._rate_hz / self._clock_hz

    def _open_writer(self) -> ChunkWriter:
        if self._writer is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._writer = ChunkWriter(self._path, self._sealer(), self._rate_hz)
        return self._writer

    def _finish(self, state: State) -> None:
        writer = self._writer
        frames, chunks = (writer.frames, writer.chunks) if writer else (0, 0)
        if writer:
            writer.close()
        self._queue.clear()
        self.done.set_result(Taped(state, frames, chunks, self._caller.frames_lost, self._caller.frames_cut))


class Deck:
    """The thread that turns every tape of the process."""

    def __init__(self) -> None:
        self._thread = threading.Thread(target=self._main, name="recordings", daemon=True)
        self._wake = threading.Event()
        self._tapes: deque[Tape] = deque()
        """Appended by calls, taken by the thread."""
        self._closing = False

    def start(self) -> None:
        """Start the thread; it is a daemon, so that a forgotten `stop` cannot keep the process alive."""
        self._thread.start()

    def add(self, tape: Tape) -> None:
        """Turn this tape until its end."""
        self._tapes.append(tape)

    def wake(self) -> None:
        """Something is due at once."""
        self._wake.set()

    def stop(self, limit_s: float) -> bool:
        """End the thread when every tape is at its end; false when the limit came first. Blocks."""
        self._closing = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(limit_s)
        return not self._thread.is_alive()

    def _main(self) -> None:
        while self._tapes or not self._closing:
            self._wake.wait(POLL_MS / 1000)
            self._wake.clear()
            for _ in range(len(self._tapes)):
                tape = self._tapes.popleft()
                if not tape.turn():
                    self._tapes.append(tape)
