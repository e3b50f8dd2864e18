"""Arrays by their type: what OpenCV returns could be of any."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


def floats(values: Any) -> Floats:
    """The same values; copied only where they are of another type."""
    return np.asarray(values, np.float32)


def octets(values: Any) -> Bytes:
    """The same pixels; they must be of bytes."""
    if values.dtype != np.uint8:
        raise TypeError(f"pixels are bytes, got {values.dtype}")
    return np.asarray(values)
