"""What happened in and to a call, in order: who was told and asked what, what was kept, who has looked since.

Pure. An event of the call and a leaf of the ledger that say the same are one step, with its proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from compliance.entries import EventEntry

Tone = Literal["told", "asked", "yes", "no", "kept", "seen", "gone", "trouble", "plain"]
SAME_MS = 3_000
"""An event and a leaf of one kind this close are one thing that happened."""
_DETAILS = (
    "what", "purpose", "language", "method", "reason", "by", "operator", "role", "request", "store", "from", "to",
    "state", "tool", "outcome", "way", "code", "rule", "memories", "mode",
)  # fmt: skip
"""The parts of a detail that a step shows, in this order; positions and ids stay out."""
_OURS = frozenset({"operator", "request", "by"})
"""Names and numbers that we gave ourselves."""
_REACHES = re.compile(r"@|(\d[ ./()-]{0,2}){5}")
"""An address or a number in a detail: a reviewer reads these lines, and nobody needs either to follow a call."""

_KINDS: Mapping[str, tuple[str, Tone]] = {
    "disclosure_started": ("The announcement began", "plain"),
    "disclosure_played": ("Told that this is an AI, in full", "told"),
    "redisclosed": ("Told again that this is an AI", "told"),
    "human_asked": ("Asked whether it is human, and told the truth", "told"),
    "consent_asked": ("Asked for consent", "asked"),
    "consent_given": ("Said yes", "yes"),
    "consent_refused": ("Did not say yes", "no"),
    "consent_withdrawn": ("Took the consent back", "no"),
    "recording_started": ("Recording began", "kept"),
    "recording_stopped": ("Recording stopped", "plain"),
    "recording_deleted": ("Recording deleted", "gone"),
    "words_kept_not": ("Words not written down", "no"),
    "watermarked": ("The twin's sound in it carries a mark of this call", "plain"),
    "request_opened": ("A request about their data was opened", "asked"),
    "request_verified": ("The person was verified", "yes"),
    "request_approved": ("The request was approved", "yes"),
    "request_rejected": ("The request was rejected", "no"),
    "erasure_opened": ("Erasure began", "gone"),
    "erased": ("Erased", "gone"),
    "accessed": ("A copy was given out", "seen"),
    "viewed": ("Looked at", "seen"),
    "unmasked": ("Shown without masks", "seen"),
    "exported": ("Exported", "seen"),
    "held": ("Kept from deletion", "kept"),
    "released": ("No longer kept from deletion", "plain"),
    "swept": ("Deleted by its date", "gone"),
    "signed_in": ("Signed in", "seen"),
    "sign_in_failed": ("Sign-in failed", "trouble"),
    "signed_out": ("Signed out", "plain"),
    "settings_changed": ("Settings changed", "trouble"),
    "clone_consented": ("The owner allowed the clone", "yes"),
    "clone_revoked": ("The owner revoked the clone", "no"),
    "fallback": ("An engine was replaced", "trouble"),
    "outlet_failed": ("The sound failed, and the call was closed", "trouble"),
    "gave_up": ("The call could not be carried on", "trouble"),
    "dtmf": ("A key was pressed", "plain"),
    "transfer": ("Handed over", "plain"),
    "hangup": ("Hung up", "plain"),
    "recalled": ("Earlier calls of this caller were at hand", "kept"),
    "identified": ("It became clearer who calls", "plain"),
    "remembered": ("Remembered for the next call", "kept"),
    "guarded": ("The guard stepped in", "trouble"),
    "claimed_human": ("A claim to be human was replaced by the truth", "trouble"),
    "tool_used": ("A tool was used", "plain"),
    "brain_failed": ("The language model failed", "trouble"),
    "joined": ("Joined the meeting", "plain"),
    "left": ("Left the meeting", "plain"),
    "renamed": ("Changed their name", "plain"),
    "muted": ("Muted themselves", "plain"),
    "muted_not": ("Can be heard again", "plain"),
    "shares_screen": ("Shares a screen", "plain"),
    "shares_screen_not": ("Shares no screen any more", "plain"),
    "mode": ("The twin changed how it takes part", "told"),
    "hand": ("The twin raised its hand", "asked"),
    "hand_not": ("The twin lowered its hand", "plain"),
    "noted": ("A question was noted for the owner", "kept"),
    "digested": ("The digest was written", "plain"),
}
_BOTH_WAYS = {"muted": "muted", "hand": "raised", "shares_screen": "shares"}
"""Kinds that say by this part of their detail whether it began or ended."""
AFTERWARDS = frozenset({"viewed", "unmasked", "exported", "accessed", "held", "released", "swept"})
"""Kinds that are about what was done with a call since, not about the call."""


class Evidence(Protocol):
    """A leaf of the ledger, with what it stands for."""

    @property
    def leaf(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def at_ms(self) -> int: ...
    @property
    def detail(self) -> Mapping[str, Any] | None: ...
    @property
    def state(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened."""

    kind: str
    title: str
    tone: Tone
    at_ms: int
    at_s: float | None
    """Seconds of the call's clock, where it happened during the call."""
    note: str = ""
    speaker: str = ""
    """In a meeting: the identity of whom it is about; to be shown as `Sheet.names` names them."""
    leaf: str = ""
    """Its leaf in the ledger; empty when there is none."""
    proof: str = ""
    """`proved`; `forgotten` when the leaf is still in the ledger and what it stood for was erased; `altered` or
    `missing` when the vault and the ledger do not agree, which nothing but tampering explains."""


