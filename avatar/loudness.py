"""How loud an utterance is, 5 ms by 5 ms: all that is kept of its sound."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FRAME_MS = 5
FLOOR_DBFS = -70.0
_DIP_DB = 10.0
"""A closure is what is no louder than this above its quietest moment."""
_DEPTH_DB = 9.0
"""A shallower dip is no closure."""


class Loudness:
    """One utterance. `feed` it the sound in order; times are from its first sample."""

    def __init__(self, rate_hz: int) -> None:
        self._frame = max(1, round(rate_hz * FRAME_MS / 1000))
        self._frame_ms = 1000 * self._frame / rate_hz
        self._rest = b""
        self._power: list[float] = []

    def __len__(self) -> int:
        return len(self._power)

    def feed(self, pcm: bytes) -> None:
        """The next sound, int16 mono."""
        data = self._rest + pcm
        whole = len(data) - len(data) % (2 * self._frame)
        self._rest = data[whole:]
        if whole:
            frames = np.frombuffer(data[:whole], np.int16).reshape(-1, self._frame).astype(np.float32)
            frames /= 32768
            self._power.extend(np.einsum("ij,ij->i", frames, frames).tolist())

    def peak_dbfs(self, start_ms: float, end_ms: float) -> float | None:
        """The loudest 15 ms that begin in this stretch; None where there is no sound yet."""
        levels = self._levels(start_ms, end_ms)
        return float(levels.max()) if len(levels) else None

    def dip(self, start_ms: float, end_ms: float) -> tuple[float, float] | None:
        """Where in this stretch the quiet of a closure begins and ends; None where there is none.

        The stretch should hold some of the sound before and after, to which the quiet is compared.
        """
        levels = self._levels(start_ms, end_ms)
        if len(levels) < 3:
            return None
        quietest = int(levels.argmin())
        limit = float(levels[quietest]) + _DIP_DB
        if float(levels.max()) - float(levels[quietest]) < _DEPTH_DB:
            return None
        first = last = quietest
        while first > 0 and levels[first - 1] < limit:
            first -= 1
        while last + 1 < len(levels) and levels[last + 1] < limit:
            last += 1
        origin = max(0, int(start_ms / self._frame_ms))
        return (origin + first) * self._frame_ms, (origin + last + 1) * self._frame_ms

    def _levels(self, start_ms: float, end_ms: float) -> npt.NDArray[np.float32]:
        """dBFS of 15 ms around each frame: with less, the level would follow each opening of the vocal folds."""
        begin, end = max(0, int(start_ms / self._frame_ms)), max(0, int(np.ceil(end_ms / self._frame_ms)))
        power = np.array(self._power[max(0, begin - 1) : end + 1], np.float32)
        if end <= begin or len(power) <= (begin > 0):
            return np.zeros(0, np.float32)
        smooth = np.convolve(power, np.full(3, 1 / (3 * self._frame), np.float32), "same")
        smooth = smooth[1:] if begin > 0 else smooth
        levels: npt.NDArray[np.float32] = np.maximum(10 * np.log10(smooth[: end - begin] + 1e-10), FLOOR_DBFS)
        return levels
