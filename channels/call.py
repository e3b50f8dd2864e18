"""A call: who, where, since when, and the two doors and the clock that everything hangs on."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol

from channels.clock import Clock
from channels.inlet import Inlet
from channels.outlet import Outlet
from channels.room import Attendance, Room
from channels.view import View
from channels.wire import Wire

Channel = Literal["web", "phone", "room", "camera"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The other side, as far as it is known."""

    subject: str | None = None
    """Phone number in E.164, e-mail address or participant identity; None is unknown."""
    name: str | None = None
    attested: bool | None = None
    """Whether the network vouches for the subject; None is not known."""


@dataclass(frozen=True, slots=True)
class Caption:
    """Words for the eyes, shown as they are heard."""

    who: Literal["caller", "twin"]
    text: str
    """For the twin: the words heard since the last caption. For the caller: the whole turn so far."""
    turn: int
    """Which turn of that side; captions of the same turn belong together."""
    final: bool = False
    """For the caller: will not change any more. For the twin: the turn is over."""
    speaker: str = ""
    """In a room: the identity of who speaks; turns are counted for each."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the twin is doing now."""

    state: Literal["connecting", "disclosing", "listening", "thinking", "speaking", "ended"]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the person should know, e.g. that a fallback engine serves."""

    code: str
    text: str


Purpose = Literal["transcription", "recording", "memory"]
Wish = Literal["forget_me", "what_do_you_know"]


@dataclass(frozen=True, slots=True)
class Privacy:
    """What is kept of this call now, for the person to see and to change."""

    words: Literal["kept", "asked", "not_kept"]
    sound: Literal["off", "asked", "kept", "not_kept"]
    """`off`: it is never kept, so nobody is asked."""


CallEvent = Caption | Status | Notice | Privacy


@dataclass(slots=True)
class Call:
    """One conversation. Made by `Host.begin`, carried by `Host.carry`, ended by anyone through `hang_up`."""

    id: str
    channel: Channel
    caller: Caller
    wire: Wire
    clock: Clock
    inlet: Inlet
    outlet: Outlet
    started_at: datetime
    reference: str | None = None
    """The channel's own name for the call, e.g. Twilio's CallSid."""
    language: str = "en"
    watchers: list[Callable[[CallEvent], None]] = field(default_factory=list)
    """Called with every event; must be quick and must not raise."""
    hang_up: Callable[[str], None] = lambda reason: None
    """Ask the call to end, once, with a reason such as `caller_left`; returns at once. Set by the host."""

    consent: Callable[[Purpose, bool], None] = lambda purpose, yes: None
    """The person pressed yes or no to keeping words or sound; a no at any time withdraws. Set by the host."""
    wish: Callable[[Wish], None] = lambda wish: None
    """The person asks to be forgotten, or what is known of them. Set by the host."""

    show: Callable[[], View | None] = lambda: None
    """The twin's face for this call, watching the outlet from now on; None where it has none to show. A channel
    that carries pictures asks once, before the disclosure. Set by the host."""

    transfer: Callable[[str], bool] = lambda number: False
    """When the call ends, connect the person with this number instead of hanging up; False where the channel
    cannot. Set by the channel."""

    attendance: Attendance | None = None
    """Who is there, in a call with many people; set by the host for the channel `room`, where `inlet` stays
    closed and everybody has a door of their own."""
    room: Room | None = None
    """What the channel can do in the meeting besides sound; set by the channel `room`."""

    @property
    def provider_ref(self) -> str:
        """What the telephone's provider calls it, and empty elsewhere: a room's name may be somebody's."""
        return (self.reference or "") if self.channel == "phone" else ""

    def tell(self, event: CallEvent) -> None:
        for watcher in tuple(self.watchers):
            watcher(event)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call cannot be carried now, in words for the caller."""

    code: Literal["capacity", "draining", "not_ready"]
    spoken: str


class Host(Protocol):
    """What a channel needs of the house above it; `agent/run.py` is the real one."""

    def refusal(self) -> Refusal | None:
        """Why no further call can be carried at this moment, or None. Cheap: called before every answer."""
        ...

    def begin(self, channel: Channel, wire: Wire, caller: Caller, *, reference: str | None = None) -> Call:
        """Make the call and its doors. Raises `CallRefused` when `refusal` would not be None."""
        ...

    async def carry(self, call: Call) -> None:
        """Hold the conversation until either side ends it; the wire is closed when this returns. Cancelling it
        ends the call too. Never raises for what happens inside a call."""
        ...

    def end(self, reference: str, reason: str) -> bool:
        """End the call that the channel knows by `reference`; False when there is none in this process."""
        ...

    async def spend(self, nonce: str, expires_at: datetime) -> bool:
        """True exactly once per `nonce`, over all worker processes; the memory of one-use tokens."""
        ...


def new_call_id() -> str:
    """Unguessable, and sorts by the time it was made."""
    return f"{datetime.now(UTC):%Y%m%d%H%M%S}-{secrets.token_hex(8)}"
