"""One voice in two microphones, because people sit in one room: the louder is theirs, the other a copy. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from agent.meeting.hearing.sound import is_same
from agent.meeting.hearing.words import share, tokens

REACH_MS = 1_000
"""Two lines bring the same sound within so much of each other."""
COMPARED_MS = 1_000
"""Of a sound; over a longer time the clocks of two machines drift apart."""
SAME_WORDS = 0.7
"""Share of words that are the same, when there are many of them."""
MANY = 6
"""Two people say the same few words at once (good morning, yes): then the sound has to be the same as well."""
SOME_WORDS = 0.5
"""And when the sound is the same, for the fainter one is understood worse."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An utterance as one microphone took it."""

    who: str
    start: int
    end: int
    text: str
    dbfs: float
    pcm: bytes
    rate_hz: int
    since: int
    """The position of the first sample of `pcm`."""

    def between(self, begin: int, end: int, clock_hz: int) -> bytes:
        """Its sound between two positions, as far as it is kept."""
        first, last = (round((at - self.since) * self.rate_hz / clock_hz) for at in (begin, end))
        return self.pcm[2 * max(0, first) : 2 * max(0, last)]


def is_copy(mine: Taken, other: Taken, clock_hz: int) -> bool:
    """Whether `mine` is what the other said, as my microphone caught it. Of two it is never true for both."""
    if not _could_be(mine, other, clock_hz):
        return False
    words = tokens(mine.text)
    same = share(words, tokens(other.text))
    if len(words) >= MANY and same >= SAME_WORDS:
        return True
    return same >= SOME_WORDS and _same_sound(mine, other, clock_hz)


def may_become_copy(mine: Taken, other: Taken, clock_hz: int) -> bool:
    """The same of another who still speaks, or whose words are not there yet: whether to wait for them."""
    return _could_be(mine, other, clock_hz) and _same_sound(mine, other, clock_hz)


def _could_be(mine: Taken, other: Taken, clock_hz: int) -> bool:
    """A copy begins late and ends early, for the microphone is far away; only the lines differ."""
    reach = REACH_MS * clock_hz // 1000
    within = mine.start >= other.start - reach and mine.end <= other.end + reach
    quieter = (mine.dbfs, -mine.start, mine.who) < (other.dbfs, -other.start, other.who)
    return mine.who != other.who and within and quieter


def _same_sound(mine: Taken, other: Taken, clock_hz: int) -> bool:
    reach = REACH_MS * clock_hz // 1000
    end = min(mine.end, mine.start + COMPARED_MS * clock_hz // 1000)
    one = mine.between(mine.start, end, clock_hz)
    theirs = other.between(mine.start - reach, end + reach, clock_hz)
    return is_same(one, theirs, mine.rate_hz)