@dataclass(frozen=True, slots=True)
class Story:
    """The steps of the call, and those since."""

    during: tuple[Step, ...]
    since: tuple[Step, ...]


def title(kind: str) -> str:
    """A kind in words."""
    return _KINDS[kind][0] if kind in _KINDS else kind.replace("_", " ").capitalize()


def tone(kind: str) -> Tone:
    """How a kind is shown."""
    return _KINDS[kind][1] if kind in _KINDS else "plain"


def story(
    events: Sequence[EventEntry], evidence: Iterable[Evidence], *, started_ms: int, ended_ms: int | None
) -> Story:
    """Everything known of a call, once, in order."""
    left = list(events)
    during: list[Step] = []
    since: list[Step] = []
    for leaf in evidence:
        event = _same(left, leaf)
        if event:
            left.remove(event)
        step = _step(leaf, event, started_ms=started_ms, ended_ms=ended_ms)
        (since if leaf.kind in AFTERWARDS else during).append(step)
    during += [_step_of_event(event, started_ms=started_ms) for event in left]
    # The sort is stable and the announcement's end is written with its leaf: equal times keep their order.
    during.sort(key=lambda step: step.at_ms)
    since.sort(key=lambda step: step.at_ms, reverse=True)
    return Story(tuple(during), tuple(since))


def _same(events: Sequence[EventEntry], leaf: Evidence) -> EventEntry | None:
    near = [event for event in events if event.kind == leaf.kind and abs(event.at_ms - leaf.at_ms) <= SAME_MS]
    return min(near, key=lambda event: abs(event.at_ms - leaf.at_ms), default=None)


def _step(leaf: Evidence, event: EventEntry | None, *, started_ms: int, ended_ms: int | None) -> Step:
    detail = {**(event.detail if event else {}), **(leaf.detail or {})}
    at_s = _clock_s(event) if event else None
    if at_s is None and leaf.kind not in AFTERWARDS and leaf.at_ms <= (ended_ms or leaf.at_ms):
        at_s = max(0.0, (leaf.at_ms - started_ms) / 1000)
    return Step(
        kind=leaf.kind,
        title=title(leaf.kind),
        tone=tone(leaf.kind),
        at_ms=event.at_ms if event else leaf.at_ms,
        at_s=at_s,
        note=note(detail),
        speaker=event.speaker if event else "",
        leaf=leaf.leaf,
        proof=leaf.state,
    )


def _step_of_event(event: EventEntry, *, started_ms: int) -> Step:
    at_s = _clock_s(event)
    kind = event.kind
    if event.detail.get(_BOTH_WAYS.get(kind, "")) is False:
        kind = f"{kind}_not"
    return Step(
        kind=event.kind,
        title=title(kind),
        tone=tone(kind),
        at_ms=event.at_ms,
        at_s=at_s if at_s is not None else max(0.0, (event.at_ms - started_ms) / 1000),
        note=note(event.detail),
        speaker=event.speaker,
    )


def _clock_s(event: EventEntry) -> float | None:
    if event.position_samples is None or not event.rate_hz:
        return None
    return event.position_samples / event.rate_hz


def note(detail: Mapping[str, Any]) -> str:
    """What a detail says, in a line."""
    shown = [key for key in _DETAILS if detail.get(key) not in (None, "", (), [], {})]
    said = [f"{key}: {detail[key]}" for key in shown if key in _OURS or not _REACHES.search(str(detail[key]))]
    return " · ".join(said).replace("_", " ")
