"""Where speech without a pause is cut, for recognisers whose last step grows with the utterance.

Pure: no clock, no tasks.
"""

from __future__ import annotations

import numpy as np

CUT_AFTER_S = 12.0
MAX_UTTERANCE_S = 20.0
QUIET = 0.25
"""Of the utterance's mean level (-12 dB)."""
QUIET_S = 0.1
"""Between two words; the closure before a plosive, in the midst of one, is shorter."""


class Utterance:
    """The length and level of what was said since the last cut."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._samples = 0
        self._quiet_samples = 0
        self._sum = 0.0

    def begin(self) -> None:
        """A new one."""
        self._samples, self._quiet_samples, self._sum = 0, 0, 0.0

    def take(self, pcm: bytes) -> bool:
        """Count int16 mono audio; True when the utterance should end after it."""
        samples = np.frombuffer(pcm, np.int16)
        if not samples.size:
            return False
        level = float(np.abs(samples.astype(np.int32)).sum())
        self._samples += samples.size
        self._sum += level
        quiet = level / samples.size <= QUIET * self._sum / self._samples
        self._quiet_samples = self._quiet_samples + samples.size if quiet else 0
        if self._samples < CUT_AFTER_S * self._rate_hz:
            return False
        return self._quiet_samples >= QUIET_S * self._rate_hz or self._samples >= MAX_UTTERANCE_S * self._rate_hz
