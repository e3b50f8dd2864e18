"""The audio of one turn, for the engines that decode it as a whole. Pure: no clock, no tasks.

Positions are samples since the hearing was opened, so that a decode under way stays meaningful while audio
arrives and old audio is trimmed.
"""

from __future__ import annotations

PRE_ROLL_S = 0.6
"""Kept from before the onset: voice activity notices a word a little late."""


class TurnAudio:
    """What was fed since the last turn ended, bounded."""

    def __init__(self, rate_hz: int, *, max_s: float) -> None:
        """Beyond `max_s` the oldest audio is dropped."""
        self.rate_hz = rate_hz
        self._max_bytes = int(max_s * rate_hz) * 2
        self._pcm = bytearray()
        self._end = 0
        self._speech = False
        self._speaking = False
        self._offset = 0

    @property
    def start(self) -> int:
        """The position of the first sample that is kept."""
        return self._end - len(self._pcm) // 2

    @property
    def end(self) -> int:
        """The position after the last sample."""
        return self._end

    @property
    def offset_at(self) -> int:
        """Where the person last fell silent."""
        return self._offset

    @property
    def speaking(self) -> bool:
        """Whether the person speaks now."""
        return self._speaking

    @property
    def speech(self) -> bool:
        """Whether there was an onset in this turn."""
        return self._speech

    def feed(self, pcm: bytes) -> None:
        """Append int16 mono."""
        self._pcm += pcm
        self._end += len(pcm) // 2
        if len(self._pcm) > self._max_bytes:
            del self._pcm[: len(self._pcm) - self._max_bytes]

    def onset(self) -> None:
        """The person began to speak; silence before the first words of a turn is let go."""
        if not self._speech:
            self.trim(self._end - int(PRE_ROLL_S * self.rate_hz))
        self._speech = self._speaking = True

    def offset(self) -> None:
        """The person fell silent."""
        self._speaking = False
        self._offset = self._end

    def covered_by(self, position: int) -> bool:
        """Whether a decode of everything up to `position` has all that was said."""
        return not self._speaking and self._speech and position >= self._offset

    def trim(self, position: int) -> None:
        """Let go of everything before `position`."""
        surplus = position - self.start
        if surplus > 0:
            del self._pcm[: 2 * surplus]

    def read(self) -> bytes:
        """All that is kept, as int16 mono."""
        return bytes(self._pcm)

    def finish(self, position: int) -> None:
        """The turn ends at `position`; what was fed after it belongs to the next one."""
        self.trim(position)
        self._speech = self._speaking
        self._offset = max(self._offset, position)
