"""A virtual camera without a kernel module: a pyvirtualcam backend that writes down each frame it is sent.

    [camera] backend = "tests.doubles.camera_backend:Film", device = "a file to write to"

It is loaded where the real ones are, in the camera's own process.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_SHOT = struct.Struct(">dIIII")
CRASH = "crash"
"""In a device's name: its process dies at the third frame, once."""


@dataclass(frozen=True)
class Shot:
    """A frame that the camera was sent."""

    at_s: float
    """Of `time.monotonic`, which all processes of a machine share."""
    width: int
    height: int
    luma: int
    """Of the middle of the picture."""
    crc: int


class Film:
    """What pyvirtualcam calls a backend."""

    def __init__(self, *, width: int, height: int, fps: float, fourcc: int, device: str | None, **_: Any) -> None:
        if not device:
            raise RuntimeError("no film in the camera")
        self._device = device
        self._width, self._height = width, height
        self._file = Path(device).open("ab")  # noqa: SIM115  closed by `close`, as the interface wants it
        self._count = 0

    def send(self, frame: npt.NDArray[np.uint8]) -> None:
        self._count += 1
        if CRASH in self._device and self._count == 3 and not (crashed := Path(self._device + ".done")).exists():
            crashed.touch()
            os._exit(3)
        middle = frame[self._height // 2 * self._width + self._width // 2]
        shot = (time.monotonic(), self._width, self._height, int(middle), zlib.crc32(frame.tobytes()))
        self._file.write(_SHOT.pack(*shot))
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def device(self) -> str:
        return self._device

    def native_fourcc(self) -> int | None:
        return None


def shots(file: Path) -> list[Shot]:
    """All frames so far."""
    data = file.read_bytes() if file.exists() else b""
    whole = len(data) - len(data) % _SHOT.size
    return [Shot(*values) for values in _SHOT.iter_unpack(data[:whole])]
