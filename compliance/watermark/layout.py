"""Where the mark is: cells of a band of the telephone's frequencies and a slot of time.

A cell is a little louder or a little softer than the voice was. Which of the two, is the pattern's affair
(`pattern.py`); how, is the embedder's; what is left of it, the detector's. Time counts from the first sample of
the stream, in slots, and the pattern begins anew every `PERIOD_SLOTS`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATES_HZ = (8_000, 16_000, 24_000, 48_000)
"""The rates at which speech is marked; a slot is a whole number of samples of each."""
LOW_HZ = 300.0
HIGH_HZ = 3_400.0
"""What a telephone carries: a mark beside it would cost quality and be lost."""
BANDS = 24
SLOT_MS = 48
PERIOD_SLOTS = 512
"""24.6 s. A shorter one is sooner averaged out by somebody without the key, a longer one costs more to find."""
EDGE = 0.25
"""Of a band's width, on either side of its edges: where one band goes over into the next."""

PRESENCE, SHORT, REST = 0, 1, 2
"""What a cell is for: to be found at all, the first 16 bits of the call's token, or the others."""
_LAYERS = np.array([PRESENCE, SHORT, PRESENCE, REST, PRESENCE, SHORT, PRESENCE, PRESENCE] * 2, dtype=np.int8)
LAYER_SLOTS = len(_LAYERS)
"""Which cells carry what repeats after so many slots; it is public, the signs are not."""


def slot_samples(rate_hz: int) -> int:
    """How long a slot is."""
    return rate_hz * SLOT_MS // 1000


@lru_cache(maxsize=1)
def layers() -> NDArray[np.int8]:
    """What every cell of a period is for; shape (PERIOD_SLOTS, BANDS). Read-only.

    From slot to slot the layers move on by three bands, so that each of them sees every band equally often.
    """
    slot, band = np.ogrid[:PERIOD_SLOTS, :BANDS]
    found: NDArray[np.int8] = _LAYERS[(band + 3 * slot) % LAYER_SLOTS]
    found.setflags(write=False)
    return found


def band_shapes(frequencies_hz: NDArray[np.floating]) -> NDArray[np.float64]:
    """How much each band has of each frequency, from 0 to 1; shape (BANDS, len(frequencies_hz))."""
    edges = np.linspace(LOW_HZ, HIGH_HZ, BANDS + 1)
    soft = EDGE * (edges[1] - edges[0])
    rising = np.clip((frequencies_hz - (edges[:-1, None] - soft)) / (2 * soft), 0, 1)
    falling = np.clip((edges[1:, None] + soft - frequencies_hz) / (2 * soft), 0, 1)
    shapes: NDArray[np.float64] = np.sin(rising * np.pi / 2) ** 2 * np.sin(falling * np.pi / 2) ** 2
    return shapes
