"""Our own words: names of tables and columns, purposes, methods, states, kinds of evidence, channels.

They stand in every store whoever called: finding one says nothing about anybody.
"""

from __future__ import annotations

from compliance.clear import plain_language, plain_word
from compliance.errors import VaultError
from compliance.store.schema import metadata

_WORDS = (
    # what is asked for, and how it was answered
    "recording", "transcription", "memory", "voice_clone", "face_clone", "erasure", "access",
    "voice", "key", "dtmf", "button", "silence", "notice", "signature",
    "granted", "denied", "revoked", "expired", "yes", "no", "unclear", "caller", "twin",
    # how far something is
    "open", "verified", "approved", "running", "done", "incomplete", "rejected", "void", "live", "ended",
    "interrupted", "failed", "forgotten", "opened", "keys_destroyed", "rows", "stores", "scanned", "receipt",
    "closed", "hangup",
    # how a conversation came, and what may be done with a likeness
    "web", "phone", "room", "livekit", "twilio", "camera", "browser", "calls", "meetings", "messages", "videos",
    # what was noted
    "disclosure_started", "disclosure_played", "redisclosed", "human_asked", "claimed_human",
    "consent_asked", "consent_given", "consent_refused", "consent_withdrawn", "words_kept_not",
    "recording_started", "recording_stopped", "recording_deleted", "clone_consented", "clone_revoked",
    "request_opened", "request_extended", "request_verified", "request_approved", "request_rejected",
    "erasure_opened", "erased", "accessed", "swept", "held", "released", "viewed", "unmasked", "exported",
    "signed_in", "signed_out", "sign_in_failed", "settings_changed", "watermarked", "file", "apology",
    # what happens in a meeting, and what it comes down to
    "joined", "left", "renamed", "muted", "shares_screen", "hand", "noted", "digested", "silent", "on_request",
    "active", "question", "decision", "action", "promise", "statement", "unknown",
    "fallback", "brain_failed", "outlet_failed", "pipeline_failed", "gave_up", "no_voice", "no_speech_engine",
)  # fmt: skip
_SCHEMA = {name for table in metadata.sorted_tables for name in (table.name, *table.columns.keys())}
_ALL = "\n".join((*_WORDS, *sorted(_SCHEMA)))
_NAMING = ("code", "from", "to", "reason")
"""Fields of an event that name an engine or an error of ours; these are too many to list, and not known here."""


def is_ours(text: str) -> bool:
    """Whether the whole text is one of our words, or within one, as `recording` is in `recordings`."""
    return text in _ALL


def names_ours(field: str, value: str) -> bool:
    """Whether a field of an event names something of ours: a plain word where engines and errors are named."""
    if is_ours(value):
        return True
    try:
        if field == "language":
            return bool(plain_language(value))
        return field in _NAMING and bool(plain_word(value))
    except VaultError:
        return False
