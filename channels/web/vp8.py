"""VP8 for a talking face: constant quality of service on one thread, sharp from the first frame on.

aiortc's own encoder starts at 500 kb/s, which is a blurred face for the first seconds, and denoises pictures that
have no noise. A track may hand aiortc packets instead of pictures, so ours are made here.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from avatar.picture import Picture

TICKS_HZ = 90_000
"""RTP's clock for video."""
TIME_BASE = Fraction(1, TICKS_HZ)
FLOOR_KBPS = 150
"""Whatever a receiver asks for, a face below this is not worth its bandwidth."""
BITS_PER_PIXEL = 0.15
"""At 25 frames a second, of the part of a bitrate that is chosen by the size."""
KEY_FRAMES_BITS = 12
"""The largest key frame, in frames of the bitrate: half a second of it, at once, when a picture begins."""
SMOOTHING = 0.1
"""Of the bitrate that is really sent, per frame."""
STEP = 1.25
"""A limit that moved by less is not worth the key frame that a new encoder begins with."""


def bitrate_for(width: int, height: int, fps: int) -> int:
    """Kilobits per second at which a face of this size is sharp: 980 for 512x512 at 25, 3,460 for 1280x720."""
    return round(width * height * fps * BITS_PER_PIXEL / 1000)


class Vp8:
    """One call's encoder. Not for two threads at once."""

    def __init__(self, width: int, height: int, fps: int, bitrate_kbps: int = 0) -> None:
        """`bitrate_kbps` 0 is chosen by the size."""
        self._size = (width, height)
        self._fps = fps
        self._wanted_kbps = bitrate_kbps or bitrate_for(width, height, fps)
        self._kbps = self._wanted_kbps
        self._sent_kbps = float(self._kbps)
        self._codec: VideoCodecContext | None = None

    @property
    def kbps(self) -> int:
        """What it aims at now."""
        return self._kbps

    def limit(self, kbps: float) -> None:
        """The receiver can take so much. Small changes are ignored, and a guess that is no less than what is sent:
        a receiver can only guess from what it gets, and a face at rest takes little."""
        wanted = int(max(FLOOR_KBPS, min(kbps, self._wanted_kbps)))
        too_much = kbps < self._sent_kbps and wanted < self._kbps / STEP
        all_of_it = wanted == self._wanted_kbps > self._kbps
        if too_much or all_of_it or wanted > self._kbps * STEP:
            self._kbps = wanted
            self._codec = None

    def encode(self, picture: Picture, ticks: int, *, key: bool = False) -> Packet[Any]:
        """The packet for a picture at so many ticks of 90 kHz; with `key` it needs no earlier one."""
        frame = VideoFrame.from_ndarray(picture.i420, format="yuv420p")
        frame.pts = ticks
        frame.time_base = TIME_BASE
        if key:
            frame.pict_type = PictureType.I
        if self._codec is None:
            self._codec = self._opened()
        (packet,) = self._codec.encode(frame)
        packet.pts = ticks
        packet.time_base = TIME_BASE
        self._sent_kbps += SMOOTHING * (packet.size * 8 * self._fps / 1000 - self._sent_kbps)
        return packet

    def _opened(self) -> VideoCodecContext:
        codec: VideoCodecContext = av.CodecContext.create("libvpx", "w")
        codec.width, codec.height = self._size
        codec.pix_fmt = "yuv420p"
        codec.time_base = TIME_BASE
        codec.framerate = Fraction(self._fps)
        codec.bit_rate = self._kbps * 1000
        codec.gop_size = 3_000
        codec.qmin, codec.qmax = 10, 52
        codec.thread_count = 1
        rate = str(self._kbps * 1000)
        codec.options = {
            "deadline": "realtime",
            "cpu-used": "-8",
            "lag-in-frames": "0",
            "minrate": rate,
            "maxrate": rate,
            "bufsize": rate,
            "max-intra-rate": str(KEY_FRAMES_BITS * 100),
            "static-thresh": "100",
            "noise-sensitivity": "0",
            "error-resilient": "0",
            "undershoot-pct": "100",
            "overshoot-pct": "15",
        }
        return codec
