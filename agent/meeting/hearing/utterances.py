"""Where one person's utterances begin and end. Pure: probabilities of speech and positions in, changes out.

speech -> Begin -> silence -> Fall -> speech -> Begin ... -> silence for longer -> Fall -> End
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from agent.turns.settings import TurnSettings
from agent.turns.voice_activity import Change, VoiceActivity

LONG_MS = 20_000
"""From so much on, an utterance ends at the first breath."""
LONGEST_MS = 30_000
"""And at so much it is cut, in the middle of a word if need be."""


@dataclass(frozen=True, slots=True)
class Begin:
    """They speak, since `at`. `first` when it begins an utterance, and else they go on within it."""

    at: int
    first: bool


@dataclass(frozen=True, slots=True)
class Fall:
    """They are silent, since `at`."""

    at: int
    silent_ms: float


@dataclass(frozen=True, slots=True)
class End:
    """The utterance is over; its last sound was at `at`."""

    at: int


Step: TypeAlias = Begin | Fall | End


class Utterances:
    """One person's. Every `End` follows a `Fall`, but for a cut, which a `Begin` follows at once."""

    def __init__(self, turns: TurnSettings, *, rate_hz: int, window_ms: float) -> None:
        """`rate_hz`: of the clock that positions are of."""
        self.complete = False
        """Whether the words so far end like a sentence, so that less silence ends the utterance."""
        self._activity = VoiceActivity(
            window_ms=window_ms,
            onset_ms=turns.onset_ms,
            offset_ms=turns.offset_ms,
            threshold=turns.threshold,
        )
        self._turns = turns
        self._window_ms = window_ms
        self._per_ms = rate_hz / 1000
        self._start: int | None = None
        self._last = 0
        """Where they last sounded."""
        self._silent_ms = 0.0

    @property
    def open(self) -> bool:
        """Whether there is an utterance that has not ended."""
        return self._start is not None

    @property
    def speaking(self) -> bool:
        return self._activity.speaking

    def on(self, probability: float, at: int) -> list[Step]:
        """The window that ended at `at`."""
        match self._activity.on(probability):
            case Change.ONSET:
                return self._onset(at)
            case Change.OFFSET:
                return self._offset(at)
            case None:
                return self._more(at)

    def stop(self, at: int) -> list[Step]:
        """Nothing more comes from them now: muted, gone, or their line has broken."""
        steps: list[Step] = []
        if self._activity.speaking:
            steps.append(Fall(at, 0.0))
            self._last = at
        if self._start is not None:
            steps.append(self._end())
        self._activity = VoiceActivity(
            window_ms=self._window_ms,
            onset_ms=self._turns.onset_ms,
            offset_ms=self._turns.offset_ms,
            threshold=self._turns.threshold,
        )
        return steps

    def _onset(self, at: int) -> list[Step]:
        begun = max(self._last, at - round(self._turns.onset_ms * self._per_ms))
        first = self._start is None
        if self._start is None:
            self._start = begun
        return [Begin(begun, first)]

    def _offset(self, at: int) -> list[Step]:
        self._silent_ms = self._activity.silent_ms
        self._last = at - round(self._silent_ms * self._per_ms)
        fall = Fall(self._last, self._silent_ms)
        return [fall, self._end()] if self._lasted_ms(at) >= LONG_MS else [fall]

    def _more(self, at: int) -> list[Step]:
        if self._start is None:
            return []
        if self._activity.speaking:
            if self._lasted_ms(at) < LONGEST_MS:
                return []
            self._last = at
            end = self._end()
            self._start = at
            return [end, Begin(at, first=True)]
        self._silent_ms += self._window_ms
        needed_ms = self._turns.complete_ms if self.complete else self._turns.end_of_turn_ms
        return [self._end()] if self._silent_ms >= needed_ms else []

    def _lasted_ms(self, at: int) -> float:
        return 0.0 if self._start is None else (at - self._start) / self._per_ms

    def _end(self) -> End:
        self._start = None
        self.complete = False
        return End(self._last)
