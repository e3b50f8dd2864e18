"""Where the milliseconds of a turn went, from the caller's last word to the twin's first sound. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """Milliseconds each step of one turn took; None where the step did not happen."""

    wait_ms: float | None
    """Silence of the caller until the turn counted as over, the recogniser's last word included."""
    first_token_ms: float | None
    first_sentence_ms: float | None
    first_audio_ms: float | None
    first_sound_ms: float | None
    """From first audio to its first sample leaving the outlet."""

    @property
    def total_ms(self) -> float:
        steps = (self.wait_ms, self.first_token_ms, self.first_sentence_ms, self.first_audio_ms)
        return sum(step or 0.0 for step in (*steps, self.first_sound_ms))


class TurnTiming:
    """Collects one turn at a time and keeps the last 200."""

    def __init__(self) -> None:
        self.turns: deque[TurnTimes] = deque(maxlen=200)
        self._marks: dict[str, float] = {}
        self._silent_at_ms: float | None = None

    def caller_silent(self, at_ms: float) -> None:
        """The caller's last sound was at `at_ms`, as far as one knows by now."""
        self._silent_at_ms = at_ms

    def answered(self, at_ms: float, *, typed: bool = False) -> None:
        """The turn is the twin's from now on. A typed one waited for no silence."""
        self._marks = {"answered": at_ms}
        if self._silent_at_ms is not None and not typed:
            self._marks["silent"] = self._silent_at_ms
        self._silent_at_ms = None

    def reached(self, step: str, at_ms: float) -> None:
        """`step` is first_token, first_sentence, first_audio or first_sound; only the first time counts."""
        if "answered" not in self._marks or step in self._marks:
            return
        self._marks[step] = at_ms
        if step == "first_sound":
            self._close()

    def _close(self) -> None:
        marks = self._marks
        last = marks["answered"]
        spans: list[float | None] = [last - marks["silent"] if "silent" in marks else None]
        for name in ("first_token", "first_sentence", "first_audio", "first_sound"):
            at = marks.get(name)
            spans.append(None if at is None else at - last)
            last = at if at is not None else last
        self.turns.append(TurnTimes(*spans))
        self._marks = {}
