"""How a browser asks for pieces of a recording, and what of them sounds beside masked text. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAX_RANGE_BYTES = 1 << 20
"""The most that one answer holds; the browser asks for more as it plays, and nothing whole is in memory."""
_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes of a file, `last` included."""

    first: int
    last: int


def wanted(header: str | None, size: int) -> Range | None:
    """What a `Range` header asks of a file of `size` bytes, cut to `MAX_RANGE_BYTES`; None when it cannot be had.

    Without a header, or with one of another unit or of several ranges, it is the beginning.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    begin, end = match.groups() if match else ("0", "")
    if begin:
        first, last = int(begin), int(end) if end else size - 1
    elif end:
        first, last = max(0, size - int(end)), size - 1
    else:
        return None
    last = min(last, size - 1, first + MAX_RANGE_BYTES - 1)
    return Range(first, last) if first <= last else None


def silenced(
    pcm: bytes, *, first_frame: int, rate_hz: int, start_s: float, audible: Sequence[tuple[float, float]]
) -> bytes:
    """Frames of two channels with everything at zero that is not `audible`, in seconds of the call.

    `start_s` is where the recording's first frame lies in the call.
    """
    samples = np.frombuffer(pcm, "<i2").reshape(-1, 2)
    keep = np.zeros(len(samples), dtype=bool)
    for begin_s, end_s in audible:
        # Rounded inwards, so that no sample of what is masked sounds.
        begin = int(np.ceil((begin_s - start_s) * rate_hz)) - first_frame
        end = int(np.floor((end_s - start_s) * rate_hz)) - first_frame
        keep[max(0, begin) : max(0, end)] = True
    return np.where(keep[:, None], samples, np.int16(0)).astype("<i2").tobytes()
