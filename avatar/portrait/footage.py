"""Reading a clip that somebody handed in: within bounds, frame by frame, at the rate faces are shown at."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import av
import cv2
import numpy as np
import numpy.typing as npt

from avatar.errors import UnfitPicture
from avatar.portrait.arrays import octets

Rgb = npt.NDArray[np.uint8]

RATE_HZ: Final = 25
MAX_BYTES: Final = 400_000_000
MAX_PIXELS: Final = 3840 * 2160
MIN_SIDE_PX: Final = 96
MOST_ASPECT: Final = 6.0
LEAST_S: Final = 3.0
MOST_S: Final = 20.0
"""What comes later is not looked at."""
_MOST_DECODED: Final = 240 * 20
"""Pictures; a clip whose times stand still or are missing would be decoded for ever."""
_WORKING_SIDE_PX: Final = 1280
_FILES: Final = {"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi", "protocol_whitelist": "none"}
"""What a clip may be: FFmpeg's playlists would open other files and addresses."""
_BROKEN: Final = "the clip cannot be read: hand in an MP4 file of 3 to 20 seconds"


def frames(data: bytes) -> Iterator[Rgb]:
    """The clip's pictures, upright, 25 a second, at most 1280 pixels a side. Raises `UnfitPicture`.

    Each is made when it is asked for; two passes over a clip give the same ones.
    """
    if len(data) > MAX_BYTES:
        raise UnfitPicture(f"the clip has {len(data) / 1e6:.0f} MB: hand in 3 to 20 seconds, below 400 MB")
    try:
        with av.open(io.BytesIO(data), "r", options=_FILES) as container:
            if not container.streams.video:
                raise UnfitPicture("there is no picture in the clip: hand in an MP4 file of 3 to 20 seconds")
            stream = container.streams.video[0]
            _check_size(stream.width, stream.height)
            stream.thread_type = "AUTO"
            yield from _paced(container.decode(stream))
    except UnfitPicture:
        raise
    except Exception as error:  # noqa: BLE001 - a broken file makes PyAV raise anything, AttributeError too
        raise UnfitPicture(f"{_BROKEN} ({type(error).__name__})") from None


def _check_size(width: int, height: int) -> None:
    low, high = min(width, height), max(width, height)
    if width * height > MAX_PIXELS:
        raise UnfitPicture(f"the clip has {width}x{height} pixels: make it 1920x1080 or less")
    if low < MIN_SIDE_PX or high > MOST_ASPECT * low:
        raise UnfitPicture(f"the clip has {width}x{height} pixels: film head and shoulders, 512x512 or more")


def _paced(decoded: Iterator[Any]) -> Iterator[Rgb]:
    """One picture for each tick; a clip of another rate has some twice or not at all."""
    start: float | None = None
    ticks = 0
    for frame in islice(decoded, _MOST_DECODED):
        # The pictures may be of another size than the file says.
        _check_size(frame.width, frame.height)
        if frame.time is None:
            continue
        start = frame.time if start is None else start
        at_s = frame.time - start
        if at_s >= MOST_S:
            return
        due = int(at_s * RATE_HZ + 1e-6) + 1 - ticks
        if due > 0:
            rgb = _upright(frame)
            # A gap in a clip is not filled for ever.
            for _ in range(min(due, RATE_HZ)):
                yield rgb
            ticks += due


def _upright(frame: Any) -> Rgb:
    scale = min(1.0, _WORKING_SIDE_PX / max(frame.width, frame.height))
    rgb = frame.to_ndarray(format="rgb24")
    if scale < 1:
        rgb = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    quarters = round(getattr(frame, "rotation", 0) / 90) % 4
    return octets(np.ascontiguousarray(np.rot90(rgb, quarters)))
