"""What Twilio has really played: a model of its buffer, kept honest by the marks it sends back.

Two questions are asked, and they differ by the round trip to Twilio and back.

`heard` is evidence: what was surely played by now. It starts from the last mark that came back, goes on with the
time since, and never passes a mark that is still out, because a mark that is still out may not have been reached.

`cut` is a prediction: where Twilio will be when a `clear` sent now reaches it. Audio and `clear` take the same
way, so a buffer simulated here, without any delay, is at that place now. What the simulation cannot know (a stall
in the network, a clock that runs faster than ours) shows as marks that come later or earlier than they used to;
that difference is `lag`.

Times are in seconds of any monotonic clock, positions in samples of the outlet's clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

ROUND_TRIPS = 8
"""How many marks are looked at together; the quickest of them is the least disturbed."""
SETTLED_MS = 20.0
"""A lag below this is jitter."""
MAX_LAG_MS = 1_000.0
LOST_MARK_S = 2.0
"""A mark that is so late will not come; to wait for it would be to wait for ever."""


@dataclass(frozen=True, slots=True)
class _MarkOut:
    number: int
    position: int
    sent_at: float
    expected_at: float
    """When the simulation plays up to it."""


class Playout:
    """One call's far end. Pure: every method that needs the time is given it."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self.sent = 0
        """Position after the last sample that was sent."""
        self.marks_void = 0
        """Marks that came back but prove nothing: from before a `clear`, twice, or never sent."""
        self._anchor_position = 0
        self._anchor_at = 0.0
        self._marks: deque[_MarkOut] = deque()
        self._next_mark = 1
        self._acknowledged = 0
        self._acknowledged_at: float | None = None
        """None: nothing of the present run was acknowledged, so nothing can be extrapolated from it."""
        self._trips: deque[float] = deque(maxlen=ROUND_TRIPS)
        self._usual_trip: float | None = None

    def send(self, samples: int, now: float) -> bool:
        """`samples` are on their way. True when the far buffer was empty: they begin a new run, and a mark soon
        behind them is needed, because time that has passed says nothing about a run that may not have begun."""
        fresh = self._simulated(now) >= self.sent
        if fresh:
            self._acknowledged = self.heard(now)
            self._acknowledged_at = None
            self._anchor_position = self.sent
            self._anchor_at = now
        self.sent += samples
        return fresh

    def mark(self, now: float) -> int:
        """A mark is on its way behind everything sent so far; returns the number to name it by."""
        number = self._next_mark
        self._next_mark += 1
        expected_at = self._anchor_at + (self.sent - self._anchor_position) / self._rate_hz
        self._marks.append(_MarkOut(number, self.sent, now, expected_at))
        return number

    def returned(self, name: str, now: float) -> bool:
        """A mark came back; False when it proves nothing."""
        number = int(name) if name.isascii() and name.isdecimal() else 0
        if not self._marks or not self._marks[0].number <= number <= self._marks[-1].number:
            self.marks_void += 1
            return False
        mark = self._marks.popleft()
        # Marks come back in order, so those that this one overtook were played as well.
        while mark.number != number:
            mark = self._marks.popleft()
        self._acknowledged = max(self._acknowledged, mark.position)
        self._acknowledged_at = now
        self._trips.append(now - max(mark.expected_at, mark.sent_at))
        if self._usual_trip is None and len(self._trips) == ROUND_TRIPS:
            self._usual_trip = min(self._trips)
        return True

    def clear(self, now: float, *, unsent: int = 0) -> int:
        """`clear` is on its way: what was not played is gone, and marks still out come back without a meaning.

        `unsent` of the samples never got as far as the socket. Returns the position that was played last. What is
        sent from now on is a new run.
        """
        cut = min(self.cut(now), self.sent - unsent)
        self._marks.clear()
        self._acknowledged = max(self._acknowledged, cut)
        self._acknowledged_at = None
        self._anchor_position = self.sent
        self._anchor_at = now
        return cut

    def heard(self, now: float) -> int:
        """Surely played by now."""
        if self._acknowledged_at is None:
            return self._acknowledged
        limit = self._marks[0].position if self._marks else self.sent
        return min(self._acknowledged + self._samples(now - self._acknowledged_at), limit)

    def cut(self, now: float) -> int:
        """Where Twilio's ear will be when a message sent now arrives there."""
        return max(self._acknowledged, self._simulated(now - self.lag_ms / 1000))

    def lead_ms(self, now: float) -> float:
        """How much audio waits at Twilio, lag not counted: what the pace is kept by."""
        return (self.sent - self._simulated(now)) * 1000 / self._rate_hz

    @property
    def lag_ms(self) -> float:
        """How much later (or earlier, negative) marks come back than they used to."""
        if self._usual_trip is None or len(self._trips) < ROUND_TRIPS:
            return 0.0
        lag = (min(self._trips) - self._usual_trip) * 1000
        return min(max(lag, -MAX_LAG_MS), MAX_LAG_MS)

    @property
    def astray(self) -> bool:
        """The simulation and the marks have drifted apart: let the far buffer run dry, then call `restart`."""
        return abs(self.lag_ms) > SETTLED_MS

    def dry(self, now: float) -> bool:
        """True when the far buffer is surely empty, however much it lags."""
        if self._marks and now - self._marks[-1].expected_at < LOST_MARK_S:
            return False
        return self._simulated(now - max(0.0, self.lag_ms) / 1000) >= self.sent

    def restart(self) -> None:
        """The far buffer has run dry, so what is sent next is played as it arrives: measure anew."""
        self._marks.clear()
        self._trips.clear()
        self._usual_trip = None

    def unplayed_s(self, now: float) -> float:
        """How long the oldest mark that is still out has been out; 0 when there is none."""
        return now - self._marks[0].sent_at if self._marks else 0.0

    def _simulated(self, now: float) -> int:
        return min(self.sent, self._anchor_position + self._samples(now - self._anchor_at))

    def _samples(self, seconds: float) -> int:
        # A microsecond's grace: 0.02 s are 160 samples also where the float is a hair below.
        return max(0, int((seconds + 1e-6) * self._rate_hz))
