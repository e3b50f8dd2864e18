"""A recording's file: encrypted chunks, one after the other, written while the call runs.

    b"TWINREC1"  rate_hz: u32
    then for each chunk a head (see `_HEAD`) and what the sealer made of the sound

Every chunk is bound to its recording, number, lane, place and length, and the end to the number of chunks before
it. So a chunk that was changed, moved, left out or put in does not open, and a file that was cut short is seen to
have no end. A process that was killed leaves at worst a last chunk that is not whole, which is not read.
"""

from __future__ import annotations

import bisect
import fcntl
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import numpy as np

from compliance.errors import VaultError
from compliance.sound.stretch import Samples

Lane = Literal["caller", "twin"]

SUFFIX = ".rec"
_MAGIC = b"TWINREC1"
_START = struct.Struct(">8sI")
_HEAD = struct.Struct(">BBIQII")
"""Lane, whether it is the end, number, first frame, frames, sealed bytes."""
LANES: tuple[Lane, ...] = ("caller", "twin")
_RAW, _SILENCE = b"\x00", b"\x01"
_MOST_FRAMES = 1 << 20
_SYNC_S = 5.0
"""How often a file is forced to the disk: the most that a power cut takes. A killed process loses none of it."""


class Sealer(Protocol):
    """Closes and opens bytes under one key, from any thread."""

    def seal(self, plain: bytes, *, place: str) -> bytes: ...

    def open(self, sealed: bytes, *, place: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where a chunk is and what it says it holds; only opening it proves that."""

    number: int
    lane: Lane
    start: int
    frames: int
    offset: int
    """Of its sealed bytes in the file."""
    length: int
    end: bool

    def place(self, rate_hz: int) -> str:
        """What its sealed bytes are bound to, besides the recording's key."""
        return f"recordings.{rate_hz}.{self.number}.{self.lane}.{self.start}.{self.frames}.{int(self.end)}"


class ChunkWriter:
    """Makes and fills the file. Its methods block for the disk, and raise `OSError` and what the sealer raises."""

    def __init__(
        self, path: Path, sealer: Sealer, rate_hz: int, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._sealer = sealer
        self._rate_hz = rate_hz
        self._monotonic = monotonic
        self._synced_at = monotonic()
        self.chunks = 0
        self.frames = 0
        """The end of the longer lane."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        # Held while the process lives: whoever finds a file without it knows that its writer is gone.
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _write(self._file, _START.pack(_MAGIC, rate_hz))

    def write(self, lane: Lane, start: int, samples: Samples) -> None:
        """Append the frames of a lane that begin at `start`."""
        plain = _RAW + samples.astype("<i2").tobytes() if samples.any() else _SILENCE
        self._append(lane, start, len(samples), plain, end=False)
        self.frames = max(self.frames, start + len(samples))

    def finish(self) -> None:
        """Append the end, and close."""
        self._append("caller", self.frames, 0, b"", end=True)
        os.fsync(self._file)
        self.close()

    def close(self) -> None:
        """Without an end; safe to call twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _append(self, lane: Lane, start: int, frames: int, plain: bytes, *, end: bool) -> None:
        chunk = Chunk(self.chunks, lane, start, frames, 0, 0, end)
        sealed = self._sealer.seal(plain, place=chunk.place(self._rate_hz))
        head = _HEAD.pack(LANES.index(lane), end, chunk.number, start, frames, len(sealed))
        _write(self._file, head + sealed)
        self.chunks += 1
        if self._monotonic() - self._synced_at >= _SYNC_S:
            os.fsync(self._file)
            self._synced_at = self._monotonic()


class ChunkFile:
    """A recording's file, to read; also while it is written. Blocks. Not for two threads at once."""

    def __init__(self, path: Path) -> None:
        """Raises `VaultError` when it is not there, or not a recording."""
        self._path = path
        self._lanes: dict[Lane, list[Chunk]] = {lane: [] for lane in LANES}
        self._offset = _START.size
        self._end: Chunk | None = None
        self.chunks = 0
        with self._opened() as file:
            start = file.read(_START.size)
        if len(start) < _START.size or not start.startswith(_MAGIC):
            raise VaultError("A recording's file is damaged at its beginning; restore it from the backup.")
        self.rate_hz: int = _START.unpack(start)[1]
        self.refresh()

    @property
    def ended(self) -> bool:
        """The end was found: nothing is missing."""
        return self._end is not None

    @property
    def frames(self) -> int:
        """The end of the longer lane."""
        return max((chunks[-1].start + chunks[-1].frames for chunks in self._lanes.values() if chunks), default=0)

    def refresh(self) -> None:
        """Find the chunks that were appended since. Raises `VaultError` when one is missing or out of order."""
        with self._opened() as file:
            size = os.fstat(file.fileno()).st_size
            while self._end is None and self._offset + _HEAD.size <= size:
                file.seek(self._offset)
                chunk = self._head(file.read(_HEAD.size), self._offset + _HEAD.size)
                if chunk.offset + chunk.length > size:
                    break
                self._offset = chunk.offset + chunk.length
                self.chunks += 1
                if chunk.end:
                    self._end = chunk
                else:
                    self._lanes[chunk.lane].append(chunk)

    def read(self, sealer: Sealer, lane: Lane, start: int, frames: int) -> Samples:
        """Frames of a lane; silence where it has none. Raises `VaultError` when a chunk does not open."""
        out = np.zeros(frames, np.int16)
        with self._opened() as file:
            for chunk in self._within(lane, start, start + frames):
                file.seek(chunk.offset)
                samples = self._open(sealer, chunk, file.read(chunk.length))
                begin, end = max(start, chunk.start), min(start + frames, chunk.start + chunk.frames)
                out[begin - start : end - start] = samples[begin - chunk.start : end - chunk.start]
        return out

    def check(self, sealer: Sealer) -> None:
        """Open every chunk; raises `VaultError` at the first that was changed, and when there is no end."""
        if self._end is None:
            raise VaultError("A recording has no end: its process was killed, or its file was cut short.")
        with self._opened() as file:
            for chunk in (*self._lanes["caller"], *self._lanes["twin"], self._end):
                file.seek(chunk.offset)
                sealer.open(file.read(chunk.length), place=chunk.place(self.rate_hz))

    def _head(self, data: bytes, offset: int) -> Chunk:
        lane, end, number, start, frames, length = _HEAD.unpack(data)
        if lane >= len(LANES) or end > 1 or number != self.chunks or frames > _MOST_FRAMES:
            raise VaultError("A recording's file was changed from outside, or is damaged.")
        return Chunk(number, LANES[lane], start, frames, offset, length, bool(end))

    def _within(self, lane: Lane, start: int, end: int) -> list[Chunk]:
        chunks = self._lanes[lane]
        first = bisect.bisect_right(chunks, start, key=lambda chunk: chunk.start + chunk.frames)
        last = bisect.bisect_left(chunks, end, key=lambda chunk: chunk.start)
        return chunks[first:last]

    def _open(self, sealer: Sealer, chunk: Chunk, sealed: bytes) -> Samples:
        plain = sealer.open(sealed, place=chunk.place(self.rate_hz))
        if plain[:1] == _SILENCE:
            return np.zeros(chunk.frames, np.int16)
        return np.frombuffer(plain, "<i2", offset=1).astype(np.int16)

    def _opened(self) -> BinaryIO:
        try:
            return self._path.open("rb")
        except FileNotFoundError:
            raise VaultError("A recording's file is missing; restore it from the backup.") from None
        except OSError as error:
            raise VaultError(f"A recording's file cannot be read ({error.strerror}).") from error


def write_whole(path: Path, sealer: Sealer, rate_hz: int, samples: Samples) -> tuple[int, int]:
    """A recording of one voice that is known as a whole, on the caller's lane: its frames and chunks.

    Blocks, and raises as `ChunkWriter` does.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    writer = ChunkWriter(path, sealer, rate_hz)
    try:
        step = rate_hz // 2
        for lane, sound in zip(LANES, (samples, np.zeros_like(samples)), strict=True):
            for begin in range(0, len(sound), step):
                writer.write(lane, begin, sound[begin : begin + step])
        writer.finish()
    finally:
        writer.close()
    return writer.frames, writer.chunks


def is_being_written(path: Path) -> bool:
    """Whether a living process, this one included, writes the file."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def wipe(path: Path) -> None:
    """Overwrite the file and remove it; nothing happens when it is not there. Blocks; raises `OSError`.

    What makes the bytes unreadable for sure is the destroyed key: a disk may keep older copies of a block.
    """
    try:
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        left = os.fstat(file).st_size
        zeros = bytes(1 << 20)
        while left > 0:
            left -= os.write(file, zeros[:left])
        os.fsync(file)
        os.ftruncate(file, 0)
    finally:
        os.close(file)
    path.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
