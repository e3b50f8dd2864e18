"""Whether the caller speaks, from probabilities per window. Pure."""

from __future__ import annotations

from enum import Enum


class Change(Enum):
    ONSET = "onset"
    OFFSET = "offset"


class VoiceActivity:
    """Hysteresis over windows of `window_ms`: so much speech is an onset, so much silence an offset."""

    def __init__(self, *, window_ms: float, onset_ms: float, offset_ms: float, threshold: float) -> None:
        self._onset_windows = max(1, round(onset_ms / window_ms))
        self._offset_windows = max(1, round(offset_ms / window_ms))
        self._threshold = threshold
        self._window_ms = window_ms
        self._speaking = False
        self._run = 0
        """Windows in a row that speak against the present state."""

    @property
    def speaking(self) -> bool:
        return self._speaking

    @property
    def silent_ms(self) -> float:
        """How long it had been silent when the last OFFSET was reported."""
        return self._offset_windows * self._window_ms

    def on(self, probability: float) -> Change | None:
        against = probability < self._threshold if self._speaking else probability >= self._threshold
        self._run = self._run + 1 if against else 0
        if self._run < (self._offset_windows if self._speaking else self._onset_windows):
            return None
        self._speaking = not self._speaking
        self._run = 0
        return Change.ONSET if self._speaking else Change.OFFSET
