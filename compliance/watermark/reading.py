"""Any file with sound in it as its channels at 8 kHz, read in a process of its own: the file may be anybody's.

    python -m compliance.watermark.reading LONGEST_S CPU_S MEMORY_BYTES < file > blocks

The process that decodes has no key, no secret in its environment, and may open nothing (see `confined`). The kinds
of files and of coded sound are counted here, because lists and scripts that name other files are kinds too.
"""

from __future__ import annotations

import errno
import io
import os
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import av
import numpy as np
from av.audio.resampler import AudioResampler

from compliance.confined import Bounds, confine
from compliance.watermark.blocks import (
    MAX_CHANNELS,
    MAX_TRACKS,
    RATE_HZ,
    Block,
    Ending,
    write_block,
    write_ending,
)

KINDS = (
    "wav", "w64", "aiff", "au", "caf", "flac", "mp3", "ogg", "aac", "loas", "ac3", "eac3", "amr", "wv", "tta",
    "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "asf", "avi", "flv", "mpeg", "mpegts",
)  # fmt: skip
CODED = (
    "pcm_s8", "pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le",
    "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_alaw", "pcm_mulaw", "adpcm_ima_wav", "adpcm_ima_qt", "adpcm_ms",
    "g722", "g726", "g726le", "g723_1", "g729", "gsm", "gsm_ms", "ilbc", "speex", "libspeex", "opus", "libopus",
    "vorbis", "libvorbis", "flac", "alac", "wavpack", "tta", "mp1", "mp1float", "mp2", "mp2float", "mp3",
    "mp3float", "aac", "aac_fixed", "aac_latm", "ac3", "ac3_fixed", "eac3", "amrnb", "amrwb",
    "libopencore_amrnb", "libopencore_amrwb", "wmav1", "wmav2", "wmapro", "wmavoice",
)  # fmt: skip
_OPTIONS = {
    "format_whitelist": ",".join(KINDS),
    "codec_whitelist": ",".join(CODED),
    # The file is an open one; whatever else it names is not looked up.
    "protocol_whitelist": "none",
}
_LOWEST_HZ, _HIGHEST_HZ = 4_000, 768_000
_MOST_DAMAGE = 2_000
"""Pieces in a row that cannot be decoded, after which the rest is given up."""


class Refused(Exception):
    """The file is not read on; carries why."""

    def __init__(self, ending: Ending) -> None:
        self.ending = ending
        super().__init__(ending.name)


def read(file: BinaryIO, *, longest_s: float) -> Iterator[Block | Ending]:
    """The sound of an open, seekable file, block by block as it is decoded, and how it ended.

    Every track and channel is apart; of more than `MAX_CHANNELS` channels their mix is taken. Nothing is kept, so
    a file of any length takes the same memory.
    """
    tracks: dict[int, _Track] = {}
    damaged = False
    try:
        with _opened(file) as container:
            streams = [stream for stream in container.streams.audio if _is_known(stream)][:MAX_TRACKS]
            if not streams:
                raise Refused(Ending.SILENT)
            tracks = {s.index: _Track(number, round(longest_s * RATE_HZ)) for number, s in enumerate(streams)}
            for index, frame in _frames(container, streams):
                if frame is None:
                    damaged = True
                else:
                    yield from tracks[index].taken(frame)
            for track in tracks.values():
                yield from track.flushed()
    except Refused as refused:
        if refused.ending is not Ending.UNREADABLE:
            yield refused.ending
            return
        damaged = True
    if any(track.samples for track in tracks.values()):
        yield Ending.DAMAGED if damaged else Ending.WHOLE
    else:
        yield Ending.UNREADABLE if damaged else Ending.SILENT


def _opened(file: BinaryIO) -> Any:
    try:
        return av.open(file, "r", container_options=_OPTIONS, metadata_errors="replace")
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise Refused(_ending(error)) from None


def _ending(error: Exception) -> Ending:
    """What an error of the decoder's means for the whole file."""
    return Ending.HEAVY if getattr(error, "errno", None) == errno.ENOMEM else Ending.UNREADABLE


