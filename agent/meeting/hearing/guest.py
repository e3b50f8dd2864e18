"""One person's way from their inlet to their utterances."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from agent.dialled import Dialled
from agent.meeting.hearing.take import Take
from agent.meeting.hearing.utterances import Begin, End, Fall, Utterances
from agent.turns.settings import TurnSettings
from agent.turns.silero import WINDOW_MS, Silero
from channels.clock import Clock

BACKLOG_MS = 2_000
"""More than that is a stalled loop, and old sound only makes it later still."""
PRE_ROLL_MS = 600
"""Kept from before an onset: voice activity notices a word a little late."""
STALLED_MS = 1_000
"""Somebody in the middle of an utterance of whom nothing arrives for so long has lost their line."""


class Owner(Protocol):
    """The hall, to a guest."""

    def wake(self) -> None: ...

    def typed(self, guest: Guest, text: str) -> None: ...

    def began(self, guest: Guest, at: int) -> None:
        """They speak, in `guest.take`."""
        ...

    def fell(self, guest: Guest, at: int, silent_ms: float) -> None: ...

    def sounded(self, guest: Guest, pcm: bytes) -> None:
        """More of the take that is open."""
        ...

    def ended(self, guest: Guest, take: Take) -> None: ...


class Guest:
    """The listener of one inlet. Sound waits in a bounded backlog that drops the oldest; `hear` works it off."""

    def __init__(
        self,
        who: str,
        owner: Owner,
        clock: Clock,
        turns: TurnSettings,
        *,
        rate_hz: int,
        takes_keys: Callable[[str], bool],
    ) -> None:
        self.who = who
        self.takes: deque[Take] = deque()
        """What they said and whose words are not there yet, oldest first."""
        self.take: Take | None = None
        """The one they are in."""
        self.served = False
        """The oldest of them is being recognised, or compared with others'."""
        self.left = False
        self.dropped_bytes = 0
        self._owner = owner
        self._clock = clock
        self._rate_hz = rate_hz
        self._keys = Dialled(self.text, takes_keys)
        self._muted = False
        self._silero = Silero(rate_hz)
        self._utterances = Utterances(turns, rate_hz=clock.rate_hz, window_ms=WINDOW_MS)
        self._window = rate_hz * WINDOW_MS // 1000
        self._rest_samples = 0
        """Of the last sound, too few for a window."""
        self._backlog: deque[tuple[bytes, int]] = deque()
        self._backlog_bytes = 0
        self._heard_at = clock.position
        """Where the last sound ended."""
        self._before: deque[bytes] = deque()
        self._before_bytes = 0

    def audio(self, pcm: bytes) -> None:
        """From the inlet."""
        if self._muted or self.left:
            return
        self._backlog.append((pcm, self._clock.position))
        self._backlog_bytes += len(pcm)
        while self._backlog_bytes > BACKLOG_MS * self._rate_hz // 1000 * 2 and len(self._backlog) > 1:
            lost = len(self._backlog.popleft()[0])
            self._backlog_bytes -= lost
            self.dropped_bytes += lost
        self._owner.wake()

    def digit(self, digit: str) -> None:
        """From the inlet."""
        self._keys.press(digit)

    def text(self, text: str) -> None:
        """From the inlet."""
        self._owner.typed(self, text)

    def mute(self, muted: bool) -> None:
        """What they said until now still counts."""
        if muted and not self._muted:
            self.stop()
        self._muted = muted

    def stop(self) -> None:
        """Nothing more comes for now."""
        while self.hear():
            pass
        self._do(self._utterances.stop(self._heard_at))
        self._before.clear()
        self._before_bytes = 0

    def close(self) -> None:
        """Nothing is told of them any more."""
        self._keys.stop()
        self._backlog.clear()
        self._backlog_bytes = 0

    def look(self) -> None:
        """Time has passed."""
        stalled = self._clock.position - self._heard_at > self._clock.samples(STALLED_MS)
        if self.take is not None and stalled and not self._backlog:
            self.stop()

    def guessed(self, text: str) -> None:
        """So much is recognised of the utterance they are in."""
        self._utterances.complete = text.rstrip().endswith((".", "!", "?", "。", "！", "？"))

    def hear(self) -> bool:
        """The oldest sound of the backlog; False when there is none."""
        if not self._backlog:
            return False
        pcm, end = self._backlog.popleft()
        self._backlog_bytes -= len(pcm)
        per_sample = self._clock.rate_hz / self._rate_hz
        windows = list(self._silero.probabilities(pcm))
        self._rest_samples += len(pcm) // 2 - len(windows) * self._window
        self._heard_at = end
        self._keep(pcm, end)
        for number, probability in enumerate(windows, start=1):
            later = self._rest_samples + (len(windows) - number) * self._window
            self._do(self._utterances.on(probability, end - round(later * per_sample)))
        return True

    def _keep(self, pcm: bytes, end: int) -> None:
        if self.take is not None:
            self.take.add(pcm, end)
            self._owner.sounded(self, pcm)
            return
        self._before.append(pcm)
        self._before_bytes += len(pcm)
        while self._before_bytes - len(self._before[0]) >= PRE_ROLL_MS * self._rate_hz // 1000 * 2:
            self._before_bytes -= len(self._before.popleft())

    def _do(self, steps: list[Begin | Fall | End]) -> None:
        for step in steps:
            match step:
                case Begin(at, first):
                    if first:
                        self._new_take(at)
                    self._owner.began(self, at)
                case Fall(at, silent_ms):
                    self._owner.fell(self, at, silent_ms)
                case End(at):
                    take, self.take = self.take, None
                    if take is not None:
                        take.end = at
                        take.over_at = self._clock.position
                        self._owner.ended(self, take)

    def _new_take(self, at: int) -> None:
        self.take = Take(self.who, at, rate_hz=self._rate_hz)
        self.take.add(b"".join(self._before), self._heard_at)
        self._before.clear()
        self._before_bytes = 0
        self.takes.append(self.take)
