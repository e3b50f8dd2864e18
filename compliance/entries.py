"""What the vault keeps, as plain values: calls, turns as heard, events, messages.

Times are Unix time in milliseconds; positions are samples of the outlet's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Who = Literal["caller", "twin"]
MinuteKind = Literal["question", "decision", "action", "promise", "statement", "unknown"]
CallState = Literal["live", "ended"]

INTERRUPTED = "interrupted"
"""The end reason of a call whose process was killed, or closed while the call was live."""


@dataclass(frozen=True, slots=True)
class CallEntry:
    """One call."""

    id: str
    channel: str
    """web, phone, livekit, ..."""
    subject: str | None
    """Who called, in normal form (see `subject.normalise`); None when not known."""
    started_ms: int
    ended_ms: int | None
    end_reason: str | None
    """`interrupted` when the process died; `ended_ms` is then the last time anything was stored."""
    state: CallState
    detail: Mapping[str, Any] = field(default_factory=dict)
    language: str = ""
    """As `de` or `pt-BR`; empty when not known."""
    provider_ref: str = ""
    """What the provider calls it (a CallSid), by which its own copies are found and deleted."""
    people: tuple[str, ...] = ()
    """Who took part in a meeting, by the names they gave themselves, else by identity; in order of joining."""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to list; what is None is not asked for."""

    channel: str | None = None
    state: CallState | None = None
    since_ms: int | None = None
    """Begun at this time or later."""
    until_ms: int | None = None
    """Begun before this time."""
    subject: str | None = None
    has_recording: bool | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class WordEntry:
    """A word that was heard, and when it sounded on the outlet's clock."""

    text: str
    start_samples: int
    end_samples: int
    sentence: int = 0
    """Which sentence of the call it belongs to."""
    provenance: str = ""
    """Where that sentence comes from; see `TurnEntry.provenance`."""


@dataclass(frozen=True, slots=True)
class SentenceEntry:
    """What was heard of one sentence of the twin."""

    text: str
    provenance: str


@dataclass(frozen=True, slots=True)
class TurnEntry:
    """What one side said, as far as it was heard."""

    sequence: int
    """Which turn of the call; writing the same one again replaces it."""
    who: Who
    text: str
    start_samples: int
    end_samples: int
    rate_hz: int
    """Of the outlet's clock, which the positions count."""
    epoch: int = 0
    cut: bool = False
    """True when the twin was interrupted: the text ends at the last word that was heard."""
    provenance: str = ""
    """fact, statement, document, memory, general, guess, notice, model; joined by hyphens in the order of their
    first use; empty is unknown."""
    words: tuple[WordEntry, ...] = ()
    speaker: str = ""
    """In a meeting: the identity of who spoke, or for the twin's words of whom it answered; the turn is theirs, is
    sealed under their key and goes with them. Of somebody who was not recorded as a participant nothing is kept.
    Empty: the call's own caller; for the twin's words in a meeting: said to everybody."""
    name: str = ""
    """What they called themselves then; empty is unknown."""
    at_ms: int = 0
    """When it was last stored; set by the vault."""

    @property
    def sentences(self) -> tuple[SentenceEntry, ...]:
        """The twin's sentences, each with where it comes from; empty where no words were kept."""
        said: dict[int, list[WordEntry]] = {}
        for word in self.words:
            said.setdefault(word.sentence, []).append(word)
        return tuple(
            SentenceEntry(" ".join(word.text for word in words), words[0].provenance) for words in said.values()
        )


@dataclass(frozen=True, slots=True)
class EventEntry:
    """Something that happened in a call: disclosure_played, dtmf, hold, yield, fallback, hangup, ..."""

    kind: str
    at_ms: int
    position_samples: int | None = None
    rate_hz: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    speaker: str = ""
    """In a meeting: the identity of whom it is about, and under whose key it is sealed; empty is nobody alone."""


@dataclass(frozen=True, slots=True)
class ParticipantEntry:
    """Somebody who took part in a meeting."""

    identity: str
    """In normal form; empty when their name was deleted with age."""
    name: str
    """What they called themselves last; empty is unknown."""
    joined_ms: int
    left_ms: int | None
    """None while they are there."""


@dataclass(frozen=True, slots=True)
class MinuteEntry:
    """One thing that a meeting comes down to for the owner."""

    kind: MinuteKind
    """`question`: for the owner, to be answered later. `decision`, `action`: what was agreed and who does what.
    `promise`: of the twin's. `statement`: what it told in the owner's name. `unknown`: what it did not know."""
    text: str
    """For a question the exact words."""
    start_samples: int
    end_samples: int
    rate_hz: int
    """Of the outlet's clock."""
    speaker: str = ""
    """The identity of whose words it comes from, or of whom the twin spoke with; it goes with them. Empty: of
    nobody alone."""
    name: str = ""
    """What they called themselves then."""
    who: str = ""
    """Of an action: who does it, in the words of the meeting; empty is not said."""
    due: str = ""
    """Of an action: by when, in the words of the meeting; empty is not said."""
    recording_id: str = ""
    """The sound of it, where it was kept."""


@dataclass(frozen=True, slots=True)
class MessageEntry:
    """A message that the twin took for its owner."""

    id: str
    at_ms: int
    text: str
    call_id: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A call with all that is stored of it, each part in order."""

    call: CallEntry
    turns: tuple[TurnEntry, ...]
    events: tuple[EventEntry, ...]
    messages: tuple[MessageEntry, ...]
    participants: tuple[ParticipantEntry, ...] = ()
    """Of a meeting, in order of joining."""
    minutes: tuple[MinuteEntry, ...] = ()
    """Of a meeting, in order of time."""


@dataclass(frozen=True, slots=True)
class Counters:
    """The store in numbers, for metrics; all but `queued` only grow."""

    recorded: int
    """Records accepted."""
    refused: int
    """Records refused because the queue was full; each raised an error where it was made."""
    failed: int
    """Records that the database would not take and that are lost."""
    orphaned: int
    """Records of a call that is not (or no longer) stored, e.g. because it was forgotten; not kept."""
    written: int
    """Records committed."""
    commits: int
    queued: int
    """Records accepted and not yet committed."""