def _is_known(stream: Any) -> bool:
    context = stream.codec_context
    return context is not None and context.name in CODED


def _frames(container: Any, streams: list[Any]) -> Iterator[tuple[int, Any]]:
    """Decoded frames with the index of their stream; None instead of one for a piece that cannot be decoded."""
    packets = container.demux(streams)
    damage = 0
    while damage < _MOST_DAMAGE:
        try:
            packet = next(packets, None)
        except (av.FFmpegError, ValueError) as error:
            if _ending(error) is Ending.HEAVY:
                raise Refused(Ending.HEAVY) from None
            # The rest cannot be found any more.
            yield streams[0].index, None
            return
        if packet is None:
            return
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError) as error:
            if _ending(error) is Ending.HEAVY:
                raise Refused(Ending.HEAVY) from None
            damage += 1
            yield packet.stream.index, None
            continue
        damage = 0 if frames else damage
        for frame in frames:
            yield packet.stream.index, frame


@dataclass
class _Track:
    """One stream of sound on its way to 8 kHz."""

    number: int
    most_samples: int
    samples: int = 0
    _layout: Any = None
    _shape: tuple[Any, ...] = ()
    _resampler: Any = field(default=None)

    def taken(self, frame: Any) -> Iterator[Block]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            # A stream may change in the middle; a resampler may not.
            yield from self.flushed()
            self._begin(frame)
            self._shape = shape
        # Times of a stranger's file would only confuse the resampler, and samples are counted anyway.
        frame.pts = None
        yield from self._resampled(frame)

    def flushed(self) -> Iterator[Block]:
        """What the resampler still holds."""
        if self._resampler is not None:
            yield from self._resampled(None)
            self._resampler = None

    def _begin(self, frame: Any) -> None:
        if not _LOWEST_HZ <= frame.sample_rate <= _HIGHEST_HZ:
            raise Refused(Ending.UNREADABLE)
        if self._layout is None:
            self._layout = frame.layout if 0 < frame.layout.nb_channels <= MAX_CHANNELS else "mono"
        self._resampler = AudioResampler(format="fltp", layout=self._layout, rate=RATE_HZ)

    def _resampled(self, frame: Any) -> Iterator[Block]:
        try:
            frames = self._resampler.resample(frame)
        except (av.FFmpegError, ValueError) as error:
            raise Refused(_ending(error)) from None
        for resampled in frames:
            if resampled is None:
                continue
            sound = resampled.to_ndarray()
            self.samples += sound.shape[1]
            if self.samples > self.most_samples:
                raise Refused(Ending.LONG)
            for channel, samples in enumerate(sound):
                yield Block(self.number, channel, samples.astype(np.float32, copy=False))


def main() -> None:
    """The process: the file is its input, the blocks are its output."""
    longest_s, cpu_s, memory_bytes = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    file = io.BufferedReader(io.FileIO(0, closefd=False))
    out = io.BufferedWriter(io.FileIO(1, "w", closefd=False), 1 << 16)
    _warm()
    confine(Bounds(cpu_s, memory_bytes))
    try:
        _copy(read(file, longest_s=longest_s), out)
    except BrokenPipeError:
        # Whoever listened has stopped.
        os._exit(1)
    # Decoders of broken files are not always fit to be cleaned up after.
    os._exit(0)


def _warm() -> None:
    """Read something of ours, and nothing: what the libraries load at first use can be loaded now alone."""
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 2_036, b"WAVE", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16, b"data", 2_000
    )
    for data in (head + bytes(2_000), b""):
        for _ in read(io.BytesIO(data), longest_s=1.0):
            pass


def _copy(blocks: Iterator[Block | Ending], out: BinaryIO) -> None:
    try:
        for block in blocks:
            if isinstance(block, Ending):
                write_ending(out, block)
            else:
                write_block(out, block)
    except MemoryError:
        write_ending(out, Ending.HEAVY)


if __name__ == "__main__":
    main()
