"""What the page and the server say to each other on the data channel: one JSON object per message."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TypeAlias

from channels.call import CallEvent, Caption, Notice, Privacy, Purpose, Refusal, Status, Wish
from channels.inlet import DIGITS, MAX_TEXT_CHARS
from compliance.errors import BadMessage

CHANNEL_LABEL = "twin"
MAX_MESSAGE_CHARS = 32_768
"""The longest text allowed, every character escaped, with room for the rest of the object."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The page plays what it receives: the call may begin."""


@dataclass(frozen=True, slots=True)
class Alive:
    """The page is still there."""


@dataclass(frozen=True, slots=True)
class Typed:
    """Words the person typed."""

    text: str


@dataclass(frozen=True, slots=True)
class Digit:
    digit: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """The person wants to end the call."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A button: whether words or sound may be kept; a no at any time is a withdrawal."""

    purpose: Purpose
    yes: bool


@dataclass(frozen=True, slots=True)
class Wished:
    """A button: the person asks about their data."""

    wish: Wish


FromPage: TypeAlias = Ready | Alive | Typed | Digit | HangUp | Consent | Wished

_EVENT_TYPES: dict[type[CallEvent], str] = {
    Caption: "caption",
    Status: "status",
    Notice: "notice",
    Privacy: "privacy",
}


def read(message: object) -> FromPage:
    """Parse what came over the data channel. Raises `BadMessage` for anything that is not one of ours."""
    if not isinstance(message, str) or len(message) > MAX_MESSAGE_CHARS:
        raise BadMessage("A message must be text of at most 32,768 characters.")
    try:
        fields = json.loads(message)
    except (ValueError, RecursionError):
        raise BadMessage("A message must be JSON.") from None
    if not isinstance(fields, dict):
        raise BadMessage("A message must be a JSON object.")
    match fields:
        case {"type": "ready"}:
            return Ready()
        case {"type": "alive"}:
            return Alive()
        case {"type": "hang_up"}:
            return HangUp()
        case {"type": "text", "text": str(text)} if text.strip() and len(text) <= MAX_TEXT_CHARS:
            return Typed(text)
        case {"type": "digit", "digit": str(digit)} if digit in DIGITS:
            return Digit(digit)
        case {"type": "consent", "purpose": "transcription" | "recording" as purpose, "yes": bool(yes)}:
            return Consent(purpose, yes)
        case {"type": "wish", "wish": "forget_me" | "what_do_you_know" as wish}:
            return Wished(wish)
    raise BadMessage("A message of unknown type or with a wrong field.")


def event(happened: CallEvent) -> str:
    """What the page is told of the call."""
    told = {"type": _EVENT_TYPES[type(happened)], **asdict(happened)}
    # On a page there is one caller.
    told.pop("speaker", None)
    return json.dumps(told, ensure_ascii=False)


def refused(refusal: Refusal) -> str:
    """The call cannot be carried after all; the channel closes after it."""
    return json.dumps({"type": "refused", "code": refusal.code, "text": refusal.spoken}, ensure_ascii=False)


def ended(reason: str) -> str:
    """The last message of a call."""
    return json.dumps({"type": "ended", "reason": reason})
