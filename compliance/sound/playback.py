"""A recording as a WAV file that exists only while it is asked for: headers and byte ranges, by arithmetic."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np

Channels = Literal["both", "caller", "twin"]
"""`both`: two channels, the caller on the left and the twin on the right. Else one."""

HEADER_BYTES = 44
_BYTES_PER_SAMPLE = 2
_PIECE_FRAMES = 32
_QUIET = 500
_MOST_DATA = 0xFFFF_FFFF - HEADER_BYTES


@dataclass(frozen=True, slots=True)
class WavFile:
    """The shape of a WAV file of 16-bit samples."""

    rate_hz: int
    channels: int
    frames: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * _BYTES_PER_SAMPLE

    @property
    def data_bytes(self) -> int:
        return self.frames * self.frame_bytes

    @property
    def total_bytes(self) -> int:
        return HEADER_BYTES + self.data_bytes

    @property
    def header(self) -> bytes:
        """The first 44 bytes."""
        # A WAV file cannot say that it is longer than 4 GiB (37 hours); players then read to the end.
        data = min(self.data_bytes, _MOST_DATA)
        return struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF", HEADER_BYTES - 8 + data, b"WAVE",
            b"fmt ", 16, 1, self.channels, self.rate_hz, self.rate_hz * self.frame_bytes, self.frame_bytes, 16,
            b"data", data,
        )  # fmt: skip

    def frames_of(self, first: int, last: int) -> tuple[int, int]:
        """The first frame and the number of frames that bytes `first` to `last` (inclusive) touch."""
        begin = max(0, first - HEADER_BYTES) // self.frame_bytes
        end = min(self.frames, -(-max(0, last + 1 - HEADER_BYTES) // self.frame_bytes))
        return begin, max(0, end - begin)

    def cut(self, pcm: bytes, first: int, last: int) -> bytes:
        """Bytes `first` to `last` of the file; `pcm` are the frames that `frames_of` named."""
        begin, _ = self.frames_of(first, last)
        start = HEADER_BYTES + begin * self.frame_bytes
        head = self.header[first : last + 1]
        return head + pcm[max(0, first - start) : max(0, last + 1 - start)]


@dataclass(frozen=True, slots=True)
class WavRange:
    """A part of the file, as HTTP's `206 Partial Content` wants it."""

    body: bytes
    first: int
    last: int
    """Inclusive."""
    total: int


def loudest(pcm: bytes) -> list[bytes]:
    """The 64 bytes around the loudest of these int16 samples; none when they are quiet."""
    level = np.abs(np.frombuffer(pcm, np.int16).astype(np.int32))
    if not len(level) or level.max() < _QUIET:
        return []
    start = max(0, min(int(level.argmax()), len(level) - _PIECE_FRAMES))
    return [pcm[2 * start : 2 * (start + _PIECE_FRAMES)]]
