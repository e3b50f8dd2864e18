"""How decoded sound goes from the process that reads a file to the one that listens: blocks of one channel each.

A block is a head of 8 bytes (track, channel, two bytes of nothing, number of samples) and the samples, float32 at
`RATE_HZ`. The last block belongs to no track and says how it ended.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 8_000
MAX_SAMPLES = 1 << 20
"""In one block; a reader that says more is not ours any more."""
MAX_TRACKS = 4
MAX_CHANNELS = 8
_HEAD = struct.Struct("<BBxxI")
_SAMPLE_BYTES = 4
_END = 255

Sound = NDArray[np.float32]


class Ending(IntEnum):
    """How the reading of a file ended."""

    WHOLE = 0
    DAMAGED = 1
    """Parts of it, or its end, could not be read; what came before is good."""
    UNREADABLE = 2
    SILENT = 3
    """A file of a kind we know, with no sound in it."""
    LONG = 4
    HEAVY = 5
    """It took more time or memory than it was given."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some samples of one channel, following those before it."""

    track: int
    channel: int
    samples: Sound


def write_block(stream: BinaryIO, block: Block) -> None:
    """Write it in as many pieces as it needs. Raises `OSError`."""
    samples = np.ascontiguousarray(block.samples, dtype="<f4")
    for start in range(0, len(samples), MAX_SAMPLES):
        piece = samples[start : start + MAX_SAMPLES]
        stream.write(_HEAD.pack(block.track, block.channel, len(piece)))
        stream.write(piece.tobytes())


def write_ending(stream: BinaryIO, ending: Ending) -> None:
    """Nothing follows. Raises `OSError`."""
    stream.write(_HEAD.pack(_END, ending, 0))
    stream.flush()


def read_blocks(stream: BinaryIO) -> Iterator[Block | Ending]:
    """The blocks, and the ending last: `HEAVY` where the stream breaks off, since its writer was ended then."""
    while True:
        head = stream.read(_HEAD.size)
        if len(head) < _HEAD.size:
            yield Ending.HEAVY
            return
        track, channel, count = _HEAD.unpack(head)
        if track == _END:
            yield Ending(channel) if channel in set(Ending) else Ending.UNREADABLE
            return
        data = stream.read(count * _SAMPLE_BYTES) if count <= MAX_SAMPLES else b""
        if track >= MAX_TRACKS or channel >= MAX_CHANNELS or not data or len(data) < count * _SAMPLE_BYTES:
            yield Ending.HEAVY
            return
        yield Block(track, channel, np.frombuffer(data, dtype="<f4"))
