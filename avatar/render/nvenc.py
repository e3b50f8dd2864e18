"""Whether this machine encodes video on an NVIDIA card. Some big ones (A100, H100, H200) have no encoder at
all."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Final

import av
from av.error import FFmpegError

CODEC: Final = "h264_nvenc"
_SIDE_PX: Final = 256


@cache
def answers() -> bool:
    """Try it, once in a process: one picture is encoded. False where there is no card, no driver, no encoder or no
    such build of FFmpeg."""
    try:
        encoder = av.CodecContext.create(CODEC, "w")
        encoder.width = encoder.height = _SIDE_PX
        encoder.pix_fmt = "yuv420p"
        encoder.time_base = Fraction(1, 25)
        encoder.framerate = Fraction(25)
        packets = encoder.encode(av.VideoFrame(_SIDE_PX, _SIDE_PX, "yuv420p"))
        return bool(packets or encoder.encode(None))
    except (FFmpegError, ValueError, OSError):
        # An unknown codec is a ValueError; FFmpeg says the rest.
        return False
