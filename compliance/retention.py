"""How long each kind is kept: what is past its date, and why. Pure; `sweeper` reads the store and deletes.

A call goes in steps, each at its own date: its sound, its words, the messages of it, the proof that the caller was
told and asked. When nothing of it is left its row and its key go, and with the last call the person's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from compliance.settings import RetentionSettings

DAY_MS = 86_400_000
TOKEN_KEPT_MS = 3_600_000
"""Spent tokens stay this long after they expired, for machines whose clocks differ."""
UNUSED_MS = DAY_MS
"""A person of whom nothing is stored goes after so long: what is being written now may be about them."""

Kind = Literal[
    "recording",
    "words",
    "message",
    "consent",
    "evidence",
    "request_words",
    "request",
    "erasure",
    "session",
    "token",
    "call",
    "name",
    "subject",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order in which they go: what hangs on something goes before it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that is stored."""

    kind: Kind
    id: str
    """Of its row: of the call for `words` and `call`, of the person for `name` and `subject`."""
    since_ms: int | None
    """From when its period counts: when the call ended, the message was left. None while it goes on."""
    call_id: str | None = None
    held: bool = False
    """Its call is on hold."""
    needed: bool = False
    """Something that stays hangs on it."""


@dataclass(frozen=True, slots=True)
class Due:
    """Something that goes."""

    kind: Kind
    id: str
    why: str
    """As `older than 90 days`."""
    call_id: str | None = None


def period_ms(kind: Kind, settings: RetentionSettings) -> int:
    """How long something of that kind is kept."""
    match kind:
        case "recording":
            return settings.audio_days * DAY_MS
        case "words" | "request_words" | "name":
            return settings.transcript_days * DAY_MS
        case "message":
            return settings.message_days * DAY_MS
        case "consent" | "evidence" | "request" | "erasure":
            return settings.evidence_days * DAY_MS
        case "token":
            return TOKEN_KEPT_MS
        case "subject":
            return UNUSED_MS
        case "session" | "call":
            return 0


def due(kept: Iterable[Kept], settings: RetentionSettings, now_ms: int) -> tuple[Due, ...]:
    """What of it goes now, in the order in which it has to go.

    What is on hold stays, and what somebody still needs; so does what goes on.
    """
    gone = [
        Due(entry.kind, entry.id, _why(entry.kind, settings), entry.call_id)
        for entry in kept
        if entry.since_ms is not None
        and not entry.held
        and not entry.needed
        and entry.since_ms + period_ms(entry.kind, settings) <= now_ms
    ]
    return tuple(sorted(gone, key=lambda entry: KINDS.index(entry.kind)))


def _why(kind: Kind, settings: RetentionSettings) -> str:
    match kind:
        case "session" | "token":
            return "expired"
        case "call" | "subject":
            return "nothing of it is left"
        case "name":
            return "only proof of it is left"
    days = period_ms(kind, settings) // DAY_MS
    return f"older than {days} day{'' if days == 1 else 's'}"
