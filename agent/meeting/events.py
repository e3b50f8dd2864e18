"""What is heard in a meeting, as plain values. Positions are samples of the outlet's clock: the one media time.

a person's Inlet -> Hall (voice activity, recognition, each person's own) -> these -> the meeting's floor
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody began to speak."""

    who: str
    """The identity, as in `channels.room.Person`."""
    at: int


@dataclass(frozen=True, slots=True)
class Fell:
    """Somebody fell silent, `silent_ms` ago. They may go on within the same utterance."""

    who: str
    at: int
    silent_ms: float


@dataclass(frozen=True, slots=True)
class Guessed:
    """What the recogniser has of somebody's utterance so far; it may still change."""

    who: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Uttered:
    """A whole utterance: final words."""

    who: str
    text: str
    """Never empty."""
    start: int
    end: int
    typed: bool = False
    """Written into the chat, or dialled."""
    pcm: bytes = b""
    """The sound of it, int16 mono at `rate_hz`, at most the last 30 s; in RAM only. Empty for what was typed."""
    rate_hz: int = 16_000


@dataclass(frozen=True, slots=True)
class Unheard:
    """Somebody spoke and was not recognised: no words came of it, or as many as can be listened to at once already
    spoke."""

    who: str
    start: int
    end: int
    crowded: bool
    """True: nobody listened, because too many spoke at once."""


HallEvent: TypeAlias = Began | Fell | Guessed | Uttered | Unheard
