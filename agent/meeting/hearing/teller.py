"""What is told of an utterance, and what not yet: a microphone known to give back the twin is believed late."""

from __future__ import annotations

from collections.abc import Callable

from agent.meeting.events import Began, Fell, Guessed, HallEvent, Unheard, Uttered
from agent.meeting.hearing.own import FEW, OwnVoice
from agent.meeting.hearing.take import Take
from agent.meeting.hearing.words import tokens
from channels.clock import Clock

ECHOES_MS = 60_000
"""So long a microphone is known for it."""


class Teller:
    """Between the hall and `on`.

    A twin that falls silent at its own echo speaks on, hears itself, and falls silent again. So when somebody's
    microphone has given it back once, and it speaks, their next utterances are told only when there are words in
    them that are not its own, or it has fallen silent; and never when they turn out to be an echo again.
    """

    def __init__(self, on: Callable[[HallEvent], None], own: OwnVoice, clock: Clock) -> None:
        self.crowded = 0
        """Utterances that nobody listened to."""
        self.closed = False
        self._on = on
        self._own = own
        self._clock = clock
        self._echoing: dict[str, int] = {}
        """Until when."""

    def echoed(self, who: str) -> None:
        """Their microphone gave back the twin."""
        self._echoing[who] = self._clock.position + self._clock.samples(ECHOES_MS)

    def forget(self, who: str) -> None:
        self._echoing.pop(who, None)

    def typed(self, who: str, text: str) -> None:
        at = self._clock.position
        self._tell(Uttered(who, text, at, at, typed=True))

    def began(self, take: Take, at: int) -> None:
        known = self._clock.position < self._echoing.get(take.who, 0)
        take.doubtful = take.doubtful or (not take.told and known and self._own.sounds)
        if not take.doubtful:
            take.told = True
            self._tell(Began(take.who, at))

    def fell(self, take: Take, at: int, silent_ms: float) -> None:
        if not take.doubtful:
            self._tell(Fell(take.who, at, silent_ms))

    def look(self, take: Take) -> None:
        """Time has passed."""
        if take.doubtful and not self._own.sounds:
            self._believe(take)

    def guessed(self, take: Take, text: str) -> None:
        now = self._clock.position
        doubtful = take.doubtful and len(tokens(text)) < FEW
        if not doubtful and not self._own.may_be(text, take.start, now):
            self._believe(take)
            self._tell(Guessed(take.who, text, now))

    def uttered(self, take: Take) -> None:
        self._believe(take)
        self._tell(Uttered(take.who, take.text, take.start, take.end, pcm=take.pcm, rate_hz=take.rate_hz))

    def unheard(self, take: Take, *, crowded: bool) -> None:
        self.crowded += crowded
        if not take.doubtful:
            self._tell(Unheard(take.who, take.start, take.end, crowded))

    def _believe(self, take: Take) -> None:
        if take.doubtful:
            take.doubtful, take.told = False, True
            self._tell(Began(take.who, take.start))
            if not take.speaking:
                end = take.end if take.over.is_set() else self._clock.position
                self._tell(Fell(take.who, end, self._clock.milliseconds(self._clock.position - end)))

    def _tell(self, event: HallEvent) -> None:
        if not self.closed:
            self._on(event)
